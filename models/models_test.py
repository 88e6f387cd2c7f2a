"""Checks the committed model, its text and its tools: python3 -m unittest discover -s models -p '*_test.py'."""
import hashlib
import json
import pathlib
import unittest

import numpy as np

import evaluate
import quantize
import stories
from gguf_file import read_model
from tokenizer import EOS, train

HERE = pathlib.Path(__file__).parent
MODEL = HERE / "jogak-stories.gguf"

try:
    import torch
    import network
except ImportError:
    torch = None


class Text(unittest.TestCase):
    def test_the_generator_is_stable(self):
        text = "\n".join(stories.stories(stories.TRAIN_SEED, 500))
        self.assertEqual(hashlib.sha256(text.encode()).hexdigest(),
                         "6abdc50b9440f852e098dabe227c80aeb16e2ffec490697c89e6ebaf53b299c2")

    def test_no_placeholder_survives(self):
        for text in stories.stories(stories.TRAIN_SEED, 3000):
            self.assertNotRegex(text, r"[\[\]{}|]|  | [,.!?]|\ba [aeiou]")

    def test_heldout_text_is_generated_and_not_trained_on(self):
        lines = (HERE / "heldout.txt").read_text().splitlines()
        self.assertEqual(lines, stories.stories(stories.HELDOUT_SEED, len(lines)))
        self.assertFalse(set(lines) & set(stories.stories(stories.TRAIN_SEED, 20000)))


class Tokens(unittest.TestCase):
    def setUp(self):
        self.shape, self.tokens, _ = read_model(MODEL)

    def test_round_trip(self):
        for text in stories.stories(7, 50) + ["caf\u00e9 7 o'clock", " x ", "a\nb"]:
            ids = self.tokens.encode(text)
            self.assertEqual(self.tokens.decode(ids), text)

    def test_words_with_a_cache_give_the_same_ids(self):
        cache = {}
        for text in stories.stories(90, 50):
            self.assertEqual(self.tokens.encode_words(text, cache), self.tokens.encode(text))

    def test_golden_ids(self):
        for case in json.loads((HERE / "golden.json").read_text())["encode"]:
            self.assertEqual(self.tokens.encode(case["text"]), case["ids"])

    def test_training_is_deterministic(self):
        again = train(stories.stories(stories.TRAIN_SEED, 20000), self.shape.vocabulary)
        self.assertEqual((again.pieces, again.scores), (self.tokens.pieces, self.tokens.scores))


class Quantisers(unittest.TestCase):
    def test_mxfp4_ties_saturation_and_zero_block(self):
        w = np.zeros((2, 32), np.float32)
        w[0, :9] = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6, -6]
        codes, exponents = quantize.mxfp4_codes(w)
        self.assertEqual(codes[0, 0, :9].tolist(), [0, 2, 2, 4, 4, 6, 6, 7, 15])
        self.assertEqual(exponents.ravel().tolist(), [0, -127])

    def test_mxfp4_takes_the_scale_with_the_smallest_error(self):
        w = np.random.default_rng(1).standard_normal((50, 32)).astype(np.float32)
        error = np.square(quantize.mxfp4_weights(w) - w).sum(-1)
        for shift in (-1, 0, 1):
            scale = np.exp2(np.floor(np.log2(np.abs(w).max(-1, keepdims=True))) - 2 + shift)
            nearest = np.abs(np.abs(w)[..., None] / scale[..., None] - quantize.E2M1).min(-1) * scale
            self.assertTrue((error <= np.square(nearest).sum(-1) * (1 + 1e-5)).all())

    def test_int8_scale_is_rounded_up_to_bfloat16(self):
        scale = quantize.bfloat16_up(np.float32([1.0, 1.00001, 0.0]))
        self.assertEqual(scale.tolist(), [1.0, 1.0078125, 0.0])

    @unittest.skipIf(torch is None, "PyTorch is not installed")
    def test_training_uses_the_same_rules(self):
        w = np.random.default_rng(2).standard_normal((64, 128)).astype(np.float16).astype(np.float32)
        w[0] = 0
        self.assertTrue((network.mxfp4(torch.tensor(w)).numpy() == quantize.mxfp4_weights(w)).all())
        self.assertTrue((network.int8(torch.tensor(w)).numpy() == quantize.int8_activations(w)).all())


class Model(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shape, cls.tokens, cls.tensors = read_model(MODEL)

    def test_size_and_shape(self):
        self.assertLessEqual(MODEL.stat().st_size, 2 << 20)
        for name, rows, columns in self.shape.matrices():
            self.assertEqual(self.tensors[name].shape, (rows, columns))
            self.assertEqual((rows % 32, columns % 32), (0, 0))

    def test_perplexity_bars(self):
        lines = (HERE / "heldout.txt").read_text().splitlines()
        value = {w: evaluate.perplexity(evaluate.Reference(self.shape, self.tensors, w), self.tokens, lines)[0]
                 for w in quantize.WEIGHTS}
        self.assertLess(value["fp32"], 1.30)
        self.assertLess(value["int8"], 1.01 * value["fp32"])
        self.assertLess(value["mxfp4"], 1.06 * value["fp32"])

    def test_golden_greedy_ids(self):
        model = evaluate.Reference(self.shape, self.tensors)
        for run in json.loads((HERE / "golden.json").read_text())["greedy"]:
            ids, _ = evaluate.greedy(model, run["prompt_ids"], len(run["ids"]))
            self.assertEqual(ids, run["ids"])
            self.assertEqual(self.tokens.decode(run["prompt_ids"] + ids), run["text"])

    def test_a_story_ends(self):
        model = evaluate.Reference(self.shape, self.tensors)
        ids, _ = evaluate.greedy(model, self.tokens.encode("Once upon a time"), self.shape.context)
        self.assertEqual(ids[-1], EOS)


if __name__ == "__main__":
    unittest.main()
