"""What is synthesised: the core behind three pins, a board's system on chip, or a file; and its pin constraints."""
import os
import shutil
import subprocess
from pathlib import Path

import yaml

from synth_board import ROOT, Wrong

HERE = Path(__file__).parent
PACKAGES = ("npu_pkg.sv", "npu_func_pkg.sv")
CORE = "synth_core"


class Design:
    """name: as in the report. top: module. read: yosys commands. constraints: file, or None to write them. mhz: wanted."""

    def __init__(self, name, top, read, mhz, constraints=None):
        self.name, self.top, self.read, self.mhz, self.constraints = name, top, read, mhz, constraints


def rtl():
    lines = (ROOT / "rtl" / "files.f").read_text().splitlines()
    return [ROOT / line.strip() for line in lines if line.strip() and not line.startswith("//")]


def copy(sources, folder):
    """The tools may see nothing outside their work folder; plain names, in order."""
    for source in sources:
        shutil.copy(source, folder / source.name)
    return " ".join(source.name for source in sources)


def slang(top, sources):
    return f"read_slang --threads 1 --keep-hierarchy --top {top} {sources}"


def packages(build, config, steps):
    """The contract of this configuration as SystemVerilog, brought up to date."""
    if (build / "build.ninja").exists():
        steps.run("contract", ["cmake", "--build", build, "--target", "specgen", "spec_sv"])
    found = [build / "gen" / config / name for name in PACKAGES]
    for path in found:
        if not path.exists():
            raise Wrong("no packages of " + config, f"no {path}", "a configured build folder")
    return found


def core(board, build, config, folder, steps):
    sources = [*packages(build, config, steps), *rtl(), HERE / f"{CORE}.sv"]
    return Design("core", CORE, [slang(CORE, copy(sources, folder))], board["target_mhz"])


def file(path, board, build, config, folder, steps):
    """A module named as its file, with the ports of synth_core; it may use any module of rtl/."""
    path = Path(path).resolve()
    if not path.is_file():
        raise Wrong("no design", path, "core, soc, or a SystemVerilog file")
    sources = [*packages(build, config, steps), *rtl(), path]
    return Design(path.stem, path.stem, [slang(path.stem, copy(sources, folder))], board["target_mhz"])


def soc(board, path, build, config, folder, steps):
    """soc.py's Verilog with the NPU in it; its constraints come with it."""
    if "soc" not in board:
        raise Wrong(f"{board['name']} has no system on chip", "no soc in its board.yaml", "--core")
    out, top = folder / "soc", f"{board['name']}_soc"
    changed = folder / "board.yaml"
    changed.write_text(yaml.safe_dump({**board, "config": config}))
    steps.run("system on chip", [HERE / "soc.sh", changed, out],
              {"JOGAK_LITEX_VENV": os.environ.get("JOGAK_LITEX_VENV", str(build / "litex-venv"))})
    for extra in [out / f"{top}.v", out / f"{top}.lpf", *(out / "litex" / "gateware").glob("*.init")]:
        shutil.copy(extra, folder / extra.name)
    sources = copy([*packages(build, config, steps), *rtl()], folder)
    return Design("soc", top, [slang("npu", sources), f"read_verilog {top}.v"], board["soc"]["mhz"], f"{top}.lpf")


def choose(what, board, path, build, config, folder, steps):
    if what == "core":
        return core(board, build, config, folder, steps)
    if what == "soc":
        return soc(board, path, build, config, folder, steps)
    return file(what, board, build, config, folder, steps)


def pins(board):
    return {"clk_i": board["clock"]["pin"], "serial_i": board["serial"]["in"], "serial_o": board["serial"]["out"]}


def lpf(board, mhz):
    """Lattice; the clock is constrained by what is wanted of the design, whatever the oscillator gives."""
    level = board.get("io", "LVCMOS33")
    lines = [f'LOCATE COMP "{port}" SITE "{pin}";\nIOBUF PORT "{port}" IO_TYPE={level};' for port, pin in pins(board).items()]
    return "\n".join([*lines, f'FREQUENCY PORT "clk_i" {mhz} MHZ;']) + "\n"


def cst(board, _mhz):
    """Gowin; the wanted clock is an argument of place and route."""
    level = board.get("io", "LVCMOS33")
    return "".join(f'IO_LOC "{port}" {pin};\nIO_PORT "{port}" IO_TYPE={level};\n' for port, pin in pins(board).items())


def constraints(design, board, family, folder):
    """Name of the constraints' file in the work folder."""
    if design.constraints is not None:
        return design.constraints
    kind = family["constraints"]
    (folder / f"pins.{kind}").write_text({"lpf": lpf, "cst": cst}[kind](board, design.mhz))
    return f"pins.{kind}"
