"""Cuts an elaborated design (RTLIL, one module per instance) into the blocks that are mapped one by one.

  blocks.py cut DESIGN.il WORK     WORK/<block>/block.il, block.top.ys, key (a hash of its sources without comments)
  blocks.py rams DESIGN.il         memories: one line "module width depth mask_bits"
  blocks.py run NAME ROWS COLS LANES PORT_BYTES FIT < JSON   a line for section `synthesis` of ppa.yaml, from synth-liberty.sh --json
"""
import hashlib
import json
import pathlib
import re
import sys

# Block -> its module and what of it is mapped elsewhere. Part: where its area and time are counted.
BLOCKS = {
    "control": ("npu_control$npu.u_control", ()),
    "wspm": ("npu_wspm$npu.u_wspm", ()),
    "aspm": ("npu_aspm$npu.u_aspm", ()),
    "vmem": ("npu_vmem$npu.u_vmem", ()),
    "array": ("npu_array$npu.u_mx.u_array", ()),
    "matrix": ("npu_mx$npu.u_mx", ("npu_array$npu.u_mx.u_array",)),
    "vector": ("npu_ve$npu.u_ve", ()),
    "load": ("npu_dma_ld$npu.u_ld", ()),
    "store": ("npu_dma_st$npu.u_st", ()),
    "top": ("npu", ()),
}


def modules(path):
    """Name -> text, and name -> names of its instances' modules."""
    found, name, lines = {}, None, []
    for line in path.read_text().splitlines():
        if line.startswith("module "):
            name, lines = line.split()[1].lstrip("\\"), []
        if name is not None and not line.lstrip().startswith("attribute \\src"):
            lines.append(line)
        if line == "end" and name is not None:
            found[name], name = "\n".join(lines) + "\n", None
    uses = {n: {w[1].lstrip("\\") for w in (l.split() for l in t.splitlines()) if len(w) == 3 and w[0] == "cell"} & found.keys()
            for n, t in found.items()}
    return found, uses


def is_ram(name):
    return name.startswith("npu_ram$")


def below(name, uses, outside):
    """The module and everything under it; of what is outside only the module itself, for its ports."""
    todo, seen = [name], []
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.append(module)
        if module not in outside and not is_ram(module):
            todo += sorted(uses[module])
    return seen


def stub(text):
    """Ports alone."""
    lines = text.splitlines()
    ports = [l for l in lines if re.match(r"\s*wire .*\b(input|output) \d+ ", l)]
    return "attribute \\blackbox 1\n" + "\n".join([lines[0], *ports, "end"]) + "\n"


def sources(folder, names):
    """The files that say what these modules are: their own, and packages named in them, and in those. The order of cells
    in RTLIL changes with other blocks, so it is the sources that tell whether a block is still the same."""
    todo, seen = [name.split("$")[0] + ".sv" for name in names], {}
    while todo:
        file = folder / todo.pop()
        if file.name in seen or not file.exists():
            continue
        text = re.sub(r"//.*", "", file.read_text())
        seen[file.name] = text
        todo += [found + ".sv" for found in re.findall(r"\b(npu_\w*pkg|npu_types)\b", text)]
    return "".join(name + seen[name] for name in sorted(seen))


def cut(design, work):
    found, uses = modules(design)
    tops = {module for module, _ in BLOCKS.values()}
    for block, (top, outside) in BLOCKS.items():
        if top not in found:
            sys.exit(f"synth: block {block}, found no module {top}, expected it in {design}")
        boxes = tops - {top} if block == "top" else set(outside)
        names = below(top, uses, boxes)
        text = "".join(stub(found[n]) if is_ram(n) or n in boxes else found[n] for n in names)
        script = f"hierarchy -check -top {top}\n"
        folder = work / block
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "block.il").write_text("autoidx 1000000\n" + text)
        (folder / "block.top.ys").write_text(script)
        key = script + sources(design.parent, [n for n in names if n not in boxes])
        (folder / "key").write_text(hashlib.sha256(key.encode()).hexdigest() + "\n")


def rams(design):
    found, _ = modules(design)
    for name, text in found.items():
        if is_ram(name):
            memory = re.search(r"memory width (\d+) size (\d+)", text)
            mask = re.search(r"wire width (\d+) input \d+ \\wmask_i", text)
            width = int(memory[1])
            print(name, width, memory[2], width // (int(mask[1]) if mask else 1))


def run(name, rows, cols, lanes, port_bytes, fit):
    blocks = json.load(sys.stdin)["blocks"]
    sizes = f"rows: {rows}, cols: {cols}, lanes: {lanes}, port_bytes: {port_bytes}"
    print(f"    - {{name: {name}, {sizes}, fit: {fit}, blocks: {{")
    print(",\n".join(f"        {b}: [{r['logic_um2']:.0f}, {r['flop_bits']:.0f}, {r['ungated_bits']:.0f}]" for b, r in sorted(blocks.items())) + "}}")


def main(arguments):
    if arguments[0] == "cut":
        cut(pathlib.Path(arguments[1]), pathlib.Path(arguments[2]))
    elif arguments[0] == "run":
        run(*arguments[1:])
    else:
        rams(pathlib.Path(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
