"""What synthesis found, as tables, and compared with a committed baseline.

  report.py check WORK BASELINE [--update]   WORK/check.json, rams.log, ecp5.json where there is one

Exit status 1: a memory is not what the baseline says, or a count is off by more than the tolerance.
"""
import json
import pathlib
import re
import sys

BLOCKS = {
    "control": "npu_control$npu.u_control",
    "wspm": "npu_wspm$npu.u_wspm",
    "aspm": "npu_aspm$npu.u_aspm",
    "vmem": "npu_vmem$npu.u_vmem",
    "array": "npu_mx$npu.u_mx",
    "vector": "npu_ve$npu.u_ve",
    "load": "npu_dma_ld$npu.u_ld",
    "store": "npu_dma_st$npu.u_st",
    "rest": "npu",
}
TOLERANCE = 0.03   # of a count, and at least SLACK
SLACK = 16
CELL = re.compile(r"gen_diagonal\[\d+\]\.gen_part\[\d+\]")  # the array's weights count as one
SMALL_RAM = 4096  # bits that may be distributed RAM
REGISTER_BITS = 512  # a larger memory made of registers is an error
CHECKED = ("registers", "MULT18X18D", "DP16KD", "TRELLIS_DPR16X4")
MAPPED = ("LUT4", "CCU2C", "PFUMX", "L6MUX21", "TRELLIS_FF", "MULT18X18D", "DP16KD", "TRELLIS_DPR16X4")


def read_json(path):
    """yosys' stat -json."""
    return json.loads(path.read_text())["modules"]


def cells_of(modules, block):
    found = modules.get("\\" + BLOCKS[block], {})
    return found.get("num_cells_by_type", {})


def coarse(work):
    """Per block: register bits before mapping, multipliers, RAMs."""
    modules, table = read_json(work / "check.json"), {}
    for block in BLOCKS:
        cells = cells_of(modules, block)
        counts = {name: cells.get(name, 0) for name in CHECKED[1:]}
        bits = sum(n * int(kind.rsplit("_", 1)[1]) for kind, n in cells.items() if re.match(r"\$\w*dffe?\w*_\d+$", kind))
        table[block] = {"registers": bits, **counts}
    return table


def mapped(work):
    modules = read_json(work / "ecp5.json")
    return {block: {name: cells_of(modules, block).get(name, 0) for name in MAPPED} for block in BLOCKS}


def instance(name):
    return name.lstrip("\\").split("$npu.", 1)[1]


def declared(work):
    """Memories of the RTL: name -> bits."""
    module, found = "", {}
    for line in (work / "design.il").read_text().splitlines():
        words = line.split()
        if line.startswith("module "):
            module = words[1]
        elif words[:1] == ["memory"]:
            name = CELL.sub("gen_diagonal[*].gen_part[*]", instance(module) + "." + words[-1].lstrip("\\"))
            found[name] = found.get(name, 0) + int(words[2]) * int(words[4])
    return found


def rams(work):
    """Memory -> what it became: a cell, registers, or merged (with a memory of equal contents)."""
    became = dict.fromkeys(declared(work), "merged")
    for line in (work / "rams.log").read_text().splitlines():
        match = re.match(r"(?:mapping memory (\S+) via \$__(\S+?)_?|using FF mapping for memory (\S+))$", line)
        if match is None:
            continue
        name = instance(match[1] or match[3])
        cell = (match[2] or "registers").replace("PDPW16KD", "DP16KD")
        if "$auto$" in name:
            name = name.split(".", 1)[0] + ": constant tables"
        else:
            name = CELL.sub("gen_diagonal[*].gen_part[*]", name)
        if became.get(name, "merged") not in ("merged", cell):
            cell = "some " + became[name] + ", some " + cell
        became[name] = cell
    return dict(sorted(became.items()))


def ram_problems(work, found, meant):
    sizes = declared(work)
    for name, cell in found.items():
        if cell == "registers" and sizes.get(name, 0) > REGISTER_BITS:
            yield f"{name}: {sizes[name]} bits of registers, expected a RAM"
        if name.endswith("u_ram.mem") and cell != "DP16KD" and sizes[name] > SMALL_RAM:
            yield f"{name}: found {cell}, expected DP16KD"
    for name in sorted(found.keys() | meant.keys()):
        if found.get(name) != meant.get(name):
            yield f"{name}: found {found.get(name, 'nothing')}, expected {meant.get(name, 'nothing')}"


def count_problems(kind, found, meant):
    for block, counts in found.items():
        for name, count in counts.items():
            before = meant.get(block, {}).get(name, 0)
            if abs(count - before) > max(SLACK, TOLERANCE * before):
                yield f"{kind}, {block}, {name}: found {count}, expected {before} within {TOLERANCE:.0%}"


def print_table(title, table):
    names = list(next(iter(table.values())))
    print(title)
    print("  " + "block".ljust(9) + "".join(name.rjust(max(len(name), 9) + 2) for name in names))
    total = {name: sum(counts[name] for counts in table.values()) for name in names}
    for block, counts in [*table.items(), ("all", total)]:
        cells = (f"{counts[n]:.0f}".rjust(max(len(n), 9) + 2) for n in names)
        print("  " + block.ljust(9) + "".join(cells))


def check(work, baseline, update):
    found = {"memories": rams(work), "check": coarse(work)}
    sizes = declared(work)
    print("memories")
    for name, cell in found["memories"].items():
        print(f"  {name:<46} {sizes.get(name, 0):>8} bits  {cell}")
    print_table("registers, multipliers and RAMs", found["check"])
    if (work / "ecp5.json").exists():
        found["ecp5"] = mapped(work)
        print_table("mapped to ECP5", found["ecp5"])
    old = json.loads(baseline.read_text()) if baseline.exists() else {}
    if update:
        baseline.write_text(json.dumps({**old, **found}, indent=1) + "\n")
        print(f"written: {baseline}")
        return 0
    problems = list(ram_problems(work, found["memories"], old.get("memories", {})))
    for kind in found.keys() - {"memories"}:
        problems += count_problems(kind, found[kind], old.get(kind, {}))
    for problem in problems:
        print(f"synth-check: {problem}", file=sys.stderr)
    if problems:
        print(f"synth-check: {len(problems)} differences from {baseline}; meant? --update", file=sys.stderr)
    return 1 if problems else 0


def main(arguments):
    what, work, baseline, *rest = arguments
    if what != "check":
        sys.exit(f"synth-check: unknown report, found {what}, expected check")
    return check(pathlib.Path(work), pathlib.Path(baseline), "--update" in rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
