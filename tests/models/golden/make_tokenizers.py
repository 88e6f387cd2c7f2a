#!/usr/bin/env python3
"""Golden ids of tokenizers, by the Python package tokenizers: tokenizers.json, fallback_tokenizer.json and word_pieces.json.

Small vocabularies are trained on the project's own text; the cases are chosen to meet every branch of the word patterns.

    python3 -m venv venv && venv/bin/pip install tokenizers && venv/bin/python make_tokenizers.py
"""
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).resolve().parent
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BEGIN, END, SHORT = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
GPT4O = (rf"[^\r\n\p{{L}}\p{{N}}]?{BEGIN}*{END}+{SHORT}|[^\r\n\p{{L}}\p{{N}}]?{BEGIN}+{END}*{SHORT}|\p{{N}}{{1,3}}"
         r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PATTERNS = {
    "gpt-2": [GPT2],
    "llama-bpe": [LLAMA3],
    "qwen2": [LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")],
    "smollm": [r"\p{N}", GPT2],
    "gpt-4o": [GPT4O],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"],
}
CASES = [
    "Hello, world!", "", " ", "   ", "a", " a", "  a", "a  b", "\n", "\n\n", " \n", " \n ", "a\n b", "a \n\n  b\r\n\r\nc", "x\t\ty\t", "\t\n\tend  ",
    "It's he'll we've I'm they're you'd don't", "IT'S HE'LL WE'VE I'M THEY'RE YOU'D DON'T", "'s 't' 'x ''re '", "o'clock rock'n'roll 'tis 'Tis",
    "1 12 123 1234 12345 1234567 3.14159 1,000,000", "v2.0-rc1 x86_64 a1b2c3 42nd", "²³ ½ Ⅷ ٣٤٥ १२३४", "!!! ... ?!\n\n--- $5+5=10 <a|b> ~^~ \"q\" (x)[y]{z}",
    "tab\tand\u00a0nbsp\u2003em\u3000cjk space", "caf\u00e9 cafe\u0301 \u00c5 A\u030a n\u0303", "Straße ÑANDÚ Привет мир γειά こんにちは世界 안녕하세요 שלום",
    "e\u0301\u0301 \u0928\u092e\u0938\u094d\u0924\u0947", "😀👍🏽 👨‍👩‍👧 🇰🇷", "if (x<=10) { return y; }  // done\n", "Once upon a time, there was a little girl named Lily.",
    "endless " * 6, "aaaaaaaaaaaaaaaaaaaaaaaa", "mixed\u2028line\u2029ends\x85here\x0b\x0c.", "under_score __init__ __", " leading and trailing ", "\u017f'\u017f 'S",
    "<tool>call</tool> and <tool>", "<|end|> is no text",
]
# For word patterns that tell capitals from small letters; not part of what vocabularies are trained on.
MORE = [
    "camelCase HTTPServer iPhone XMLHttpRequestS ABCdefGHI", "a/b//c/\n/d http://x.y/z /\r\n/", "LÉGER L'ÉTÉ d'Été Ünïcödé ʰHa ǅungla Xʰ 日本A語b",
    "\u0301a \u0301A b\u0301C \u0301\u0301 1\u0301 .\u0301x \n\u0301y", "WE'VE We've we'Ve 1's .'s 日's A'S",
]


def corpus():
    text = (HERE.parents[2] / "models" / "heldout.txt").read_text()
    return text.splitlines()[:400] + [c for c in CASES for _ in range(3)] + ["He'll say it's 1234 or 567.", "We've been there, don't you'd think?"] * 20


def build(name, patterns):
    tok = Tokenizer(models.BPE())
    splits = [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]
    tok.pre_tokenizer = pre_tokenizers.Sequence(splits + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    if name == "qwen2":
        tok.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tok.train_from_iterator(corpus(), trainer)
    model = json.loads(tok.to_str())["model"]
    vocab, merges = model["vocab"], [m if isinstance(m, list) else m.split(" ") for m in model["merges"]]
    # Some tokens lose the merge that makes them: only a pattern that looks for whole words still finds them.
    merges = [m for i, m in enumerate(merges) if i % 9 != 5]
    whole = Tokenizer(models.BPE(vocab=vocab, merges=[tuple(m) for m in merges], ignore_merges=name == "llama-bpe"))
    whole.pre_tokenizer, whole.normalizer = tok.pre_tokenizer, tok.normalizer
    whole.add_special_tokens([AddedToken("<|end|>", special=True, normalized=False)])
    whole.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("</tool>", normalized=False)])
    return whole, vocab, merges


def fallback():
    """As Llama 2's: spaces are U+2581, bytes that no token has are <0xNN>; merges are every split of every token, as converters make them."""
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    start = ["<unk>", "<s>", "</s>"] + bytes_
    normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizer
    texts = [t for t in corpus() if t.isascii() and "\n" not in t]
    tok.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=200, max_token_length=8, show_progress=False))
    pieces = sorted(tok.get_vocab(), key=tok.get_vocab().get)
    vocab = {t: i for i, t in enumerate(start + [p for p in pieces if p not in start])}
    merges = sorted((vocab[t], vocab[t[:i]], vocab[t[i:]], t[:i], t[i:]) for t in pieces for i in range(1, len(t)) if t[:i] in vocab and t[i:] in vocab)
    whole = Tokenizer(models.BPE(vocab=vocab, merges=[(l, r) for *_, l, r in merges], unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    whole.normalizer = normalizer
    for t in start[:3]:
        whole.add_special_tokens([AddedToken(t, special=True, normalized=False)])
    whole.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    path = HERE / "fallback_tokenizer.json"
    state = json.loads(whole.to_str())
    state["cases"] = [{"text": t, "ids": whole.encode(t).ids} for t in CASES if t]
    path.write_text(json.dumps(state) + "\n")
    print(path, path.stat().st_size, "bytes")


def word_pieces():
    """As BERT's: without and with capitals; the settings of the normalizer one by one. `json` is a tokenizer.json."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    extra = ["naïve CAFÉ İstanbul ΣΊΣΥΦΟΣ ﬁne ǅ", "日本語と中国話 混ぜる 漢字abc", "a\u200bb\u00adc\u0000d\ufffde\x07f \ue000g", "x" * 101, "y" * 100, "Paris is the [MASK] of [MASK].",
             "un##known ##s", "«quoted» – dash… ¿qué? 100% #tag @you a_b", "\U00020000\U0002f800 한국어 조각", "½ ² Ⅷ ™ €5"]
    out = []
    for name, settings in {"uncased": {}, "cased": {"lowercase": False}, "accents": {"strip_accents": False}, "plain": {"clean_text": False, "handle_chinese_chars": False}}.items():
        tok = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tok.normalizer, tok.pre_tokenizer = normalizers.BertNormalizer(**settings), pre_tokenizers.BertPreTokenizer()
        tok.train_from_iterator(corpus() + [e for e in extra if "MASK" not in e],
                                trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, limit_alphabet=260, show_progress=False))
        # The order among equals is the trainer's: tokens are sorted, and some letters are left out.
        vocab = special + sorted(t for t in tok.get_vocab() if t not in special and t not in ("q", "##q"))
        whole = Tokenizer(models.WordPiece({t: i for i, t in enumerate(vocab)}, unk_token="[UNK]", max_input_chars_per_word=100))
        whole.normalizer, whole.pre_tokenizer = tok.normalizer, tok.pre_tokenizer
        whole.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
        whole.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
        out.append({"name": name, "json": json.loads(whole.to_str()), "cases": [{"text": t, "ids": whole.encode(t).ids} for t in CASES + MORE + extra]})
    path = HERE / "word_pieces.json"
    path.write_text("[\n" + ",\n".join(json.dumps(e) for e in out) + "\n]\n")
    print(path, path.stat().st_size, "bytes")


def main():
    fallback()
    word_pieces()
    out = []
    for name, patterns in PATTERNS.items():
        tok, vocab, merges = build(name, patterns)
        tokens = sorted(vocab, key=vocab.get)
        types = [1] * len(tokens) + [3, 4, 4]
        tokens += ["<|end|>", "<tool>", "</tool>"]
        assert [tok.token_to_id(t) for t in tokens] == list(range(len(tokens)))
        cases = []
        for text in CASES + (MORE if name == "gpt-4o" else []):
            if "<|end|>" in text:  # control tokens never come from text here: the reference is one without them
                plain = Tokenizer.from_str(tok.to_str())
                state = json.loads(plain.to_str())
                state["added_tokens"] = [t for t in state["added_tokens"] if not t["special"]]
                ids = Tokenizer.from_str(json.dumps(state)).encode(text).ids
            else:
                ids = tok.encode(text).ids
            cases.append({"text": text, "ids": ids})
        out.append({"pre": name, "tokens": tokens, "types": types, "merges": [" ".join(m) for m in merges], "cases": cases})
    path = HERE / "tokenizers.json"
    path.write_text("[\n" + ",\n".join(json.dumps(e) for e in out) + "\n]\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
