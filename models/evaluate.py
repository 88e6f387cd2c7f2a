"""Runs jogak-stories.gguf in numpy: perplexity for each weight format, greedy text, golden file.

    python3 models/evaluate.py [--text models/heldout.txt] [--prompt "Long ago"] [--golden FILE]

Perplexity protocol: each line of the text is one story; ids = <s>, the line's tokens, </s>, cut at
`context` + 1 tokens; every token after <s> is predicted from all before it in its own line;
perplexity = exp(sum of -ln p / number of predicted tokens).
"""
import argparse
import json
import pathlib

import numpy as np

import quantize
from gguf_file import read_model
from tokenizer import EOS

HERE = pathlib.Path(__file__).parent
PROMPTS = ["Once upon a time", "Long ago, in a green meadow", "Tom was a brave boy who lived in a small house."]
GOLDEN_TOKENS = 96
ENCODE_CASES = ["", " ", "Once upon a time", "\"Hello, I am Pip.\"", "  two  spaces ", "It is 7 o'clock!",
                "caf\u00e9 \u2603", "line\nbreak", "BIRTHDAY", "a\u2581b"]


class Reference:
    """The decoder over whole sequences. `weights` is fp32, int8 or mxfp4; with a quantised format
    the inputs of every product, those of attention included, are int8 as well."""

    def __init__(self, shape, tensors, weights="fp32"):
        self.shape = shape
        quantiser = quantize.WEIGHTS[weights]
        self.activations = quantize.same if weights == "fp32" else quantize.int8_activations
        self.exact = weights == "fp32"
        self.tensors = {name: quantiser(t) if t.ndim == 2 else t for name, t in tensors.items()}
        self.embedding = tensors["token_embd.weight"]
        half = np.arange(0, shape.head, 2) / shape.head
        angle = np.outer(np.arange(shape.context + 1), shape.rope_base ** -half)
        self.cos, self.sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)

    def linear(self, x, name):
        return self.activations(x) @ self.tensors[name].T

    def norm(self, x, name):
        return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + np.float32(self.shape.epsilon)) * self.tensors[name]

    def rotate(self, x):
        """Pairs (0, 1), (2, 3), ... of each head turn by position * base^(-2i / head); x [length, heads, head]."""
        cos, sin = self.cos[:len(x), None], self.sin[:len(x), None]
        out = np.empty_like(x)
        out[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
        out[..., 1::2] = x[..., 0::2] * sin + x[..., 1::2] * cos
        return out

    def mix(self, probability, v):
        """probability [length, keys] times v [keys, head]; quantised, V has one scale per key, which is
        folded into the probabilities before these become int8 in blocks of 32 keys."""
        if self.exact:
            return probability @ v
        scale = quantize.bfloat16_up(np.abs(v).max(-1, keepdims=True) * np.float32(1 / 127))
        q = np.clip(np.rint(np.divide(v, scale, out=np.zeros_like(v), where=scale > 0)), -127, 127)
        pad = -len(v) % quantize.BLOCK
        folded = np.pad(probability * scale.T, ((0, 0), (0, pad)))
        return self.activations(folded)[:, :len(v)] @ q

    def attention(self, x, i):
        s, length = self.shape, len(x)
        q = self.rotate(self.linear(x, f"blk.{i}.attn_q.weight").reshape(length, s.heads, s.head))
        k = self.rotate(self.linear(x, f"blk.{i}.attn_k.weight").reshape(length, s.kv_heads, s.head))
        v = self.linear(x, f"blk.{i}.attn_v.weight").reshape(length, s.kv_heads, s.head)
        q, k = self.activations(q), self.activations(k)
        hidden = np.triu(np.full((length, length), -np.inf, np.float32), 1)
        out = np.empty_like(q)
        for head in range(s.heads):
            group = head * s.kv_heads // s.heads
            score = q[:, head] @ k[:, group].T / np.float32(s.head**0.5) + hidden
            weight = np.exp(score - score.max(-1, keepdims=True))
            out[:, head] = self.mix(weight, v[:, group]) / weight.sum(-1, keepdims=True)
        return self.linear(out.reshape(length, -1), f"blk.{i}.attn_output.weight")

    def feed_forward(self, x, i):
        gate, up = self.linear(x, f"blk.{i}.ffn_gate.weight"), self.linear(x, f"blk.{i}.ffn_up.weight")
        return self.linear(gate / (1 + np.exp(-gate)) * up, f"blk.{i}.ffn_down.weight")

    def logits(self, ids):
        """ids [length] to float32 logits [length, vocabulary]."""
        x = self.embedding[ids]
        for i in range(self.shape.layers):
            x = x + self.attention(self.norm(x, f"blk.{i}.attn_norm.weight"), i)
            x = x + self.feed_forward(self.norm(x, f"blk.{i}.ffn_norm.weight"), i)
        return self.linear(self.norm(x, "output_norm.weight"), "token_embd.weight")


def perplexity(model, tokens, lines):
    total, count = 0.0, 0
    for line in lines:
        ids = np.array((tokens.encode(line) + [EOS])[:model.shape.context + 1])
        logits = model.logits(ids[:-1]).astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        picked = logits[np.arange(len(ids) - 1), ids[1:]] - np.log(np.exp(logits).sum(-1))
        total, count = total - picked.sum(), count + len(ids) - 1
    return np.exp(total / count), count


def greedy(model, ids, count):
    """Returns (new ids, margin of the best logit over the second for each); stops after </s>."""
    out, margins = [], []
    while len(out) < count and len(ids) + len(out) < model.shape.context:
        last = model.logits(np.array(ids + out))[-1]
        best, second = np.argsort(-last, kind="stable")[:2]
        out.append(int(best))
        margins.append(round(float(last[best] - last[second]), 4))
        if best == EOS:
            break
    return out, margins


def golden(model, tokens):
    """Data that another runtime can be checked with."""
    runs = []
    for prompt in PROMPTS:
        ids = tokens.encode(prompt)
        out, margins = greedy(model, ids, GOLDEN_TOKENS)
        runs.append({"prompt": prompt, "prompt_ids": ids, "ids": out, "margins": margins,
                     "smallest_margin": min(margins), "text": tokens.decode(ids + out)})
    encode = [{"text": text, "ids": tokens.encode(text)} for text in ENCODE_CASES]
    last = model.logits(np.array(tokens.encode(PROMPTS[0])))[-1]
    first = [{"id": int(i), "logit": round(float(last[i]), 4)} for i in np.argsort(-last, kind="stable")[:8]]
    return {"model": "jogak-stories.gguf", "weights": "fp32", "encode": encode,
            "top_logits_after_prompt_0": first, "greedy": runs}


def dump(value):
    """JSON with one line for each entry of a list."""
    lines = []
    for key, entry in value.items():
        rows = ",\n  ".join(json.dumps(item) for item in entry) if isinstance(entry, list) else None
        lines.append(f" {json.dumps(key)}: " + (json.dumps(entry) if rows is None else f"[\n  {rows}]"))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, default=HERE / "jogak-stories.gguf")
    parser.add_argument("--text", type=pathlib.Path, default=HERE / "heldout.txt")
    parser.add_argument("--prompt", default=PROMPTS[0])
    parser.add_argument("--golden", type=pathlib.Path, help="write the golden file here")
    args = parser.parse_args()
    shape, tokens, tensors = read_model(args.model)
    lines = args.text.read_text().splitlines()
    exact = None
    for weights in quantize.WEIGHTS:
        model = Reference(shape, tensors, weights)
        value, count = perplexity(model, tokens, lines)
        exact = exact or value
        print(f"{weights:6} perplexity {value:.4f} ({100 * (value / exact - 1):+.2f} %) over {count} tokens")
        ids = tokens.encode(args.prompt)
        print(f"       {tokens.decode(ids + greedy(model, ids, shape.context)[0])}")
    if args.golden:
        args.golden.write_text(dump(golden(Reference(shape, tensors), tokens)))


if __name__ == "__main__":
    main()
