#!/usr/bin/env python3
"""Tiny random decoders made with the reference implementation (PyTorch and transformers, fp32 on the CPU), one folder each, as it saves them.

A folder holds the model in Hugging Face's layout and golden.npz: ids; `layers`, the residual stream of every token behind every layer; `logits`
of the tokens at `positions`; for models with experts those that each token takes in each layer, and by how much (`gaps`). Some folders hold
the same weights as GGUF too.

    python3 -m venv venv && venv/bin/pip install torch transformers safetensors gguf && venv/bin/python make_models.py [NAME...]
"""
import io
import json
import pathlib
import sys
import zipfile

import numpy as np
import safetensors.torch
import tiny_gguf
import torch
import transformers
from tiny_tokenizer import VOCAB, tokenizer

HERE = pathlib.Path(__file__).resolve().parent
TOKENS = 24
POSITIONS = [0, 5, 16, 23]
BASE = {"num_hidden_layers": 2, "vocab_size": VOCAB, "max_position_embeddings": 128, "rms_norm_eps": 1e-6, "bos_token_id": 256, "eos_token_id": [257, 258],
        "pad_token_id": None}


def sizes(width, ffn, heads, kv, **more):
    return {"hidden_size": width, "intermediate_size": ffn, "num_attention_heads": heads, "num_key_value_heads": kv, **more}


def rope(theta, kind="default", **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **more}}


EXPERTS = sizes(32, 64, 4, 2, head_dim=16, tie_word_embeddings=True, num_experts_per_tok=2)
QWEN3_MOE = {**EXPERTS, "model_type": "qwen3_moe", "num_experts": 6, "moe_intermediate_size": 32, "norm_topk_prob": True, "decoder_sparse_step": 1,
             "mlp_only_layers": [], **rope(1e6)}
SHARED = sizes(32, 96, 4, 2, tie_word_embeddings=False, num_hidden_layers=4, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=64,
               norm_topk_prob=False, **rope(1e6))
# As the configuration class takes them; besides: "save" (type of the weights, bfloat16 unless it says so), "shard" (bytes), "older" (keys of
# config.json as older files have them, and the keys that they replace), "gguf".
MODELS = {
    "llama": {"model_type": "llama", **sizes(32, 96, 4, 2), "tie_word_embeddings": False, "rms_norm_eps": 1e-5, "gguf": True,
              **rope(1e4, "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)},
    "llama_yarn": {"model_type": "llama", **sizes(32, 64, 2, 1), "tie_word_embeddings": True,
                   **rope(1e4, "yarn", factor=4.0, original_max_position_embeddings=32)},
    "llama_linear": {"model_type": "llama", **sizes(40, 56, 2, 2, head_dim=24), "tie_word_embeddings": True, "save": "float16", "shard": 50000,
                     **rope(500.0, "linear", factor=2.0), "older": {"rope_parameters": None, "rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 2.0}}},
    "mistral": {"model_type": "mistral", **sizes(32, 64, 2, 1), "tie_word_embeddings": True, "sliding_window": 10, **rope(1e4)},
    "qwen2": {"model_type": "qwen2", **sizes(36, 56, 3, 1), "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": 16, "save": "float32",
              **rope(1e6)},
    "qwen2_sliding": {"model_type": "qwen2", **sizes(32, 64, 2, 1), "tie_word_embeddings": True, "use_sliding_window": True, "sliding_window": 10,
                      "max_window_layers": 1, **rope(1e4)},
    "qwen3": {"model_type": "qwen3", **sizes(32, 56, 4, 2, head_dim=32), "tie_word_embeddings": True, "gguf": True, **rope(1e6)},
    "phi3": {"model_type": "phi3", **sizes(32, 64, 2, 1), "tie_word_embeddings": False, "gguf": True, "sliding_window": None,
             **rope(1e4, partial_rotary_factor=0.5)},
    "qwen3_moe": {**QWEN3_MOE, "gguf": True},
    "qwen3_moe_all": {**QWEN3_MOE, "num_experts": 5, "num_experts_per_tok": 3, "norm_topk_prob": False},
    "gpt_oss": {"model_type": "gpt_oss", **EXPERTS, "num_local_experts": 6, "sliding_window": 8, "gguf": True,
                "layer_types": ["sliding_attention", "full_attention"],
                **rope(150000.0, "yarn", factor=8.0, beta_fast=32.0, beta_slow=1.0, truncate=False, original_max_position_embeddings=32)},
    "gemma": {"model_type": "gemma", **sizes(40, 64, 2, 1, head_dim=32), "tie_word_embeddings": True, "gguf": True, **rope(1e4)},
    "gpt2": {"model_type": "gpt2", "n_layer": 2, "n_embd": 40, "n_head": 4, "n_inner": 96, "n_positions": 128, "gguf": True},
    "phi": {"model_type": "phi", **sizes(32, 80, 2, 2), "layer_norm_eps": 1e-5, "hidden_act": "gelu_new", "tie_word_embeddings": False, "gguf": True,
            **rope(1e4, partial_rotary_factor=0.5)},
    "gemma2": {"model_type": "gemma2", **sizes(40, 64, 2, 1, head_dim=24), "tie_word_embeddings": True, "query_pre_attn_scalar": 24, "sliding_window": 10,
               "attn_logit_softcapping": 5.0, "final_logit_softcapping": 6.0, "gguf": True, **rope(1e4)},
    "gemma3": {"model_type": "gemma3_text", **sizes(32, 48, 2, 1, head_dim=16), "num_hidden_layers": 7, "tie_word_embeddings": True, "query_pre_attn_scalar": 16,
               "sliding_window": 9, "gguf": True,
               "rope_parameters": {"full_attention": {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0},
                                   "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}},
}
MODELS.update({
    "qwen2_moe": {"model_type": "qwen2_moe", **SHARED, "decoder_sparse_step": 2, "mlp_only_layers": [], "gguf": True},
    "qwen2_moe_all": {"model_type": "qwen2_moe", **SHARED, "num_hidden_layers": 2, "num_experts": 5, "num_experts_per_tok": 3, "decoder_sparse_step": 1,
                      "mlp_only_layers": [], "norm_topk_prob": True, "tie_word_embeddings": True},
    "qwen3_moe_some": {**QWEN3_MOE, "num_hidden_layers": 4, "intermediate_size": 96, "mlp_only_layers": [0, 2], "gguf": True},
})
E2M1 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def mxfp4(rng, shape):
    """Random codes and scales [..., k / 32, 16] and [..., k / 32] and their values [..., k]: pairs of neighbours, the low nibble first."""
    blocks = torch.from_numpy(rng.integers(0, 256, (*shape[:-1], shape[-1] // 32, 16), dtype=np.uint8))
    scales = torch.from_numpy(rng.integers(122, 125, (*shape[:-1], shape[-1] // 32), dtype=np.uint8))
    codes = torch.stack([blocks & 15, blocks >> 4], -1).flatten(-2)
    values = E2M1[(codes & 7).long()] * torch.where(codes >= 8, -1.0, 1.0) * torch.exp2(scales.float() - 127)[..., None]
    return blocks, scales, values.flatten(-2)


def fill(model, kind, rng, dtype):
    """Random weights that `dtype` holds exactly. Returns what is saved under other names: the blocks of MXFP4."""
    blocks = {}
    for name, p in model.named_parameters():
        if kind == "gpt_oss" and name.endswith(("gate_up_proj", "down_proj")):
            b, s, values = mxfp4(rng, (p.shape[0], p.shape[2], p.shape[1]))
            p.data = values.transpose(1, 2).contiguous()
            blocks[name + "_blocks"], blocks[name + "_scales"] = b, s
            continue
        norm, vector = "norm" in name or ".ln_" in name, p.ndim == 1 or name.endswith("_bias")
        k = p.shape[0] if kind == "gpt2" and p.ndim == 2 and ".h." in name else p.shape[-1]
        middle = 1.0 if norm and name.endswith("weight") and not kind.startswith("gemma") else 0.0
        x = rng.normal(middle, 0.2 if vector else 1.5 * k ** -0.5, p.shape)
        if name.endswith("sinks"):
            x = x * 2 + 1
        if name.endswith(("mlp.gate.weight", "router.weight")):
            x = x * 6  # close choices are few
        p.data = torch.from_numpy(x.astype(np.float32)).to(dtype).float()
    return blocks


def reference(model, layers):
    """Runs the model; `layers` are its blocks."""
    ids = [(7 + 89 * i) % VOCAB for i in range(TOKENS)]
    stream, routes = [None] * len(layers), {}
    for i, layer in enumerate(layers):
        layer.register_forward_hook(lambda _, __, y, i=i: stream.__setitem__(i, y[0] if isinstance(y, tuple) else y))
        router = getattr(layer.mlp, "router", None) or getattr(layer.mlp, "gate", None)
        if router is not None:
            router.register_forward_hook(lambda _, __, y, i=i: routes.__setitem__(i, y[0]))
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].numpy()
    golden = {"ids": np.array(ids, dtype=np.int32), "positions": np.array(POSITIONS, dtype=np.int32),
              "layers": np.stack([s[0].numpy() for s in stream], axis=1), "logits": logits[POSITIONS]}
    if routes:
        top = model.config.num_experts_per_tok
        order = np.stack([np.argsort(-routes[i].numpy(), axis=-1, kind="stable")[:, :top] for i in sorted(routes)], axis=1)
        best = np.stack([-np.sort(-routes[i].numpy(), axis=-1) for i in sorted(routes)], axis=1)
        golden.update({"experts": order.astype(np.int32), "gaps": (best[..., top - 1] - best[..., top]).astype(np.float32)})
    return golden


def write_arrays(path, arrays):
    """Without the time of day: the same file every time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, x in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.ascontiguousarray(x))
            entry = zipfile.ZipInfo(name + ".npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, data.getvalue())


def blocks_of(model):
    inner = model.model if hasattr(model, "model") else model.transformer
    return inner.layers if hasattr(inner, "layers") else inner.h


def save(folder, model, c, blocks, dtype, special):
    folder.mkdir(exist_ok=True)
    for old in [*folder.glob("model*"), *folder.glob("golden*")]:
        old.unlink()
    model.to(dtype).save_pretrained(folder, max_shard_size=special.get("shard", 1 << 30))
    (folder / "generation_config.json").unlink(missing_ok=True)
    if blocks:
        file = folder / "model.safetensors"
        w = {n: x for n, x in safetensors.torch.load_file(file).items() if n + "_blocks" not in blocks}
        safetensors.torch.save_file({**w, **blocks}, file, {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config.update(special.get("older", {}))
    if blocks:
        config["quantization_config"] = {"quant_method": "mxfp4"}
    config = {k: v for k, v in config.items() if not (k in special.get("older", {}) and v is None)}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(c["model_type"])) + "\n")
    if special.get("gguf"):
        w = {}
        for file in sorted(folder.glob("model*.safetensors")):
            w.update({n: x.numpy() if x.dtype == torch.uint8 else x.float().numpy() for n, x in safetensors.torch.load_file(file).items()})
        tiny_gguf.write(folder / "model.gguf", config, w)
    for file in folder.iterdir():
        file.chmod(0o644)


def main():
    for seed, (name, special) in enumerate(MODELS.items()):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        base = {k: v for k, v in BASE.items() if special["model_type"] != "gpt2" or not k.startswith(("num_", "max_", "rms_"))}
        c = {**base, **{k: v for k, v in special.items() if k not in ("save", "shard", "older", "gguf")}}
        dtype = getattr(torch, special.get("save", "bfloat16"))
        config = transformers.AutoConfig.for_model(c.pop("model_type"), **c)
        c["model_type"] = config.model_type
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
        blocks = fill(model, config.model_type, np.random.default_rng(100 + seed), dtype)
        golden = reference(model, blocks_of(model))
        save(HERE / name, model, c, blocks, dtype, special)
        write_arrays(HERE / name / "golden.npz", golden)
        print(name, sum(f.stat().st_size for f in (HERE / name).iterdir()), "bytes, logits of size", np.abs(golden["logits"]).max(), flush=True)


if __name__ == "__main__":
    main()
