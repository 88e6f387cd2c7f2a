"""The decoder in PyTorch, with fake quantisation for training (straight-through gradients).

The definition of the quantisers is quantize.py; the functions here give the same values.
"""
import torch
from torch import nn
from torch.nn import functional

BLOCK = 32
E2M1_VALUES = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
E2M1_MIDDLES = (E2M1_VALUES[:-1] + E2M1_VALUES[1:]) / 2
E2M1_MIDDLES[1::2] = torch.nextafter(E2M1_MIDDLES[1::2], torch.zeros(3))


def through(x, quantised):
    """The quantised value forward, the gradient of x backward."""
    return x + (quantised - x).detach()


@torch.no_grad()
def mxfp4(w):
    """w[..., K] with blocks of 32 along K on the MXFP4 grid, scale by smallest squared error."""
    blocks = w.float().reshape(-1, BLOCK)
    peak = blocks.abs().amax(1, keepdim=True).clamp(min=2.0**-100)
    base = torch.floor(torch.log2(peak)) - 2
    values, middles = E2M1_VALUES.to(w.device), E2M1_MIDDLES.to(w.device)
    best = best_error = None
    for shift in (0, 1, -1):
        scale = torch.exp2(base + shift)
        y = scale * values[torch.bucketize(blocks.abs() / scale, middles)] * blocks.sign()
        error = (y - blocks).square().sum(1, keepdim=True)
        if best is None:
            best, best_error = y, error
        else:
            better = error < best_error
            best, best_error = torch.where(better, y, best), torch.where(better, error, best_error)
    return best.reshape(w.shape)


@torch.no_grad()
def int8(x):
    """x[..., K] with blocks of 32 along K as int8 times a bfloat16 scale (rounded up from max / 127)."""
    blocks = x.float().unflatten(-1, (-1, BLOCK))
    scale = blocks.abs().amax(-1, keepdim=True) * (1 / 127)
    scale = ((scale.view(torch.int32) + 0xFFFF) & -0x10000).view(torch.float32)
    inverse = torch.where(scale < 2.0**-100, 0.0, 1 / scale)
    return (torch.round(blocks * inverse).clamp(-127, 127) * scale).flatten(-2)


class Decoder(nn.Module):
    """ids [batch, length] to logits [batch, length, vocabulary]."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.weights = nn.ParameterDict()
        for name, rows, columns in shape.matrices():
            std = 0.02 if name == "token_embd.weight" else columns**-0.5
            if name.endswith(("attn_output.weight", "ffn_down.weight")):
                std /= (2 * shape.layers) ** 0.5
            self.weights[self.key(name)] = nn.Parameter(torch.randn(rows, columns) * std)
        for name in shape.norms():
            self.weights[self.key(name)] = nn.Parameter(torch.ones(shape.width))
        angle = torch.outer(torch.arange(shape.context).float(),
                            shape.rope_base ** (-torch.arange(0, shape.head, 2).float() / shape.head))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        self.quantised = False

    @staticmethod
    def key(name):
        return name.replace(".", "_")

    def weight(self, name):
        return self.weights[self.key(name)]

    def linear(self, x, name):
        w = self.weight(name)
        if self.quantised:
            x, w = through(x, int8(x)), through(w, mxfp4(w))
        return x @ w.T

    def norm(self, x, name):
        return functional.rms_norm(x, (self.shape.width,), self.weight(name), self.shape.epsilon)

    def rotate(self, x):
        """Rotary positions on adjacent pairs; x is [batch, length, heads, head]."""
        n = x.shape[1]
        cos, sin = self.cos[:n, None], self.sin[:n, None]
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)

    def attention(self, x, i):
        s, (batch, length, _) = self.shape, x.shape
        h = self.norm(x, f"blk.{i}.attn_norm.weight")
        q = self.rotate(self.linear(h, f"blk.{i}.attn_q.weight").view(batch, length, s.heads, s.head))
        k = self.rotate(self.linear(h, f"blk.{i}.attn_k.weight").view(batch, length, s.kv_heads, s.head))
        v = self.linear(h, f"blk.{i}.attn_v.weight").view(batch, length, s.kv_heads, s.head)
        if self.quantised:
            q, k, v = through(q, int8(q)), through(k, int8(k)), through(v, int8(v))
        group = s.heads // s.kv_heads
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.linear(y.transpose(1, 2).flatten(2), f"blk.{i}.attn_output.weight")

    def feed_forward(self, x, i):
        h = self.norm(x, f"blk.{i}.ffn_norm.weight")
        gate, up = self.linear(h, f"blk.{i}.ffn_gate.weight"), self.linear(h, f"blk.{i}.ffn_up.weight")
        return self.linear(functional.silu(gate) * up, f"blk.{i}.ffn_down.weight")

    def forward(self, ids):
        x = functional.embedding(ids, self.weight("token_embd.weight"))
        for i in range(self.shape.layers):
            x = x + self.attention(x, i)
            x = x + self.feed_forward(x, i)
        return self.linear(self.norm(x, "output_norm.weight"), "token_embd.weight")
