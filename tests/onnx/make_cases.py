#!/usr/bin/env python3
"""Writes cases.tar.xz: ONNX's own backend node tests of the operators that compiler/onnx claims.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2
    venv/bin/python tests/onnx/make_cases.py

The package makes the tests (graphs, inputs, expected outputs, tolerances); nothing is changed here, only packed:
    file  := "JGKONNX1" case*
    case  := text name, f64 rtol, f64 atol, blob model, u32 inputs, blob tensor*, u32 outputs, blob tensor*
    blob  := u32 length, bytes; text is a blob. Models and tensors are ONNX protobuf messages.
A test is taken when every node of its graph is of an operator registered in compiler/onnx (those of ONNX's own domain).
"""
import io
import re
import struct
import sys
import tarfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def claimed_operators():
    found = set()
    for source in sorted((ROOT / "compiler/onnx").glob("*.cpp")):
        found |= set(re.findall(r'\br\[":(\w+)"\]', source.read_text(), re.M))
    return found


def blob(data):
    return struct.pack("<I", len(data)) + data


def tensors(values, ports):
    from onnx import numpy_helper

    import numpy as np

    out = []
    for value, port in zip(values, ports):
        if hasattr(value, "SerializeToString"):
            out.append(blob(value.SerializeToString()))
            continue
        if not port.type.HasField("tensor_type"):
            out.append(blob(b""))
            continue
        out.append(blob(numpy_helper.from_array(np.asarray(value), port.name).SerializeToString()))
    return struct.pack("<I", len(out)) + b"".join(out)


def main():
    import onnx
    from onnx.backend.test.case.node import collect_testcases

    warnings.simplefilter("ignore")
    claimed = claimed_operators()
    pack, taken, operators = [b"JGKONNX1"], 0, set()
    for case in sorted(collect_testcases(None), key=lambda c: c.name):
        graph = case.model.graph
        used = {node.op_type for node in graph.node}
        if not used <= claimed or any(node.domain not in ("", "ai.onnx") for node in graph.node):
            continue
        for inputs, outputs in case.data_sets:
            pack += [blob(case.name.encode()), struct.pack("<dd", case.rtol, case.atol), blob(case.model.SerializeToString()),
                     tensors(inputs, graph.input), tensors(outputs, graph.output)]
            taken += 1
        operators |= used
    data = b"".join(pack)
    where = Path(__file__).with_name("cases.tar.xz")
    with tarfile.open(where, "w:xz", preset=9) as archive:
        entry = tarfile.TarInfo("cases.bin")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    print(f"onnx {onnx.__version__}: {taken} tests of {len(operators)} operators, {len(data)} bytes, {where.stat().st_size} packed")
    print("claimed, without a test:", " ".join(sorted(claimed - operators)) or "none", file=sys.stderr)


if __name__ == "__main__":
    main()
