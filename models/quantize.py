"""The quantiser rules, in numpy; blocks are 32 neighbours along the last axis (K of a product).

Each function returns the values after quantisation as float32, so a product of two of them equals
the hardware's integer sum times scales up to fp32 rounding.
"""
import numpy as np

BLOCK = 32
E2M1 = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
MIDDLES = (E2M1[:-1] + E2M1[1:]) / 2
MIDDLES[1::2] = np.nextafter(MIDDLES[1::2], 0)      # a tie goes to the even code: up from an odd one


def blocks_of(x):
    return np.asarray(x, np.float32).reshape(*x.shape[:-1], -1, BLOCK)


def bfloat16_up(x):
    """float32 >= 0 to the next bfloat16 that is not smaller."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    return ((bits + np.uint32(0xFFFF)) & np.uint32(0xFFFF0000)).view(np.float32)


def int8_activations(x):
    """scale = max |x| / 127 rounded up to bfloat16; q = round half even (x / scale), within ±127."""
    blocks = blocks_of(x)
    scale = bfloat16_up(np.abs(blocks).max(-1, keepdims=True) * np.float32(1 / 127))
    scale = np.where(scale < 2.0**-100, 0, scale)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    return (np.clip(np.rint(blocks * inverse), -127, 127) * scale).astype(np.float32).reshape(x.shape)


def int8_weights(w):
    """GGUF's Q8_0: scale = max |w| / 127 as float16, q = round (w / scale before its rounding)."""
    blocks = blocks_of(w)
    scale = np.abs(blocks).max(-1, keepdims=True) / np.float32(127)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    rounded = blocks * inverse
    q = np.trunc(rounded + np.copysign(np.float32(0.5), rounded))
    return (q * scale.astype(np.float16).astype(np.float32)).reshape(w.shape)


def mxfp4_codes(w):
    """Returns (codes 0..15 [..., K/32, 32], exponents [..., K/32]); value = E2M1[code & 7] * 2**exponent.

    e = floor(log2(max |w|)) - 2, then e + 1, then e - 1 are tried; a later one wins only if its
    squared error (summed in double) is smaller. Elements: nearest E2M1 value, ties to the even code,
    beyond 6 to 6; bit 3 is the sign. A block of zeros has exponent -127 (E8M0 code 0) and codes 0.
    """
    blocks = blocks_of(w).astype(np.float64)
    peak = np.abs(blocks).max(-1)
    base = np.frexp(peak)[1] - 3
    codes = exponents = errors = None
    for shift in (0, 1, -1):
        scale = np.ldexp(1.0, base + shift)[..., None]
        magnitude = np.searchsorted(MIDDLES, np.abs(blocks) / scale)
        error = np.square(E2M1[magnitude] * scale - np.abs(blocks)).sum(-1)
        if codes is None:
            codes, exponents, errors = magnitude, base + shift, error
            continue
        better = error < errors
        codes = np.where(better[..., None], magnitude, codes)
        exponents = np.where(better, base + shift, exponents)
        errors = np.where(better, error, errors)
    codes = np.where(codes > 0, codes + 8 * (blocks < 0), 0)
    return codes.astype(np.uint8), np.where(peak > 0, exponents, -127).astype(np.int32)


def mxfp4_weights(w):
    codes, exponents = mxfp4_codes(w)
    values = np.where(codes < 8, 1, -1) * E2M1[codes & 7] * np.ldexp(1.0, exponents)[..., None]
    return values.astype(np.float32).reshape(w.shape)


def same(x):
    return x


WEIGHTS = {"fp32": same, "int8": int8_weights, "mxfp4": mxfp4_weights}
