#!/usr/bin/env python3
"""Time of BERT-base in ONNX Runtime: int8 (dynamic quantisation), one thread, random weights.

    bert_onnx.py [TOKENS]     prints {"seconds": processor seconds of one run, best of five}

Twelve layers, d 768, 12 heads, ffn 3072, post-norm, GELU by erf (Devlin et al., arXiv 1810.04805); hidden states in and out.
"""
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

LAYERS, WIDTH, HEADS, FFN = 12, 768, 12, 3072


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.random = [], [], np.random.default_rng(1)

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weights(self, *shape):
        return self.constant((self.random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32))

    def __call__(self, op, *inputs, **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, x, k, n):
        return self("Add", self("MatMul", x, self.weights(k, n)), self.weights(n))

    def norm(self, x):
        return self("LayerNormalization", x, self.constant(np.ones(WIDTH, np.float32)), self.constant(np.zeros(WIDTH, np.float32)), epsilon=1e-12)

    def attention(self, x, tokens):
        split = self.constant(np.array([1, tokens, HEADS, WIDTH // HEADS]))
        q, k, v = (self("Reshape", self.linear(x, WIDTH, WIDTH), split) for _ in range(3))
        q, v, k = (self("Transpose", t, perm=p) for t, p in ((q, [0, 2, 1, 3]), (v, [0, 2, 1, 3]), (k, [0, 2, 3, 1])))
        scores = self("Div", self("MatMul", q, k), self.constant(np.float32(np.sqrt(WIDTH // HEADS))))
        mixed = self("Transpose", self("MatMul", self("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        return self.linear(self("Reshape", mixed, self.constant(np.array([1, tokens, WIDTH]))), WIDTH, WIDTH)

    def gelu(self, x):
        erf = self("Erf", self("Div", x, self.constant(np.float32(np.sqrt(2)))))
        return self("Mul", self("Mul", x, self("Add", erf, self.constant(np.float32(1)))), self.constant(np.float32(0.5)))

    def layer(self, x, tokens):
        x = self.norm(self("Add", x, self.attention(x, tokens)))
        return self.norm(self("Add", x, self.linear(self.gelu(self.linear(x, WIDTH, FFN)), FFN, WIDTH)))


def bert(tokens):
    graph, x = Graph(), "x"
    for _ in range(LAYERS):
        x = graph.layer(x, tokens)
    shape = [1, tokens, WIDTH]
    made = helper.make_graph(graph.nodes, "bert", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                             [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)], graph.constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main():
    tokens = int(sys.argv[1]) if len(sys.argv) > 1 else 128
    with tempfile.TemporaryDirectory() as folder:
        whole, quantised = Path(folder) / "bert.onnx", Path(folder) / "bert-int8.onnx"
        onnx.save(bert(tokens), whole)
        quantize_dynamic(whole, quantised, weight_type=QuantType.QInt8, per_channel=True)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = ort.InferenceSession(str(quantised), options, providers=["CPUExecutionProvider"])
    feed = {"x": np.random.default_rng(2).standard_normal((1, tokens, WIDTH)).astype(np.float32)}
    session.run(None, feed)
    times = []
    for _ in range(5):
        start = time.process_time()
        session.run(None, feed)
        times.append(time.process_time() - start)
    print(json.dumps({"seconds": min(times), "tokens": tokens, "onnxruntime": ort.__version__}))


if __name__ == "__main__":
    main()
