"""The board as a whole: host bridge, memory controller, NPU. No processor.

  python soc.py --board ../ulx3s/board.yaml --out DIR         for a device: DIR/<board>_soc.v, .lpf, .json
  python soc.py --board ../ulx3s/board.yaml --out DIR --sim   for Verilator: pins replaced, everything else equal

The Verilog has one instance `npu` that is not in it: rtl/npu.sv with the packages of the board's configuration.
"""

import argparse
import json
import logging
import math
import sys
import zlib
from pathlib import Path

import yaml
from litedram import modules as dram_chips
from litedram.init import get_sdram_phy_init_sequence
from litex.soc.cores.uart import UARTBone
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore

import soc_pins
from soc_parts import BufferedLine, Description, Link, Npu

ROOT = Path(__file__).resolve().parents[2]
MEMORY_BASE, NPU_BASE, CSR_BASE, DESCRIPTION_BASE = 0x4000_0000, 0x9000_0000, 0xF000_0000, 0x0000_0000
CSR_PAGE = 0x800
BUS_TIMEOUT = 5_000  # cycles; refresh and a full queue of the NPU take some hundred
MAGIC, LAYOUT, DESCRIPTION_WORDS = 0x424B474A, 1, 256  # the letters JGKB
DELAY_CLOCKS = 4      # what LiteDRAM counts as one step of delay is a loop of some instructions


class BoardSoC(SoCCore):
    csr_map = {"link": 0, "sdram": 1}
    mem_map = dict(SoCCore.mem_map, main_ram=MEMORY_BASE, csr=CSR_BASE)

    def __init__(self, board, pins):
        self.board, soc = board, board["soc"]
        clock = int(float(soc["mhz"]) * 1e6)
        SoCCore.__init__(self, pins.platform, clock, cpu_type=None, integrated_rom_size=0, integrated_sram_size=0,
                         with_uart=False, with_timer=False, with_ctrl=False, ident="", bus_timeout=BUS_TIMEOUT)
        self.crg = pins.clocks
        self.add_memory(pins, soc["sdram"])
        self.add_bridge(pins, clock)
        self.npu = Npu(port_bytes(board["config"]))
        self.bus.add_slave("npu", self.npu.registers, SoCRegion(origin=NPU_BASE, size=0x1000, cached=False))
        self.npu.connect_memory(self.sdram.crossbar, MEMORY_BASE)
        self.description = Description(self.describe, DESCRIPTION_WORDS)
        self.bus.add_slave("description", self.description.bus,
                           SoCRegion(origin=DESCRIPTION_BASE, size=4 * DESCRIPTION_WORDS, cached=False))

    def add_memory(self, pins, sdram):
        if not hasattr(dram_chips, sdram["chip"]):
            fail("soc.sdram.chip", sdram["chip"], "a class of litedram.modules")
        chip = getattr(dram_chips, sdram["chip"])(self.sys_clk_freq, sdram["rate"])
        if chip.memtype != "SDR":
            fail("soc.sdram.chip", f"{sdram['chip']}, {chip.memtype}", "SDR: other memories need a trained PHY")
        self.sdrphy = pins.memory_phy(self.sys_clk_freq, chip)
        # No cache: the NPU writes behind the bus.
        self.add_sdram("sdram", phy=self.sdrphy, module=chip, l2_cache_size=0)

    def add_bridge(self, pins, clock):
        self.bridge_phy = pins.bridge_phy(clock)
        self.bridge_line = BufferedLine(self.bridge_phy)
        self.bridge = UARTBone(self.bridge_line, pins.bridge_clock(clock), address_width=self.bus.address_width)
        self.link = Link(self.bridge_line, self.bridge.wishbone, (CSR_BASE // 4, CSR_PAGE // 4))
        self.ctrl = self.link  # where SoC.finalize reports accesses that time out
        self.bus.add_master("bridge", self.link.bus)

    def registers(self, block):
        """Address of every register of a block, by name."""
        region, at = self.csr.regions[block], 0
        found = {}
        for csr in region.obj:
            found[csr.name] = region.origin + at
            at += 4 * math.ceil(csr.size / self.csr.data_width)
        return found

    def memory_steps(self):
        """The memory's start as (address, value, microseconds to wait after it)."""
        r = self.registers("sdram")
        control = {"DFII_CONTROL_SEL": 1, "DFII_CONTROL_CKE": 2, "DFII_CONTROL_ODT": 4, "DFII_CONTROL_RESET_N": 8}
        command = {"DFII_COMMAND_CS": 1, "DFII_COMMAND_WE": 2, "DFII_COMMAND_CAS": 4, "DFII_COMMAND_RAS": 8}
        steps = [(r["dfii_control"], control["DFII_CONTROL_CKE"] | control["DFII_CONTROL_ODT"] | control["DFII_CONTROL_RESET_N"], 0)]
        sequence, _ = get_sdram_phy_init_sequence(self.sdrphy.settings, self.sdram.controller.settings.timing)
        for _, address, bank, names, delay in sequence:
            us = math.ceil(delay * DELAY_CLOCKS * 1e6 / self.sys_clk_freq)
            names = names.split("|")
            if names[0] in control:
                steps.append((r["dfii_control"], sum(control[n] for n in names), us))
                continue
            steps += [(r["dfii_pi0_address"], address, 0), (r["dfii_pi0_baddress"], bank, 0),
                      (r["dfii_pi0_command"], sum(command[n] for n in names), 0), (r["dfii_pi0_command_issue"], 1, us)]
        return steps + [(r["dfii_control"], control["DFII_CONTROL_SEL"], 0)]

    def describe(self):
        """The words that driver/litex reads first."""
        link, steps = self.registers("link"), self.memory_steps()
        name = self.board["name"].encode()[:16].ljust(16, b"\0")
        # The layout is driver/litex/board.cpp's too.
        body = [MEMORY_BASE, self.bus.regions["main_ram"].size, NPU_BASE, link["sent"], self.sys_clk_freq]
        body += [int.from_bytes(name[i:i + 4], "little") for i in range(0, 16, 4)]
        body += [len(steps)] + [word for step in steps for word in step]
        crc = zlib.crc32(b"".join(w.to_bytes(4, "little") for w in body))
        self.map = {"memory": body[0], "memory_bytes": body[1], "npu": NPU_BASE, "link": link, "sdram": self.registers("sdram"),
                    "clock_hz": self.sys_clk_freq, "description": DESCRIPTION_BASE, "memory_start": steps}
        return [MAGIC, LAYOUT, len(body), crc] + body


def fail(what, found, expected):
    raise SystemExit(f"soc: {what}, found {found}, expected {expected}")


def read_board(path):
    board = yaml.safe_load(Path(path).read_text())
    for where, keys in (((), ("name", "config", "clock", "fpga", "soc")), (("soc",), ("mhz", "uart", "sdram")),
                        (("soc", "uart"), ("tx", "rx", "baud")), (("soc", "sdram"), ("chip", "rate", "clock_pin", "pins"))):
        part = board
        for step in where:
            part = part[step]
        for key in keys:
            if key not in part:
                fail(f"{path}, {'.'.join(where) or 'top'}", f"no key {key}", ", ".join(keys))
    if board["soc"]["sdram"]["rate"] not in (soc_pins.FULL_RATE, soc_pins.HALF_RATE):
        fail(f"{path}, soc.sdram.rate", board["soc"]["sdram"]["rate"], f"{soc_pins.FULL_RATE} or {soc_pins.HALF_RATE}, quoted")
    return board


def port_bytes(config):
    path = ROOT / "spec" / "configs" / f"{config}.yaml"
    if not path.exists():
        fail("config", config, "a file of spec/configs")
    return yaml.safe_load(path.read_text())["port_bytes"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--board", required=True, help="boards/<name>/board.yaml")
    arguments.add_argument("--out", required=True, help="folder for the results")
    arguments.add_argument("--sim", action="store_true", help="for Verilator: no pins, a model of the memory chips")
    a = arguments.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    board, out = read_board(a.board), Path(a.out)
    soc = BoardSoC(board, (soc_pins.Simulation if a.sim else soc_pins.Device)(board))
    name = f"{board['name']}_sim" if a.sim else f"{board['name']}_soc"
    soc_pins.write(soc, name, out)
    (out / f"{name}.json").write_text(json.dumps(soc.map, indent=1) + "\n")


if __name__ == "__main__":
    main()
