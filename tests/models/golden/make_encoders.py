#!/usr/bin/env python3
"""The encoders of the tests: a BERT (masked letters) and a ViT (8 x 8 digits) trained for this project, weights in fp16, with what the
reference implementation (fp32) made of some inputs.

    python3 make_encoders.py SHARED/models/trained        (folders bert_tiny_char and vit_tiny_digits)
"""
import io
import json
import pathlib
import struct
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent


def read_safetensors(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = raw[8 + size + begin:8 + size + end]
            yield name, entry["shape"], struct.unpack(f"<{len(values) // 4}f", values)


def write_safetensors(path, tensors):
    header, data = {}, io.BytesIO()
    for name, shape, values in tensors:
        begin = data.tell()
        data.write(struct.pack(f"<{len(values)}e", *values))
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, data.tell()]}
    text = json.dumps(header, separators=(",", ":")).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data.getvalue())


def shards(folder, tensors, count):
    """One file, or `count` of about the same size with an index."""
    if count == 1:
        return write_safetensors(folder / "model.safetensors", tensors)
    names, total = {}, sum(len(v) for _, _, v in tensors)
    parts, so_far = [[] for _ in range(count)], 0
    for t in tensors:
        parts[min(so_far * count // total, count - 1)].append(t)
        so_far += len(t[2])
    for i, part in enumerate(parts):
        file = f"model-{i + 1:05}-of-{count:05}.safetensors"
        write_safetensors(folder / file, part)
        names.update({name: file for name, _, _ in part})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}, indent=1) + "\n")


def first_rows(npy, count, axis=0):
    """The first `count` along `axis` of an array file."""
    size = struct.unpack("<H", npy[8:10])[0]
    head = eval(npy[10:10 + size].decode())  # a Python literal, by the format's definition
    shape, width = head["shape"], int(head["descr"][2:])
    inner = width
    for d in shape[axis + 1:]:
        inner *= d
    body, step = npy[10 + size:], inner * shape[axis]
    kept = b"".join(body[i:i + inner * count] for i in range(0, len(body), step))
    head["shape"] = shape[:axis] + (count,) + shape[axis + 1:]
    text = repr(head).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + kept


def golden(source, target, arrays, names=None):
    """Arrays of an archive, cut, perhaps under other names."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name, cut in arrays.items():
            data = old.read(name + ".npy")
            entry = zipfile.ZipInfo((names or {}).get(name, name) + ".npy")  # without the time of day: the same file every time
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, first_rows(data, *cut) if cut else data)


def main(root):
    for name, files, count, arrays in (
            ("bert", "bert_tiny_char", 2, {"input_ids": None, "labels": None, "mask": None, "pred": None, "logits4": (2,), "trace4": (1, 1)}),
            ("vit", "vit_tiny_digits", 1, {"x": None, "y": None, "logits": None, "trace4": (2, 1)})):
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text((root / files / "config.json").read_text().rstrip() + "\n")
        shards(folder, list(read_safetensors(root / files / "model.safetensors")), count)
        golden(root / files / "golden.npz", folder / "golden.npz", arrays)
    golden(root / "bert_tiny_char" / "golden.npz", HERE.parent.parent / "cli" / "letters.npz", {"input_ids": (2,), "logits4": (2,)},
           {"input_ids": "in:input_ids", "logits4": "out:logits"})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
