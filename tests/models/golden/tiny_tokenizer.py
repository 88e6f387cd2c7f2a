"""A byte-level tokenizer of 264 tokens (bytes, three control tokens, two merges) as tokenizer.json and as GGUF's metadata."""
import gguf

VOCAB = 264
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BEGIN, END, BEFORE, BEHIND = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"[^\r\n\p{L}\p{N}]?", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
GPT4O = (BEFORE + BEGIN + "*" + END + "+" + BEHIND + BEFORE + BEGIN + "+" + END + "*" + BEHIND +
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PATTERNS = {"gpt-2": GPT2, "llama-bpe": LLAMA, "qwen2": LLAMA.replace(r"\p{N}{1,3}", r"\p{N}"), "gpt-4o": GPT4O}


def pattern_of(kind):
    """The word pattern of a model type, by GGUF's name."""
    return {"gpt_oss": "gpt-4o", "gpt2": "gpt-2", "phi": "gpt-2"}.get(kind, "qwen2" if kind.startswith("qwen") else "llama-bpe")


def alphabet():
    """The 256 letters that stand for bytes, in the order of GPT-2."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in keep]
    return {**{b: chr(b) for b in keep}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def tokenizer(kind):
    letters, name = alphabet(), pattern_of(kind)
    vocab = {letters[b]: b for b in range(256)}
    vocab.update({"th": 260, "\u0120th": 261})
    added = [{"id": 256 + i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, t in enumerate(["<|begin|>", "<|end|>", "<|turn|>"])]
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [], "special_tokens": {}}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": PATTERNS[name]}, "behavior": "Isolated", "invert": False}
    return {"version": "1.0", "added_tokens": added, "normalizer": {"type": "NFC"} if name == "qwen2" else None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
            "post_processor": {"type": "Sequence", "processors": [level, template]} if name == "llama-bpe" else level, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False,
                      "byte_fallback": False, "ignore_merges": name != "qwen2", "vocab": vocab, "merges": ["t h", "\u0120 th"]}}


def add_to(g, kind):
    """The same in a GGUF file."""
    letters = alphabet()
    tokens = [letters[b] for b in range(256)] + ["<|begin|>", "<|end|>", "<|turn|>", "[259]", "th", "\u0120th", "[262]", "[263]"]
    g.add_tokenizer_model("gpt2"), g.add_tokenizer_pre(pattern_of(kind)), g.add_token_list(tokens)
    normal, control, unused = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL, gguf.TokenType.UNUSED
    g.add_token_types([normal] * 256 + [control] * 3 + [unused, normal, normal, unused, unused]), g.add_token_merges(["t h", "\u0120 th"])
    g.add_bos_token_id(256), g.add_eos_token_id(257), g.add_eot_token_id(258)
