#!/usr/bin/env python3
"""Writes vit_digits.onnx, a small trained vision transformer for handwritten digits, and digits.csv, labelled images of the test set.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2
    venv/bin/python tests/onnx/make_digits.py SHARED     # the folder with models/trained/vit_tiny_digits and models/data/optdigits.tes

The weights are those of the folder, in fp32; the graph is what exporters write (opset 17). The images are the first 96 of "Optical Recognition
of Handwritten Digits" (E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, CC BY 4.0): 64 pixels of 0 to 16, then the class.
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save


def safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, base = json.loads(data[8 : 8 + size]), 8 + size
    out = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, end = entry["data_offsets"]
        out[name] = np.frombuffer(data[base + first : base + end], np.float32).reshape(entry["shape"])
    return out


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.constants, self.count = weights, [], {}, 0

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def op(self, kind, inputs, name, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def linear(self, x, source, name):
        w = self.constant(name + ".weight", self.weights[source + ".weight"].T)
        b = self.constant(name + ".bias", self.weights[source + ".bias"])
        return self.op("Add", [self.op("MatMul", [x, w], name + ".product"), b], name)

    def norm(self, x, source, name, eps):
        w, b = (self.constant(f"{name}.{part}", self.weights[f"{source}.{part}"]) for part in ("weight", "bias"))
        return self.op("LayerNormalization", [x, w, b], name, axis=-1, epsilon=eps)


def attention(g, x, source, name, heads, width):
    each = width // heads
    split = g.constant(name + ".split", np.array([0, -1, heads, each], np.int64))
    join = g.constant(name + ".join", np.array([0, -1, width], np.int64))
    parts = {}
    for part, order in (("query", (0, 2, 1, 3)), ("key", (0, 2, 3, 1)), ("value", (0, 2, 1, 3))):
        y = g.linear(x, f"{source}.attention.{part}", f"{name}.{part}")
        parts[part] = g.op("Transpose", [g.op("Reshape", [y, split], y + ".heads")], y + ".turned", perm=order)
    scale = g.constant(name + ".scale", np.float32(1 / np.sqrt(each)))
    scores = g.op("Mul", [g.op("MatMul", [parts["query"], parts["key"]], name + ".scores"), scale], name + ".scaled")
    mixed = g.op("MatMul", [g.op("Softmax", [scores], name + ".probabilities", axis=-1), parts["value"]], name + ".mixed")
    joined = g.op("Reshape", [g.op("Transpose", [mixed], name + ".back", perm=(0, 2, 1, 3)), join], name + ".joined")
    return g.linear(joined, f"{source}.output.dense", name + ".output")


def gelu(g, x, name):
    root, one, half = (g.constant(f"{name}.{k}", np.float32(v)) for k, v in (("root", np.sqrt(2)), ("one", 1), ("half", 0.5)))
    inner = g.op("Add", [g.op("Erf", [g.op("Div", [x, root], name + ".over")], name + ".erf"), one], name + ".plus")
    return g.op("Mul", [g.op("Mul", [x, inner], name + ".times"), half], name)


def main():
    shared, here = Path(sys.argv[1]), Path(__file__).parent
    folder = shared / "models/trained/vit_tiny_digits"
    config, g = json.loads((folder / "config.json").read_text()), Graph(safetensors(folder / "model.safetensors"))
    width, eps = config["hidden_size"], config["layer_norm_eps"]
    kernel = g.constant("patch.weight", g.weights["vit.embeddings.patch_embeddings.projection.weight"])
    bias = g.constant("patch.bias", g.weights["vit.embeddings.patch_embeddings.projection.bias"])
    patches = g.op("Conv", ["x", kernel, bias], "patch", strides=[2, 2], kernel_shape=[2, 2])
    flat = g.op("Reshape", [patches, g.constant("flat.shape", np.array([0, width, -1], np.int64))], "flat")
    tokens = g.op("Transpose", [flat], "tokens", perm=(0, 2, 1))
    batch = g.op("Gather", [g.op("Shape", ["x"], "x.shape"), g.constant("first", np.array([0], np.int64))], "batch")
    shape = g.op("Concat", [batch, g.constant("one_token", np.array([1, width], np.int64))], "class.shape", axis=0)
    class_token = g.op("Expand", [g.constant("class_token", g.weights["vit.embeddings.cls_token"]), shape], "class")
    x = g.op("Concat", [class_token, tokens], "with_class", axis=1)
    x = g.op("Add", [x, g.constant("position", g.weights["vit.embeddings.position_embeddings"])], "embedded")
    for i in range(config["num_hidden_layers"]):
        source, name = f"vit.encoder.layer.{i}", f"layer.{i}"
        a = attention(g, g.norm(x, source + ".layernorm_before", name + ".before", eps), source + ".attention", name + ".attention", config["num_attention_heads"], width)
        x = g.op("Add", [x, a], name + ".attended")
        h = gelu(g, g.linear(g.norm(x, source + ".layernorm_after", name + ".after", eps), source + ".intermediate.dense", name + ".up"), name + ".gelu")
        x = g.op("Add", [x, g.linear(h, source + ".output.dense", name + ".down")], name + ".out")
    x = g.norm(x, "vit.layernorm", "norm", eps)
    first = g.op("Gather", [x, g.constant("zero", np.array(0, np.int64))], "first_token", axis=1)
    logits = g.linear(first, "classifier", "logits")
    graph = helper.make_graph(g.nodes, "vit_digits", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, 8, 8])],
                              [helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["batch", 10])], list(g.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, here / "vit_digits.onnx")
    lines = [line for line in (shared / "models/data/optdigits.tes").read_text().splitlines() if line[:1].isdigit()]
    (here / "digits.csv").write_text("\n".join(lines[:96]) + "\n")


if __name__ == "__main__":
    main()
