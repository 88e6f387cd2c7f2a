#!/usr/bin/env python3
"""Golden values of GGML's block formats, by the Python package gguf: quants.json.

    python3 -m venv venv && venv/bin/pip install gguf && venv/bin/python make_quants.py
"""
import json
import pathlib

import gguf
import numpy as np

TYPES = "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS MXFP4".split()
# Byte offsets of the fp16 numbers of a block: random bytes everywhere else are legal.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2],
          "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": []}


def main():
    rng = np.random.default_rng(20240607)
    out = []
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        count = 256 // values
        data = rng.integers(0, 256, (count, size), dtype=np.uint8)
        for at in HALVES[name]:
            scales = rng.normal(0, 0.02, count).astype(np.float16)
            data[:, at:at + 2] = scales.view(np.uint8).reshape(count, 2)
        if name == "MXFP4":
            data[:, 0] = rng.integers(100, 140, count)
        decoded = gguf.dequantize(data.reshape(1, -1), kind).astype("<f4").reshape(-1)
        out.append({"type": name, "blocks": data.tobytes().hex(), "values": decoded.tobytes().hex()})
    path = pathlib.Path(__file__).with_name("quants.json")
    path.write_text("[\n" + ",\n".join(json.dumps(e) for e in out) + "\n]\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
