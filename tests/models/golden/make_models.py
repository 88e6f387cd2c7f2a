#!/usr/bin/env python3
"""Tiny random decoders with the outputs of a reference implementation (mlx-lm, fp32 on the CPU), one folder each.

A folder is a model in Hugging Face's layout and golden.json: tokens, the residual stream behind every layer and the logits at some
positions, as hexadecimal fp32. llama/, qwen3/ and phi3/ hold the same weights as GGUF too, written by the package gguf.

    python3 -m venv venv && venv/bin/pip install "mlx[cpu]" mlx-lm gguf && venv/bin/python make_models.py
"""
import importlib
import json
import pathlib

import gguf
import mlx.core as mx
import numpy as np
from mlx_lm.models.base import create_attention_mask

HERE = pathlib.Path(__file__).resolve().parent
VOCAB = 264
TOKENS = 24
POSITIONS = [0, 5, 16, 23]
BASE = {"num_hidden_layers": 2, "vocab_size": VOCAB, "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "hidden_act": "silu", "bos_token_id": 256,
        "eos_token_id": [257, 258], "torch_dtype": "bfloat16"}
MODELS = {
    "llama": {"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2, "rope_theta": 10000.0,
              "tie_word_embeddings": False, "attention_bias": False, "rms_norm_eps": 1e-5,
              "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}},
    "llama_yarn": {"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "rope_theta": 10000.0,
                   "tie_word_embeddings": True, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}},
    "llama_linear": {"model_type": "llama", "hidden_size": 40, "intermediate_size": 56, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 24,
                     "rope_theta": 500.0, "tie_word_embeddings": True, "rope_scaling": {"type": "linear", "factor": 2.0}, "torch_dtype": "float16"},
    "qwen2": {"model_type": "qwen2", "hidden_size": 48, "intermediate_size": 80, "num_attention_heads": 3, "num_key_value_heads": 1, "rope_theta": 1000000.0,
              "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": 16, "torch_dtype": "float32"},
    "qwen3": {"model_type": "qwen3", "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
              "rope_theta": 1000000.0, "tie_word_embeddings": True, "attention_bias": False},
    "llama_sliding": {"model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1,
                      "rope_theta": 10000.0, "tie_word_embeddings": True, "sliding_window": 10, "layer_types": ["sliding_attention", "full_attention"]},
}
MODELS["phi3"] = {"model_type": "phi3", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "rope_theta": 10000.0,
                  "tie_word_embeddings": False, "partial_rotary_factor": 0.5}
TYPES = {"bfloat16": mx.bfloat16, "float16": mx.float16, "float32": mx.float32}


def weights(c, rng):
    d, f, heads, kv = c["hidden_size"], c["intermediate_size"], c["num_attention_heads"], c["num_key_value_heads"]
    hd = c.get("head_dim") or d // heads
    shapes = {"model.embed_tokens.weight": (VOCAB, d), "model.norm.weight": (d,)}
    if not c["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (VOCAB, d)
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        for n, s in {"input_layernorm": (d,), "post_attention_layernorm": (d,), "self_attn.q_proj": (heads * hd, d), "self_attn.k_proj": (kv * hd, d),
                     "self_attn.v_proj": (kv * hd, d), "self_attn.o_proj": (d, heads * hd), "mlp.gate_proj": (f, d), "mlp.up_proj": (f, d),
                     "mlp.down_proj": (d, f)}.items():
            shapes[f"{p}{n}.weight"] = s
        if c["model_type"] == "phi3":
            for parts, whole, rows in ((("q", "k", "v"), "self_attn.qkv", (heads + 2 * kv) * hd), (("gate", "up"), "mlp.gate_up", 2 * f)):
                for n in parts:
                    del shapes[f"{p}{whole.split('.')[0]}.{n}_proj.weight"]
                shapes[f"{p}{whole}_proj.weight"] = (rows, d)
        if c["model_type"] == "qwen2":
            for n, rows in {"q": heads * hd, "k": kv * hd, "v": kv * hd}.items():
                shapes[f"{p}self_attn.{n}_proj.bias"] = (rows,)
        if c["model_type"] == "qwen3":
            shapes[p + "self_attn.q_norm.weight"] = shapes[p + "self_attn.k_norm.weight"] = (hd,)
    out = {}
    for name, shape in shapes.items():
        norm = name.endswith("norm.weight")
        x = rng.normal(1.0 if norm else 0.0, 0.2 if norm or name.endswith("bias") else 1.5 * shape[-1] ** -0.5, shape)
        out[name] = mx.array(x.astype(np.float32)).astype(TYPES[c["torch_dtype"]])
    return out


def reference(c, w):
    module = importlib.import_module("mlx_lm.models." + c["model_type"])
    model = module.Model(module.ModelArgs.from_dict(c))
    w32 = {k: v.astype(mx.float32) for k, v in w.items()}
    model.load_weights(list(w32.items()), strict=True)
    ids = [(7 + 89 * i) % VOCAB for i in range(TOKENS)]
    inputs = mx.array([ids])
    inner = model.model
    h = inner.embed_tokens(inputs)
    layers = []
    for layer in inner.layers:
        window = c.get("sliding_window") if getattr(layer, "use_sliding", False) else None
        h = layer(h, create_attention_mask(h, None, window_size=window), None)
        layers.append(np.array(h[0]))
    logits = np.array(model(inputs)[0])
    again = inner.norm(h)
    again = inner.embed_tokens.as_linear(again) if c["tie_word_embeddings"] else model.lm_head(again)
    assert np.abs(np.array(again[0]) - logits).max() < 1e-5
    return ids, layers, logits


def hexed(x):
    return np.ascontiguousarray(x, dtype="<f4").tobytes().hex()


def alphabet():
    """The 256 letters that stand for bytes, in the order of GPT-2."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in keep]
    return {**{b: chr(b) for b in keep}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def tokenizer(c):
    letters = alphabet()
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    qwen = c["model_type"].startswith("qwen")
    if qwen:
        pattern = pattern.replace(r"\p{N}{1,3}", r"\p{N}")
    vocab = {letters[b]: b for b in range(256)}
    vocab.update({"th": 260, "\u0120th": 261})
    added = [{"id": 256 + i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, t in enumerate(["<|begin|>", "<|end|>", "<|turn|>"])]
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [], "special_tokens": {}}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {"version": "1.0", "added_tokens": added, "normalizer": {"type": "NFC"} if qwen else None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}, level]},
            "post_processor": level if qwen else {"type": "Sequence", "processors": [level, template]}, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
                      "byte_fallback": False, "ignore_merges": not qwen, "vocab": vocab, "merges": ["t h", "\u0120 th"]}}


GGUF_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm",
              "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
              "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate",
              "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up"}


def write_gguf(path, c, w):
    arch, d, heads, kv = c["model_type"], c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    hd = c.get("head_dim") or d // heads
    g = gguf.GGUFWriter(path, arch)
    g.add_block_count(2), g.add_embedding_length(d), g.add_head_count(heads), g.add_head_count_kv(kv), g.add_feed_forward_length(c["intermediate_size"])
    g.add_context_length(128), g.add_layer_norm_rms_eps(c["rms_norm_eps"]), g.add_rope_freq_base(c["rope_theta"])
    g.add_key_length(hd), g.add_value_length(hd)
    if arch != "qwen3":
        g.add_rope_dimension_count(int(hd * c.get("partial_rotary_factor", 1)))
    letters = alphabet()
    tokens = [letters[b] for b in range(256)] + ["<|begin|>", "<|end|>", "<|turn|>", "[259]", "th", "\u0120th", "[262]", "[263]"]
    g.add_tokenizer_model("gpt2"), g.add_tokenizer_pre("llama-bpe" if arch == "llama" else "qwen2"), g.add_token_list(tokens)
    g.add_token_types([1] * 256 + [3, 3, 3, 5, 1, 1, 5, 5]), g.add_token_merges(["t h", "\u0120 th"])
    g.add_bos_token_id(256), g.add_eos_token_id(257), g.add_eot_token_id(258)
    for name, x in w.items():
        x, short = np.array(x.astype(mx.float32)), name
        for here, there in GGUF_NAMES.items():
            short = short.replace(here, there)
        short = short.replace("model.layers.", "blk.")
        if arch == "llama" and ("attn_q." in short or "attn_k." in short):  # interleaved pairs, as converters write them
            n = x.shape[0] // hd
            x = x.reshape(n, 2, hd // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)
        kind = gguf.GGMLQuantizationType.F32 if x.ndim == 1 else gguf.GGMLQuantizationType.BF16
        g.add_tensor(short, gguf.quants.quantize(x, kind), raw_dtype=kind)
    if arch == "llama":
        s, freq = c["rope_scaling"], c["rope_theta"] ** -(np.arange(0, hd, 2) / hd)
        factors = []
        for f in freq:
            wave = 2 * np.pi / f
            low, high, original = s["low_freq_factor"], s["high_freq_factor"], s["original_max_position_embeddings"]
            smooth = np.clip((original / wave - low) / (high - low), 0, 1)
            factors.append(1 / (smooth + (1 - smooth) / s["factor"]))
        g.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    g.write_header_to_file(), g.write_kv_data_to_file(), g.write_tensors_to_file(), g.close()


def main():
    mx.set_default_device(mx.cpu)
    for seed, (name, special) in enumerate(MODELS.items()):
        c = {**BASE, **special}
        w = weights(c, np.random.default_rng(100 + seed))
        ids, layers, logits = reference(c, w)
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(c, indent=2) + "\n")
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer(c)) + "\n")
        if name == "llama_linear":  # in two shards
            names = sorted(w)
            files = {n: f"model-0000{1 if i < len(names) // 2 else 2}-of-00002.safetensors" for i, n in enumerate(names)}
            for file in sorted(set(files.values())):
                mx.save_safetensors(str(folder / file), {n: w[n] for n in names if files[n] == file}, {"format": "pt"})
            (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}, indent=1) + "\n")
        else:
            mx.save_safetensors(str(folder / "model.safetensors"), w, {"format": "pt"})
        if name in ("llama", "qwen3", "phi3"):
            write_gguf(folder / "model.gguf", c, w)
        golden = {"ids": ids, "positions": POSITIONS, "layers": [[hexed(l[p]) for l in layers] for p in POSITIONS], "logits": [hexed(logits[p]) for p in POSITIONS]}
        (folder / "golden.json").write_text(json.dumps(golden) + "\n")
        print(name, sum(f.stat().st_size for f in folder.iterdir()), "bytes, logits of size", np.abs(logits).max())


if __name__ == "__main__":
    main()
