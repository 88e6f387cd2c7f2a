"""The tokenizer: score-based pair merging with byte fallback (GGUF model "llama", SentencePiece style).

Ids: 0 <unk>, 1 <s>, 2 </s>, 3..258 the bytes <0x00>..<0xFF>, then pieces. A space is U+2581 in a piece.
"""
import collections
import re

UNKNOWN, BOS, EOS, FIRST_BYTE, FIRST_PIECE = 0, 1, 2, 3, 259
SPACE = "\u2581"
NORMAL, UNKNOWN_TYPE, CONTROL, BYTE = 1, 2, 3, 6     # GGUF token types


class Tokenizer:
    def __init__(self, pieces, scores):
        """pieces: text of every id; scores: merge priority of every id, higher merges first."""
        self.pieces, self.scores = list(pieces), list(scores)
        self.ids = {piece: i for i, piece in enumerate(self.pieces) if i >= FIRST_PIECE}

    def types(self):
        fixed = [UNKNOWN_TYPE, CONTROL, CONTROL] + [BYTE] * 256
        return fixed + [NORMAL] * (len(self.pieces) - len(fixed))

    def encode(self, text, bos=True):
        """Text to ids: put a space in front, split into characters, merge the best adjacent pair until
        none is a piece (highest score, then leftmost), spell what is left in UTF-8 bytes."""
        symbols = list((" " + text).replace(" ", SPACE)) if text else []
        while True:
            best = None
            for i in range(len(symbols) - 1):
                token = self.ids.get(symbols[i] + symbols[i + 1])
                if token is not None and (best is None or self.scores[token] > best[0]):
                    best = (self.scores[token], i)
            if best is None:
                break
            symbols[best[1]:best[1] + 2] = [symbols[best[1]] + symbols[best[1] + 1]]
        ids = [BOS] if bos else []
        for symbol in symbols:
            token = self.ids.get(symbol)
            ids += [token] if token is not None else [FIRST_BYTE + b for b in symbol.encode()]
        return ids

    def encode_words(self, text, cache):
        """The ids of encode(text), word by word with a cache; text has single spaces between words. No
        piece holds an inner space, so no merge crosses one."""
        ids = [BOS]
        for word in text.split(" "):
            if word not in cache:
                cache[word] = self.encode(word, bos=False)
            ids += cache[word]
        return ids

    def decode(self, ids):
        """Ids to text; control tokens vanish, the space put in front by encode is removed."""
        data = b""
        for token in ids:
            if FIRST_BYTE <= token < FIRST_PIECE:
                data += bytes([token - FIRST_BYTE])
            elif token >= FIRST_PIECE:
                data += self.pieces[token].replace(SPACE, " ").encode()
        return data.decode(errors="replace").removeprefix(" ")


def count_words(texts):
    """Words (a space and letters) and runs of other characters, with their counts."""
    counts = collections.Counter()
    for text in texts:
        spelt = SPACE + text.replace(" ", SPACE)
        counts.update(re.findall(f"{SPACE}?[A-Za-z]+|{SPACE}?[^A-Za-z{SPACE}]+|{SPACE}", spelt))
    return counts


def count_pairs(words):
    pairs = collections.Counter()
    for symbols, count in words:
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += count
    return pairs


def merge(symbols, pair):
    out = []
    for symbol in symbols:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
        else:
            out.append(symbol)
    return out


def train(texts, vocabulary):
    """Byte-pair training: every character of the texts, and the most frequent pair (ties: the smaller
    in text order) until the vocabulary is full. Score of the n-th merge is -n; characters come last."""
    words = [(list(word), count) for word, count in sorted(count_words(texts).items())]
    characters = sorted({c for symbols, _ in words for c in symbols})
    merged = []
    while FIRST_PIECE + len(characters) + len(merged) < vocabulary:
        pairs = count_pairs(words)
        pair = min(pairs, key=lambda p: (-pairs[p], p))
        if "".join(pair) not in merged:
            merged.append("".join(pair))
        words = [(merge(symbols, pair), count) for symbols, count in words]
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + merged + characters
    scores = [0.0] * FIRST_PIECE + [-float(i) for i in range(len(merged) + len(characters))]
    return Tokenizer(pieces, scores)
