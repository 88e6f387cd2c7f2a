"""A folder's model as GGUF: names by the package gguf's own table, rows and values as converters for llama.cpp put them."""
import gguf
import numpy as np
import tiny_tokenizer

ARCHITECTURES = {"qwen2_moe": "qwen2moe", "qwen3_moe": "qwen3moe", "gpt_oss": "gpt-oss", "phi": "phi2", "gemma3_text": "gemma3"}


def interleaved(x, hd):
    """Rows i and i + half of each head side by side, as llama's files have them."""
    n = x.shape[0] // hd
    return x.reshape(n, 2, hd // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def factors_llama3(c, hd):
    s = c["rope_parameters"]
    freq = s["rope_theta"] ** -(np.arange(0, hd, 2) / hd)
    smooth = np.clip((s["original_max_position_embeddings"] * freq / (2 * np.pi) - s["low_freq_factor"]) / (s["high_freq_factor"] - s["low_freq_factor"]), 0, 1)
    return (1 / (smooth + (1 - smooth) / s["factor"])).astype(np.float32)


def experts(w):
    """Experts in one tensor of each kind: rows of gate and up apart, codes of a block in pairs 16 apart behind their scale."""
    out, lists = {}, {}
    for name, x in w.items():
        if ".experts." not in name:
            out[name] = x
            continue
        layer, rest = name.split(".mlp.experts.")
        short = layer.replace("model.layers.", "blk.") + ".ffn_"
        if rest.endswith("_scales"):
            continue
        if rest.endswith("_blocks"):
            codes = np.stack([x & 15, x >> 4], axis=-1).reshape(*x.shape[:-1], 32)
            raw = np.concatenate([w[name.replace("_blocks", "_scales")][..., None], codes[..., :16] | codes[..., 16:] << 4], axis=-1)
            x, kind = raw.reshape(*raw.shape[:-2], -1), "weight"
        elif rest.endswith("_bias"):
            kind = "bias"
        else:
            number, part, _ = rest.split(".")
            lists.setdefault(f"{short}{part.split('_')[0]}_exps.weight", {})[int(number)] = x
            continue
        if rest.startswith("gate_up"):
            out[f"{short}gate_exps.{kind}"], out[f"{short}up_exps.{kind}"] = x[:, 0::2], x[:, 1::2]
        else:
            out[f"{short}down_exps.{kind}"] = x
    out.update({name: np.stack([parts[i] for i in sorted(parts)]) for name, parts in lists.items()})
    return out


def metadata(g, c, arch):
    size = lambda *names: next(c[n] for n in names if c.get(n) is not None)
    d, heads = size("hidden_size", "n_embd"), size("num_attention_heads", "n_head")
    hd = c.get("head_dim") or d // heads
    rope = {**c, **(c.get("rope_parameters") or {})}
    rope.update(rope.get("full_attention") or {})
    g.add_block_count(size("num_hidden_layers", "n_layer")), g.add_embedding_length(d), g.add_head_count(heads)
    g.add_head_count_kv(c.get("num_key_value_heads") or heads)
    g.add_feed_forward_length(c.get("intermediate_size") or c.get("n_inner") or 4 * d), g.add_context_length(size("max_position_embeddings", "n_positions"))
    if "layer_norm_eps" in c or "layer_norm_epsilon" in c:
        g.add_layer_norm_eps(size("layer_norm_eps", "layer_norm_epsilon"))
    else:
        g.add_layer_norm_rms_eps(c["rms_norm_eps"])
    if "rope_theta" in rope:
        g.add_rope_freq_base(rope["rope_theta"])
    if arch not in ("gpt2", "phi2"):
        g.add_key_length(hd), g.add_value_length(hd)
    if c.get("num_experts_per_tok"):
        g.add_expert_count(size("num_experts", "num_local_experts")), g.add_expert_used_count(c["num_experts_per_tok"])
        if c.get("shared_expert_intermediate_size"):
            g.add_expert_shared_feed_forward_length(c["shared_expert_intermediate_size"])
        g.add_expert_feed_forward_length(size("moe_intermediate_size", "intermediate_size"))
    if arch == "gpt-oss":
        g.add_rope_scaling_type(gguf.RopeScalingType.YARN), g.add_rope_scaling_factor(rope["factor"])
        g.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if arch in ("gpt-oss", "gemma2", "gemma3"):
        g.add_sliding_window(c["sliding_window"])
    if arch == "gemma2":
        g.add_attn_logit_softcapping(c["attn_logit_softcapping"]), g.add_final_logit_softcapping(c["final_logit_softcapping"])
    if arch == "gemma3":
        g.add_rope_scaling_type(gguf.RopeScalingType.LINEAR), g.add_rope_scaling_factor(rope["factor"])
    if arch in ("llama", "phi3", "phi2", "gpt-oss"):
        g.add_rope_dimension_count(int(hd * rope.get("partial_rotary_factor", 1)))
    return hd


def write(path, c, w):
    """c: config.json as a dictionary; w: tensors by the folder's names, as arrays of fp32 (codes and scales of MXFP4: bytes)."""
    arch = ARCHITECTURES.get(c["model_type"], c["model_type"])
    g = gguf.GGUFWriter(path, arch)
    hd = metadata(g, c, arch)
    tiny_tokenizer.add_to(g, c["model_type"])
    number = next(i for i, n in gguf.MODEL_ARCH_NAMES.items() if n == arch)
    names, dense = gguf.get_tensor_name_map(number, 8), gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 8)  # of layers without experts
    for name, x in experts(w).items():
        short = name if name.startswith("blk.") else names.get_name(name, try_suffixes=(".weight", ".bias")) or dense.get_name(name, try_suffixes=(".weight", ".bias"))
        if name.endswith(".sinks"):
            short = names.get_name(name) + ".weight"
        if x.dtype == np.uint8:
            g.add_tensor(short, np.ascontiguousarray(x), raw_dtype=gguf.GGMLQuantizationType.MXFP4)
            continue
        if arch.startswith("gemma") and name.endswith("norm.weight"):
            x = x + 1
        if name.endswith("shared_expert_gate.weight"):
            x = x[0]
        if arch == "gpt2" and x.ndim == 2 and ".h." in name:
            x = x.T
        if arch == "llama" and ("attn_q." in short or "attn_k." in short):
            x = interleaved(x, hd)
        kind = gguf.GGMLQuantizationType.F32 if x.ndim == 1 or "_inp" in short or short.endswith("bias") else gguf.GGMLQuantizationType.BF16
        g.add_tensor(short, gguf.quants.quantize(np.ascontiguousarray(x), kind), raw_dtype=kind)
    if arch == "llama":
        g.add_tensor("rope_freqs.weight", factors_llama3(c, hd))
    g.write_header_to_file(), g.write_kv_data_to_file(), g.write_tensors_to_file(), g.close()
