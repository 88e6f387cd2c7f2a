"""boards/common/synth.py with its tools: flow_test.py BUILD [CASES]. Skipped (3) where the tools cannot be had."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TINY = pathlib.Path(__file__).parent / "tiny.sv"
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
MISSING = 3

ADDED = """
name: added
title: A board that only this test knows
config: nano
target_mhz: {mhz}
fpga: {fpga}
clock: {{pin: {clock}, mhz: 25}}
resources: {{lut: {lut}, ff: 10000, dsp: 10, ram: 10}}
serial: {{in: {serial_in}, out: {serial_out}}}
memory: {{kind: none, mib: 0, bits: 0, gb_per_s: 0}}
host: {{link: none}}
"""
ECP5 = {"fpga": "{family: ecp5, device: LFE5U-12F, size: 12k, package: CABGA381, speed: 6}", "clock": "G2", "serial_in": "M1",
        "serial_out": "L4", "lut": 12000, "mhz": 50}
GOWIN = {"fpga": "{family: gowin, device: GW2AR-LV18QN88C8/I7, chip: GW2A-18C, yosys_family: gw2a}", "clock": '"4"',
         "serial_in": '"70"', "serial_out": '"69"', "lut": 12000, "mhz": 50}
XILINX = {"fpga": "{family: xc7, device: xc7a100tcsg324-1}", "clock": "E3", "serial_in": "A9", "serial_out": "D10", "lut": 12000, "mhz": 50}


class Flow(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.out = pathlib.Path(self.temporary.name) / "out"

    def synth(self, *arguments):
        command = [sys.executable, "-B", str(ROOT / "boards" / "common" / "synth.py"), "--build", str(BUILD), "--out", str(self.out), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == MISSING:
            print(f"boards: skipped, {done.stderr}")
            sys.exit(MISSING)
        return done

    def report(self):
        return json.loads((self.out / "report.json").read_text())


class TestTools(Flow):
    def added(self, **values):
        folder = pathlib.Path(self.temporary.name) / "added"
        folder.mkdir()
        (folder / "board.yaml").write_text(ADDED.format(**values))
        return str(folder / "board.yaml")

    def bitstream(self, family, suffix):
        done = self.synth("--board", self.added(**family), "--design", str(TINY))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater((self.out / f"added.{suffix}").stat().st_size, 10000)
        report = self.report()
        self.assertTrue(report["meets_timing"])
        self.assertEqual([r["used"] for r in report["resources"] if r["resource"] in ("dsp", "ram")], [1, 1])
        self.assertGreater(report["clocks"][0]["fmax_mhz"], family["mhz"])
        self.assertIn("u_mac", json.dumps(report["longest_path"]["blocks"]))
        self.assertRegex(done.stdout, r"route: route|place and route: route")

    def test_ecp5(self):
        self.bitstream(ECP5, "bit")

        placed = json.loads((self.out / "placed.json").read_text())["modules"]["top"]
        self.assertTrue(all("NEXTPNR_BEL" in cell["attributes"] for cell in placed["cells"].values()))

    def test_ecp5_placed_for_short_wires(self):
        path = pathlib.Path(self.added(**ECP5))
        path.write_text(path.read_text() + "pnr: {seed: 2, aim: wires}\n")
        done = self.synth("--board", str(path), "--design", str(TINY))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("place and route: route", done.stdout)
        self.assertGreater((self.out / "added.bit").stat().st_size, 10000)

    def test_ecp5_routed_with_time_in_mind(self):
        path = pathlib.Path(self.added(**ECP5))
        path.write_text(path.read_text() + "pnr: {aim: both}\n")
        done = self.synth("--board", str(path), "--design", str(TINY))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.report()["clocks"][0]["wanted_mhz"], ECP5["mhz"])
        self.assertIn('"target_freq": "57500000.000000"', (self.out / "placed.json").read_text())

    def test_packed_netlist(self):
        done = self.synth("--board", self.added(**ECP5), "--design", str(TINY), "--until", "packed")
        self.assertEqual(done.returncode, 0, done.stderr)
        cells = json.loads((self.out / "packed.json").read_text())["modules"]["top"]["cells"]
        self.assertIn("TRELLIS_COMB", {cell["type"] for cell in cells.values()})
        self.assertFalse((self.out / "added.bit").exists())

    def test_gowin(self):
        self.bitstream(GOWIN, "fs")

    def test_xilinx_ends_with_the_estimate(self):
        done = self.synth("--board", self.added(**XILINX), "--design", str(TINY))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("not run: place and route", done.stdout)
        self.assertFalse(self.report()["placed"])

    def test_clock_that_cannot_be_met(self):
        done = self.synth("--board", self.added(**{**ECP5, "mhz": 400}), "--design", str(TINY))
        self.assertEqual(done.returncode, 1)
        self.assertIn("added misses its clock by ", done.stderr)

    def test_too_large_is_said_before_place_and_route(self):
        done = self.synth("--board", self.added(**{**ECP5, "lut": 20}), "--design", str(TINY))
        self.assertEqual(done.returncode, 1)
        self.assertIn("nano does not fit added: ", done.stderr)
        self.assertNotIn(" s  place", done.stdout)


class TestUlx3s(Flow):
    def test_whole_board_meets_its_clock(self):
        done = self.synth("--board", "ulx3s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater((self.out / "ulx3s.bit").stat().st_size, 100000)
        self.assertGreaterEqual(min(c["slack_ns"] for c in self.report()["clocks"]), 0)


if __name__ == "__main__":
    unittest.main()
