"""The shape of jogak-stories: every dimension is a multiple of 32, the block of the hardware."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 768
    width: int = 128          # embedding length
    layers: int = 3
    heads: int = 4            # query heads
    kv_heads: int = 2
    head: int = 32            # features per head
    hidden: int = 224         # feed-forward length
    context: int = 256
    epsilon: float = 1e-5
    rope_base: float = 10000.0

    def matrices(self):
        """(GGUF name, outputs, inputs) of every matrix; the head is the transposed embedding (tied)."""
        yield "token_embd.weight", self.vocabulary, self.width
        kv = self.kv_heads * self.head
        for i in range(self.layers):
            yield f"blk.{i}.attn_q.weight", self.heads * self.head, self.width
            yield f"blk.{i}.attn_k.weight", kv, self.width
            yield f"blk.{i}.attn_v.weight", kv, self.width
            yield f"blk.{i}.attn_output.weight", self.width, self.heads * self.head
            yield f"blk.{i}.ffn_gate.weight", self.hidden, self.width
            yield f"blk.{i}.ffn_up.weight", self.hidden, self.width
            yield f"blk.{i}.ffn_down.weight", self.width, self.hidden

    def norms(self):
        """GGUF names of the norm weights, each `width` long."""
        for i in range(self.layers):
            yield f"blk.{i}.attn_norm.weight"
            yield f"blk.{i}.ffn_norm.weight"
        yield "output_norm.weight"
