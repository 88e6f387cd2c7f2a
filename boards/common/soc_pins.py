"""What differs between a device and its simulation: clocks, pins, the memory's PHY, the bridge's byte stream."""

import shutil
from pathlib import Path

from litedram.phy import GENSDRPHY, HalfRateGENSDRPHY
from litedram.phy.model import SDRAMPHYModel
from litex.build.generic_platform import IOStandard, Misc, Pins, Subsignal
from litex.build.io import CRG, DDROutput
from litex.build.lattice import LatticeECP5Platform
from litex.build.sim import SimPlatform
from litex.gen import LiteXModule
from litex.soc.cores.clock import ECP5PLL
from litex.soc.cores.uart import RS232PHYModel, UARTPHY
from litex.soc.integration.builder import Builder
from migen import *

FULL_RATE, HALF_RATE = "1:1", "1:2"


def phy_class(sdram):
    return HalfRateGENSDRPHY if sdram["rate"] == HALF_RATE else GENSDRPHY


def signals(names, **common):
    """{a: "M20 M19"} to Subsignals."""
    return [Subsignal(name, Pins(pins)) for name, pins in names.items()] + [v for v in common.values() if v]


class Ecp5Clocks(LiteXModule):
    """From the board's oscillator: sys, and for the memory a shifted clock of its own rate."""

    def __init__(self, platform, board):
        soc, half = board["soc"], board["soc"]["sdram"]["rate"] == HALF_RATE
        mhz = float(soc["mhz"]) * 1e6
        self.rst = Signal()
        self.cd_sys = ClockDomain()
        self.pll = pll = ECP5PLL()
        reset = platform.request("reset", loose=True)
        self.comb += pll.reset.eq(self.rst if reset is None else self.rst | reset)
        oscillator, oscillator_mhz = platform.request("clock"), float(board["clock"]["mhz"])
        platform.add_period_constraint(oscillator, 1e3 / oscillator_mhz)
        pll.register_clkin(oscillator, oscillator_mhz * 1e6)
        pll.create_clkout(self.cd_sys, mhz)
        if half:
            self.cd_sys2x = ClockDomain()
            self.cd_memory = ClockDomain()
            pll.create_clkout(self.cd_sys2x, 2 * mhz)
            pll.create_clkout(self.cd_memory, 2 * mhz, phase=soc["sdram"].get("phase", 180))
        else:
            self.cd_memory = ClockDomain()
            pll.create_clkout(self.cd_memory, mhz, phase=soc["sdram"].get("phase", 90))
        self.specials += DDROutput(1, 0, platform.request("sdram_clock"), ClockSignal("memory"))


FAMILIES = {  # fpga.family: platform, toolchain, clocks
    "ecp5": (LatticeECP5Platform, "trellis", Ecp5Clocks),
}


class Device:
    """Pins of board.yaml's soc section."""

    def __init__(self, board):
        self.board, soc, fpga = board, board["soc"], board["fpga"]
        if fpga["family"] not in FAMILIES:
            raise SystemExit(f"soc: fpga.family, found {fpga['family']}, expected one of {', '.join(FAMILIES)}")
        platform, toolchain, clocks = FAMILIES[fpga["family"]]
        self.platform = platform(f"{fpga['device']}-{fpga['speed']}{fpga['package_suffix']}", self.io(), toolchain=toolchain)
        self.platform.name = board["name"]
        self.clocks = clocks(self.platform, board)
        for name, tie in soc.get("ties", {}).items():
            self.clocks.comb += self.platform.request(name).eq(tie["value"])

    def io(self):
        board, soc = self.board, self.board["soc"]
        level = IOStandard(soc.get("io_standard", "LVCMOS33"))
        sdram = soc["sdram"]
        io = [("clock", 0, Pins(board["clock"]["pin"]), level),
              ("serial", 0, *signals({"tx": soc["uart"]["tx"], "rx": soc["uart"]["rx"]}), level),
              ("sdram_clock", 0, Pins(sdram["clock_pin"]), level),
              ("sdram", 0, *signals(sdram["pins"]), level, Misc(sdram.get("misc", "SLEWRATE=FAST")))]
        if "reset" in soc:
            io.append(("reset", 0, Pins(soc["reset"]), level))
        return io + [(name, 0, Pins(tie["pin"]), level) for name, tie in soc.get("ties", {}).items()]

    def memory_phy(self, clock, _chip):
        return phy_class(self.board["soc"]["sdram"])(self.platform.request("sdram"), clock)

    def bridge_phy(self, clock):
        return UARTPHY(self.platform.request("serial"), clock, int(self.board["soc"]["uart"]["baud"]))

    @staticmethod
    def bridge_clock(clock):
        return clock


class Simulation:
    """One clock, the bridge's bytes as a stream, LiteDRAM's model of the chips behind the same controller."""

    # The bridge's time-out of 0.1 s is that many times shorter: simulated seconds are long. At 25 MHz twice the bus's.
    PATIENCE = 250

    def __init__(self, board):
        self.board = board
        self.platform = SimPlatform("SIM", [
            ("clk", 0, Pins(1)), ("rst", 0, Pins(1)),
            ("serial", 0, *(Subsignal(f"{side}_{part}", Pins(8 if part == "data" else 1))
                            for side in ("source", "sink") for part in ("valid", "ready", "data")))])
        self.clocks = CRG(self.platform.request("clk"), rst=self.platform.request("rst"))

    def memory_phy(self, clock, chip):
        g, width = chip.geom_settings, self.board["soc"]["sdram"].get("data_bits", 16)
        pads = Record([("a", g.addressbits), ("ba", g.bankbits), ("dq", width), ("dm", width // 8), ("ras_n", 1),
                       ("cas_n", 1), ("we_n", 1), ("cs_n", 1), ("cke", 1)])
        real = phy_class(self.board["soc"]["sdram"])(pads, clock)  # only for its settings; not part of the design
        return SDRAMPHYModel(chip, settings=real.settings, clk_freq=clock)

    def bridge_phy(self, _clock):
        return RS232PHYModel(self.platform.request("serial"))

    @classmethod
    def bridge_clock(cls, clock):
        return clock / cls.PATIENCE


def write(soc, name, out: Path):
    """<out>/<name>.v and, for a device, the pin constraints beside it."""
    out.mkdir(parents=True, exist_ok=True)
    soc.finalize()
    if isinstance(soc.platform, SimPlatform):
        soc.platform.get_verilog(soc, name=name).write(str(out / f"{name}.v"))
        return
    Builder(soc, output_dir=str(out / "litex"), compile_software=False, compile_gateware=False).build(build_name=name, run=False)
    for suffix in (".v", ".lpf"):
        shutil.copy(out / "litex" / "gateware" / f"{name}{suffix}", out / f"{name}{suffix}")
