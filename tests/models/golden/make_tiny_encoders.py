#!/usr/bin/env python3
"""Tiny random encoders made with the reference implementation (PyTorch and transformers, fp32 on the CPU), one folder each, as it saves them.

Matrices are int8 codes times a power of two, a code of 127 in any 16 neighbours: quantising them to int8 blocks changes nothing, so that a
reference with quantised weights can be held to fp32. golden.npz: inputs, `layers` [batch][layer][row][width] behind every layer, results.
bert_plain has word pieces, too: text.json is a text, its ids by the package tokenizers, and the mean of its last rows.

    python3 -m venv venv && venv/bin/pip install torch transformers safetensors gguf tokenizers && venv/bin/python make_tiny_encoders.py [NAME...]
"""
import json
import pathlib
import sys

import gguf
import numpy as np
import tokenizers
import torch
import transformers as t
from make_models import write_arrays

HERE = pathlib.Path(__file__).resolve().parent
BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 40, "max_position_embeddings": 50,
        "type_vocab_size": 2, "hidden_act": "gelu_new"}
TOWER = {"num_hidden_layers": 2, "projection_dim": 32}
MODELS = {
    "bert_classes": (t.BertForSequenceClassification, t.BertConfig(**BERT, num_labels=3)),
    "bert_plain": (t.BertModel, t.BertConfig(**{**BERT, "hidden_act": "gelu"})),
    "vit_random": (t.ViTForImageClassification,
                   t.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=24, patch_size=8, num_labels=5)),
    "clip": (t.CLIPModel, t.CLIPConfig(projection_dim=32,
                                       text_config={**TOWER, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "vocab_size": 50,
                                                    "max_position_embeddings": 77, "bos_token_id": 48, "eos_token_id": 49, "pad_token_id": 49},
                                       vision_config={**TOWER, "hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 3, "image_size": 24,
                                                      "patch_size": 8})),
}


def codes(rng, shape):
    k = int(np.prod(shape[1:]))
    q = rng.integers(-127, 128, (shape[0], k))
    q[:, ::16] = 127 * rng.choice([-1, 1], q[:, ::16].shape)
    return (q * 2.0 ** np.round(np.log2(1.2 * k ** -0.5 / 73))).reshape(shape)


def fill(model, rng):
    for name, p in model.named_parameters():
        norm = "norm" in name.lower() or "layrnorm" in name
        if name == "logit_scale":
            continue
        if p.ndim >= 2 and not ("embeddings." in name and "patch" not in name):
            x = codes(rng, p.shape)
        else:
            x = rng.normal(1.0 if norm and name.endswith("weight") else 0.0, 0.3, p.shape)
        p.data = torch.from_numpy(x.astype(np.float16)).float()


def traced(layers, run):
    """Result of run() and what each of the layers gave, [batch][layer][row][width]."""
    stream = [None] * len(layers)
    hooks = [m.register_forward_hook(lambda _, __, y, i=i: stream.__setitem__(i, y[0] if isinstance(y, tuple) else y)) for i, m in enumerate(layers)]
    with torch.no_grad():
        y = run()
    for h in hooks:
        h.remove()
    return y, np.stack([s.numpy() for s in stream], axis=1)


def ints(x):
    return np.array(x, dtype=np.int32)


def bert(model, rng):
    ids, types = rng.integers(0, 40, (1, 43)), (np.arange(43) > 20).astype(np.int64)[None]
    inner = model.bert if hasattr(model, "bert") else model
    y, layers = traced(inner.encoder.layer, lambda: model(torch.from_numpy(ids), token_type_ids=torch.from_numpy(types)))
    out = {"input_ids": ints(ids), "token_type_ids": ints(types), "layers": layers}
    return {**out, "logits": y.logits.numpy()} if hasattr(y, "logits") else out


def vit(model, rng):
    pixels = torch.from_numpy(rng.normal(0, 0.7, (1, 3, 24, 24)).astype(np.float32))
    y, layers = traced(blocks(model.vit), lambda: model(pixels))
    return {"pixel_values": pixels.numpy(), "layers": layers, "logits": y.logits.numpy()}


def blocks(m):
    return m.encoder.layer if hasattr(m, "encoder") and hasattr(m.encoder, "layer") else m.encoder.layers if hasattr(m, "encoder") else m.layers


def clip(model, rng):
    pixels = torch.from_numpy(rng.normal(0, 0.7, (1, 3, 24, 24)).astype(np.float32))
    ids = torch.from_numpy(np.concatenate([[48], rng.integers(0, 48, 20), [49]])[None])
    image, vision = traced(blocks(model.vision_model), lambda: model.visual_projection(model.vision_model(pixels).pooler_output))
    text, words = traced(blocks(model.text_model), lambda: model.text_projection(model.text_model(ids).pooler_output))
    with torch.no_grad():
        both = model(input_ids=ids, pixel_values=pixels)
    unit = lambda x: x / x.norm(dim=-1, keepdim=True)
    assert torch.allclose(unit(image), both.image_embeds, atol=1e-6) and torch.allclose(unit(text), both.text_embeds, atol=1e-6)
    return {"pixel_values": pixels.numpy(), "input_ids": ints(ids), "vision_layers": vision, "text_layers": words, "image": image.numpy(), "text": text.numpy()}


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "dog", "sat", "on", "a", "mat", "run", "##s", "##ning", "##ner", "un", "##fair", "play", "##ed",
         "!", ".", ",", "?", "it", "is", "b", "##b", "##a", "##t", "##e", "over", "and", "under", "h", "##h", "e", "t", "s", "##l"]


def word_pieces():
    tok = tokenizers.Tokenizer(tokenizers.models.WordPiece({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]", max_input_chars_per_word=100))
    tok.normalizer, tok.pre_tokenizer = tokenizers.normalizers.BertNormalizer(), tokenizers.pre_tokenizers.BertPreTokenizer()
    tok.add_special_tokens([tokenizers.AddedToken(w, special=True, normalized=False) for w in WORDS[:5]])
    tok.post_processor = tokenizers.processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tok


def write_text(folder, model):
    tok, text = word_pieces(), "The cats sat ON a mat, and the dogs played unfair. Running it? Béta thé!"
    tok.save(str(folder / "tokenizer.json"))
    ids = tok.encode(text).ids
    with torch.no_grad():
        rows = model(torch.tensor([ids])).last_hidden_state[0]
    (folder / "text.json").write_text(json.dumps({"text": text, "ids": ids, "mean": rows.mean(0).tolist(), "first": rows[0].tolist()}) + "\n")


def write_gguf(path, c, model):
    """As converters for llama.cpp write it: without the pooler."""
    g = gguf.GGUFWriter(path, "bert")
    g.add_block_count(c.num_hidden_layers), g.add_embedding_length(c.hidden_size), g.add_head_count(c.num_attention_heads)
    g.add_feed_forward_length(c.intermediate_size), g.add_context_length(c.max_position_embeddings), g.add_layer_norm_eps(c.layer_norm_eps)
    g.add_causal_attention(False), g.add_pooling_type(gguf.PoolingType.MEAN)
    special, begin = gguf.TokenType.CONTROL, "\u2581"
    g.add_tokenizer_model("bert"), g.add_tokenizer_pre("default")
    g.add_token_list([w if i < 5 else w[2:] if w.startswith("##") else begin + w for i, w in enumerate(WORDS)])
    g.add_token_types([special if i < 5 else gguf.TokenType.NORMAL for i in range(len(WORDS))])
    g.add_unk_token_id(1), g.add_bos_token_id(2), g.add_sep_token_id(3), g.add_mask_token_id(4)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, c.num_hidden_layers)
    for name, p in model.named_parameters():
        if not name.startswith("pooler."):
            x = p.data.numpy()
            g.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), x if x.ndim == 2 else x.astype(np.float32))
    g.write_header_to_file(), g.write_kv_data_to_file(), g.write_tensors_to_file(), g.close()


def main():
    for seed, (name, (kind, config)) in enumerate(MODELS.items()):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        config._attn_implementation = "eager"
        model, rng = kind(config).eval().float(), np.random.default_rng(200 + seed)
        fill(model, rng)
        golden = {"bert": bert, "vit": vit, "clip": clip}[config.model_type](model, rng)
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        if name == "bert_plain":
            write_text(folder, model)
        model.to(torch.float16).save_pretrained(folder)
        (folder / "config.json").write_text(json.dumps(json.loads((folder / "config.json").read_text()), indent=1) + "\n")
        if name == "bert_plain":
            write_gguf(folder / "model.gguf", config, model)
        write_arrays(folder / "golden.npz", golden)
        for file in folder.iterdir():
            file.chmod(0o644)
        print(name, sum(f.stat().st_size for f in folder.iterdir()), "bytes,", {n: round(float(np.abs(x).max()), 2) for n, x in golden.items()}, flush=True)


if __name__ == "__main__":
    main()
