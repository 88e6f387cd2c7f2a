"""Parts of the system on chip in migen's simulator, and descriptions that soc.py refuses. Run with LiteX's Python."""

import random
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

import yaml
from migen import *

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from soc_parts import WidePort, crc32_step  # noqa: E402
from litedram.common import LiteDRAMNativePort  # noqa: E402


class Crc(Module):
    def __init__(self):
        self.byte, self.valid, self.crc = Signal(8), Signal(), Signal(32, reset=0xFFFFFFFF)
        self.sync += If(self.valid, self.crc.eq(crc32_step(self.crc, self.byte)))


class CrcTest(unittest.TestCase):
    def test_equals_zlib(self):
        dut, data = Crc(), random.Random(1).randbytes(200)

        def drive():
            yield dut.valid.eq(1)
            for byte in data:
                yield dut.byte.eq(byte)
                yield
            yield dut.valid.eq(0)
            yield
            yield
            self.assertEqual((yield dut.crc), zlib.crc32(data) ^ 0xFFFFFFFF)

        run_simulation(dut, drive())


class WidePortTest(unittest.TestCase):
    def test_commands_follow_each_other_without_a_rest(self):
        narrow = LiteDRAMNativePort(mode="both", address_width=12, data_width=16)
        dut, seen = WidePort(narrow, 64), []

        def host():
            yield narrow.cmd.ready.eq(1)
            yield dut.port.cmd.valid.eq(1)
            for address in (5, 6, 9):
                yield dut.port.cmd.addr.eq(address)
                yield
                while not (yield dut.port.cmd.ready):
                    yield
            yield dut.port.cmd.valid.eq(0)
            yield

        def watch():
            for cycle in range(20):
                yield
                if (yield narrow.cmd.valid):
                    seen.append((cycle, (yield narrow.cmd.addr)))

        run_simulation(dut, [host(), watch()])
        self.assertEqual([address for _, address in seen], [4 * a + i for a in (5, 6, 9) for i in range(4)])
        self.assertEqual(seen[-1][0] - seen[0][0], 11)


class RefusalTest(unittest.TestCase):
    def refused(self, change, *expected):
        board = yaml.safe_load((HERE.parent / "ulx3s" / "board.yaml").read_text())
        change(board)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "board.yaml"
            path.write_text(yaml.safe_dump(board))
            run = subprocess.run([sys.executable, HERE / "soc.py", "--board", path, "--out", folder], capture_output=True, text=True)
            self.assertFalse(list(Path(folder).glob("*.v")))
        self.assertNotEqual(run.returncode, 0)
        for text in expected:
            self.assertIn(text, run.stderr)
        self.assertNotIn("Traceback", run.stderr)

    def test_memory_that_needs_training(self):
        self.refused(lambda b: b["soc"]["sdram"].update(chip="MT41K64M16"), "MT41K64M16, DDR3", "expected SDR")

    def test_unknown_memory(self):
        self.refused(lambda b: b["soc"]["sdram"].update(chip="NONE"), "found NONE")

    def test_rate(self):
        self.refused(lambda b: b["soc"]["sdram"].update(rate="1:3"), "found 1:3", "1:1 or 1:2")

    def test_family(self):
        self.refused(lambda b: b["fpga"].update(family="ice40"), "found ice40", "ecp5")

    def test_configuration(self):
        self.refused(lambda b: b.update(config="giant"), "found giant", "spec/configs")

    def test_missing_key(self):
        self.refused(lambda b: b["soc"]["sdram"].pop("pins"), "no key pins")


if __name__ == "__main__":
    unittest.main()
