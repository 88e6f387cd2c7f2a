#!/usr/bin/env python3
"""Tiny random decoders with the outputs of a reference implementation (mlx-lm, fp32 on the CPU), one folder each.

A folder is a model in Hugging Face's layout and golden.json: tokens, the residual stream behind every layer and the logits at some
positions, as hexadecimal fp32. Models with experts: those that each token
takes, and by how much. Some folders hold the same weights as GGUF too, written by the package gguf.

    python3 -m venv venv && venv/bin/pip install "mlx[cpu]" mlx-lm gguf && venv/bin/python make_models.py [NAME...]
"""
import importlib
import json
import pathlib
import sys

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
EXPERTS = {"num_experts_per_tok": 2, "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": False,
           "vocab_size": VOCAB}
MODELS["qwen3_moe"] = {**EXPERTS, "model_type": "qwen3_moe", "num_experts": 6, "moe_intermediate_size": 32, "intermediate_size": 64, "norm_topk_prob": True,
                       "decoder_sparse_step": 1, "mlp_only_layers": [], "rope_theta": 1000000.0}
MODELS["qwen3_moe_all"] = {**MODELS["qwen3_moe"], "num_experts": 5, "num_experts_per_tok": 3, "norm_topk_prob": False}
MODELS["gpt_oss"] = {**EXPERTS, "model_type": "gpt_oss", "num_local_experts": 6, "intermediate_size": 64, "rope_theta": 150000.0, "sliding_window": 8,
                     "layer_types": ["sliding_attention", "full_attention"], "attention_bias": True, "swiglu_limit": 7.0, "hidden_act": "silu",
                     "quantization_config": {"quant_method": "mxfp4"},
                     "rope_scaling": {"rope_type": "yarn", "factor": 8.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
                                      "original_max_position_embeddings": 32}}
MODELS["gemma"] = {"model_type": "gemma", "hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
                   "rope_theta": 10000.0, "tie_word_embeddings": True, "hidden_act": "gelu_pytorch_tanh"}
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
    if c["model_type"] in ("qwen3_moe", "gpt_oss"):
        expert_shapes(c, shapes)
    out = {}
    for name, shape in shapes.items():
        norm = name.endswith("norm.weight")
        if name.endswith("_blocks"):
            out[name] = mx.array(rng.integers(0, 256, shape).astype(np.uint8))
            continue
        if name.endswith("_scales"):
            out[name] = mx.array(rng.integers(122, 125, shape).astype(np.uint8))
            continue
        x = rng.normal(1.0 if norm and c["model_type"] != "gemma" else 0.0, 0.2 if norm or name.endswith("bias") else 1.5 * shape[-1] ** -0.5, shape)
        if name.endswith("sinks"):
            x = x * 2 + 1
        if name.endswith(("mlp.gate.weight", "router.weight")):
            x = x * 3
        out[name] = mx.array(x.astype(np.float32)).astype(TYPES[c["torch_dtype"]])
    return out


def expert_shapes(c, shapes):
    """Replaces the dense feed-forward by experts."""
    d, heads, kv, hd = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        for n in ("gate", "up", "down"):
            del shapes[f"{p}mlp.{n}_proj.weight"]
        if c["model_type"] == "qwen3_moe":
            e, f = c["num_experts"], c["moe_intermediate_size"]
            shapes[p + "mlp.gate.weight"] = (e, d)
            shapes[p + "self_attn.q_norm.weight"] = shapes[p + "self_attn.k_norm.weight"] = (hd,)
            for j in range(e):
                shapes[f"{p}mlp.experts.{j}.gate_proj.weight"] = shapes[f"{p}mlp.experts.{j}.up_proj.weight"] = (f, d)
                shapes[f"{p}mlp.experts.{j}.down_proj.weight"] = (d, f)
            continue
        e, f = c["num_local_experts"], c["intermediate_size"]
        for n, rows in {"q": heads * hd, "k": kv * hd, "v": kv * hd, "o": d}.items():
            shapes[f"{p}self_attn.{n}_proj.bias"] = (rows,)
        shapes[p + "self_attn.sinks"] = (heads,)
        shapes[p + "mlp.router.weight"], shapes[p + "mlp.router.bias"] = (e, d), (e,)
        for n, rows, k in (("gate_up", 2 * f, d), ("down", d, f)):
            shapes[f"{p}mlp.experts.{n}_proj_blocks"], shapes[f"{p}mlp.experts.{n}_proj_scales"] = (e, rows, k // 32, 16), (e, rows, k // 32)
            shapes[f"{p}mlp.experts.{n}_proj_bias"] = (e, rows)


E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], dtype=np.float32)


def mxfp4_values(blocks, scales):
    """Codes in pairs of neighbours, low nibble first, and power-of-two scales -> values, as the OCP microscaling specification defines them."""
    b = np.array(blocks)
    codes = np.stack([b & 15, b >> 4], axis=-1).reshape(*b.shape[:-1], 32)
    values = E2M1[codes & 7] * np.where(codes & 8, -1, 1) * np.exp2(np.array(scales).astype(np.float32) - 127)[..., None]
    return values.reshape(*b.shape[:-2], -1).astype(np.float32)


def plain(w):
    """Weights in fp32 under the names of the reference: experts in one tensor of each kind, MXFP4 as values, rows of gate and up apart."""
    out = {}
    for name, x in w.items():
        if name.endswith("_scales"):
            continue
        if name.endswith("_blocks"):
            x = mx.array(mxfp4_values(x, w[name.replace("_blocks", "_scales")]))
            name = name.replace("_blocks", ".weight")
        elif name.endswith("_proj_bias"):
            name = name.replace("_proj_bias", "_proj.bias")
        x = x.astype(mx.float32)
        if "gate_up_proj" in name and "experts" in name:
            out[name.replace("gate_up", "gate")], out[name.replace("gate_up", "up")] = x[:, 0::2], x[:, 1::2]
        else:
            out[name] = x
    return out


def yarn_periods(c):
    """YaRN as gpt-oss publishes it: the ramp between its two borders begins and ends between pairs ("truncate": false), which mlx-lm rounds."""
    s, theta, half = c["rope_scaling"], c["rope_theta"], c["head_dim"] // 2
    def border(turns):
        return half * np.log(s["original_max_position_embeddings"] / (turns * 2 * np.pi)) / np.log(theta)
    low, high = max(border(s["beta_fast"]), 0), min(border(s["beta_slow"]), c["head_dim"] - 1)
    ramp = np.clip((np.arange(half) - low) / (high - low), 0, 1)
    period = theta ** (np.arange(half) / half)
    return mx.array((1 / ((1 - ramp) / period + ramp / (period * s["factor"]))).astype(np.float32))


def router(c, layer, x):
    """The experts of every row, best first, and the gap between the last chosen and the first left out."""
    mlp = layer.mlp
    logits = np.array((mlp.gate if c["model_type"] == "qwen3_moe" else mlp.router)(x)[0])
    order, top = np.argsort(-logits, axis=-1, kind="stable"), c["num_experts_per_tok"]
    best = -np.sort(-logits, axis=-1)
    return order[:, :top], best[:, top - 1] - best[:, top]


def reference(c, w):
    module = importlib.import_module("mlx_lm.models." + c["model_type"])
    if c["model_type"] == "gemma":  # whose configuration asks for GELU by tanh; mlx-lm takes the exact one
        module.nn.gelu = module.nn.gelu_approx
    model = module.Model(module.ModelArgs.from_dict(c))
    w32 = plain(w)
    if c["model_type"] == "qwen3_moe":
        w32 = model.sanitize(w32)
    model.load_weights(list(w32.items()), strict=True)
    ids = [(7 + 89 * i) % VOCAB for i in range(TOKENS)]
    inputs = mx.array([ids])
    inner = model.model
    if c["model_type"] == "gpt_oss":
        for layer in inner.layers:
            layer.self_attn.rope._freqs = yarn_periods(c)
    h = inner.embed_tokens(inputs)
    if c["model_type"] == "gemma":
        h = h * c["hidden_size"] ** 0.5
    layers, routes = [], []
    for i, layer in enumerate(inner.layers):
        slides = getattr(layer, "use_sliding", False) or (c["model_type"] == "gpt_oss" and c["layer_types"][i] == "sliding_attention")
        mask = create_attention_mask(h, None, window_size=c.get("sliding_window") if slides else None)
        if "num_experts_per_tok" in c:
            routes.append(router(c, layer, layer.post_attention_layernorm(h + layer.self_attn(layer.input_layernorm(h), mask, None))))
        h = layer(h, mask, None)
        layers.append(np.array(h[0]))
    logits = np.array(model(inputs)[0])
    again = inner.norm(h)
    again = inner.embed_tokens.as_linear(again) if c["tie_word_embeddings"] else model.lm_head(again)
    assert np.abs(np.array(again[0]) - logits).max() < 1e-5
    return ids, layers, logits, routes


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
    qwen, plain = c["model_type"].startswith("qwen"), c["model_type"].startswith(("qwen", "gpt_oss"))
    if qwen:
        pattern = pattern.replace(r"\p{N}{1,3}", r"\p{N}")
    if c["model_type"] == "gpt_oss":
        begin, end, before, behind = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"[^\r\n\p{L}\p{N}]?", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        pattern = (before + begin + "*" + end + "+" + behind + before + begin + "+" + end + "*" + behind +
                   r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    vocab = {letters[b]: b for b in range(256)}
    vocab.update({"th": 260, "\u0120th": 261})
    added = [{"id": 256 + i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, t in enumerate(["<|begin|>", "<|end|>", "<|turn|>"])]
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [], "special_tokens": {}}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {"version": "1.0", "added_tokens": added, "normalizer": {"type": "NFC"} if qwen else None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}, level]},
            "post_processor": level if plain else {"type": "Sequence", "processors": [level, template]}, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
                      "byte_fallback": False, "ignore_merges": not qwen, "vocab": vocab, "merges": ["t h", "\u0120 th"]}}


GGUF_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm",
              "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
              "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate",
              "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "mlp.gate.": "ffn_gate_inp.", "mlp.router": "ffn_gate_inp",
              "self_attn.sinks": "attn_sinks.weight", "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up"}


def gguf_experts(w):
    """Experts in one tensor of each kind, as converters write them: rows of gate and up apart, codes of a block in pairs 16 apart behind their scale."""
    out = {}
    for name, x in w.items():
        if ".experts." not in name:
            out[name] = x
            continue
        layer, rest = name.split(".mlp.experts.")
        short = layer.replace("model.layers.", "blk.") + ".ffn_"
        if rest.endswith("_blocks"):
            b = np.array(x)
            codes = np.stack([b & 15, b >> 4], axis=-1).reshape(*b.shape[:-1], 32)
            scales = np.array(w[name.replace("_blocks", "_scales")])[..., None]
            raw = np.concatenate([scales, codes[..., :16] | codes[..., 16:] << 4], axis=-1)
            x, kind = mx.array(raw.reshape(*raw.shape[:-2], -1)), "weight"
        elif rest.endswith("_bias"):
            kind = "bias"
        elif rest.startswith("0."):
            part = rest[2:].split("_")[0]
            count = sum(n.startswith(f"{layer}.mlp.experts.") and n.endswith(f".{part}_proj.weight") for n in w)
            out[f"{short}{part}_exps.weight"] = mx.stack([w[f"{layer}.mlp.experts.{j}.{part}_proj.weight"] for j in range(count)])
            continue
        else:
            continue
        if rest.startswith("gate_up"):
            out[f"{short}gate_exps.{kind}"], out[f"{short}up_exps.{kind}"] = x[:, 0::2], x[:, 1::2]
        else:
            out[f"{short}down_exps.{kind}"] = x
    return out


def write_gguf(path, c, w):
    arch, d, heads, kv = c["model_type"], c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    hd = c.get("head_dim") or d // heads
    arch = {"qwen3_moe": "qwen3moe", "gpt_oss": "gpt-oss"}.get(arch, arch)
    g = gguf.GGUFWriter(path, arch)
    g.add_block_count(2), g.add_embedding_length(d), g.add_head_count(heads), g.add_head_count_kv(kv), g.add_feed_forward_length(c["intermediate_size"])
    g.add_context_length(128), g.add_layer_norm_rms_eps(c["rms_norm_eps"]), g.add_rope_freq_base(c["rope_theta"])
    g.add_key_length(hd), g.add_value_length(hd)
    if "num_experts_per_tok" in c:
        g.add_expert_count(c.get("num_experts") or c["num_local_experts"]), g.add_expert_used_count(c["num_experts_per_tok"])
        g.add_expert_feed_forward_length(c.get("moe_intermediate_size") or c["intermediate_size"])
    if arch == "gpt-oss":
        s = c["rope_scaling"]
        g.add_sliding_window(c["sliding_window"]), g.add_rope_scaling_type(gguf.RopeScalingType.YARN), g.add_rope_scaling_factor(s["factor"])
        g.add_rope_scaling_orig_ctx_len(s["original_max_position_embeddings"])
    if not arch.startswith("qwen3"):
        g.add_rope_dimension_count(int(hd * c.get("partial_rotary_factor", 1)))
    letters = alphabet()
    tokens = [letters[b] for b in range(256)] + ["<|begin|>", "<|end|>", "<|turn|>", "[259]", "th", "\u0120th", "[262]", "[263]"]
    g.add_tokenizer_model("gpt2"), g.add_tokenizer_pre({"llama": "llama-bpe", "gpt-oss": "gpt-4o"}.get(arch, "qwen2")), g.add_token_list(tokens)
    g.add_token_types([1] * 256 + [3, 3, 3, 5, 1, 1, 5, 5]), g.add_token_merges(["t h", "\u0120 th"])
    g.add_bos_token_id(256), g.add_eos_token_id(257), g.add_eot_token_id(258)
    for name, x in (gguf_experts(w) if "num_experts_per_tok" in c else w).items():
        if name.endswith("_exps.weight") and x.dtype == mx.uint8:
            g.add_tensor(name, np.array(x), raw_dtype=gguf.GGMLQuantizationType.MXFP4)
            continue
        x, short = np.array(x.astype(mx.float32)), name
        if arch == "gemma" and name.endswith("norm.weight"):
            x = x + 1
        if arch == "gpt-oss":
            short = short.replace("post_attention_layernorm", "post_attention_norm")
        for here, there in GGUF_NAMES.items():
            short = short.replace(here, there)
        short = short.replace("model.layers.", "blk.")
        if arch == "llama" and ("attn_q." in short or "attn_k." in short):  # interleaved pairs, as converters write them
            n = x.shape[0] // hd
            x = x.reshape(n, 2, hd // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)
        kind = gguf.GGMLQuantizationType.F32 if x.ndim == 1 or "_inp" in short or short.endswith("bias") else gguf.GGMLQuantizationType.BF16
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
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        c = {**BASE, **special}
        w = weights(c, np.random.default_rng(100 + seed))
        ids, layers, logits, routes = reference(c, w)
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
        if name in ("llama", "qwen3", "phi3", "qwen3_moe", "gpt_oss", "gemma"):
            write_gguf(folder / "model.gguf", c, w)
        golden = {"ids": ids, "positions": POSITIONS, "layers": [[hexed(l[p]) for l in layers] for p in POSITIONS], "logits": [hexed(logits[p]) for p in POSITIONS]}
        if routes:
            golden["experts"] = [[r[0][p].tolist() for r in routes] for p in range(TOKENS)]
            golden["gaps"] = [[round(float(r[1][p]), 5) for r in routes] for p in range(TOKENS)]
        (folder / "golden.json").write_text(json.dumps(golden) + "\n")
        print(name, sum(f.stat().st_size for f in folder.iterdir()), "bytes, logits of size", np.abs(logits).max())


if __name__ == "__main__":
    main()
