"""boards/common/synth_macros.py and synth_affinity.py: macros_test.py BUILD. Skipped (3) where no Python has numpy."""
import itertools
import json
import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1]).resolve()
try:
    import numpy
except ImportError:
    python = BUILD / "synth-tools" / "bin" / "python"
    if not python.exists() or pathlib.Path(sys.prefix).resolve() == python.parents[1].resolve():
        print("boards: skipped, no numpy (./jogak synth installs it with its tools)")
        sys.exit(3)
    os.execv(python, [str(python), "-B", *sys.argv])
del sys.argv[1]
sys.path.insert(0, str(ROOT / "boards" / "common"))
import synth_affinity  # noqa: E402
import synth_macros  # noqa: E402

RAM, MULTIPLIER = "DP16KD", "MULT18X18D"


def cell(kind, *bits):
    return {"type": kind, "connections": {f"P{i}": [bit] for i, bit in enumerate(bits)}}


def tilegrid(rows, columns):
    """Groups of four multipliers and four RAMs, as the device's database names their tiles."""
    found = {}
    for row, group in itertools.product(range(rows), range(columns)):
        for offset, tile in ((0, "MIB_DSP0"), (1, "MIB_DSP1"), (4, "MIB_DSP4"), (5, "MIB_DSP5")):
            found[f"MIB_R{24 * row + 10}C{9 * group + 4 + offset}:{tile}"] = {"type": tile}
        for offset, tile in ((0, "MIB_EBR0"), (2, "MIB_EBR2"), (4, "MIB_EBR4"), (6, "MIB_EBR6")):
            found[f"MIB_R{24 * row + 22}C{9 * group + 4 + offset}:{tile}"] = {"type": tile}
    found["R1C1:PLC2"] = {"type": "PLC2"}
    return found


class TestAffinity(unittest.TestCase):
    def test_wires_in_a_row_share_their_strength_and_parallel_ones_add(self):
        cells = {"a": cell(RAM, 1, 10, 11), "l1": cell("LUT4", 1, 2), "l2": cell("LUT4", 2, 3), "b": cell(MULTIPLIER, 3, 20),
                 "m1": cell("LUT4", 10, 12), "m2": cell("LUT4", 11, 13), "c": cell(RAM, 12, 13), "alone": cell("LUT4", 99)}
        names, found = synth_affinity.of(cells)
        self.assertEqual(names, ["a", "b", "c"])
        self.assertAlmostEqual(found[0, 1], 1 / 3, places=2)
        self.assertAlmostEqual(found[0, 2], 2 / 2, places=2)
        self.assertEqual(found[1, 2], 0)
        self.assertTrue((found == found.T).all())

    def test_a_net_of_several_ends_ties_them_all_and_a_large_one_none(self):
        few = {f"r{i}": cell(RAM, 1) for i in range(4)}
        _, found = synth_affinity.of(few | {"x": cell("LUT4", 2), "y": cell("LUT4", 2)})
        for i, j in itertools.combinations(range(4), 2):
            self.assertAlmostEqual(found[i, j], 1 / 4, places=2)
        many = {f"r{i}": cell(RAM, 1) for i in range(synth_affinity.FEW + 1)}
        _, found = synth_affinity.of(many | {"x": cell("LUT4", 2), "y": cell("LUT4", 2), "z": cell(RAM, 2)})
        self.assertEqual(found[:-1, :-1].sum(), 0)


class TestMacros(unittest.TestCase):
    def chain(self, count):
        """Multipliers and RAMs in turn, each tied to the next by eight wires through a cell."""
        cells = {}
        for i in range(count):
            cells[f"m{i}"] = cell(RAM if i % 2 else MULTIPLIER, *range(100 * i, 100 * i + 8), *range(100 * i - 50, 100 * i - 42))
            cells[f"l{i}"] = cell("LUT4", *range(100 * i, 100 * i + 8), *range(100 * i + 50, 100 * i + 58))
        return cells

    def place(self, cells, grid):
        with tempfile.TemporaryDirectory() as folder:
            netlist, tiles = pathlib.Path(folder) / "netlist.json", pathlib.Path(folder) / "tilegrid.json"
            netlist.write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
            tiles.write_text(json.dumps(grid))
            said = synth_macros.place(netlist, tiles, 1, moves=40_000)
            return said, json.loads(netlist.read_text())["modules"]["top"]["cells"]

    def test_every_macro_has_a_site_of_its_kind_and_ties_are_short(self):
        said, cells = self.place(self.chain(40), tilegrid(2, 4))
        at = {name: c["attributes"]["BEL"] for name, c in cells.items() if "attributes" in c}
        self.assertEqual(set(at), {f"m{i}" for i in range(40)})
        self.assertEqual(len(set(at.values())), 40)
        for name, site in at.items():
            self.assertRegex(site, r"^X\d+/Y(22|46)/EBR[0-3]$" if cells[name]["type"] == RAM else r"^X\d+/Y(10|34)/MULT18_[0145]$")
        before, after = map(int, said.split("cost ")[1].split(" -> "))
        self.assertLess(after, 0.6 * before)

    def test_few_macros_too_many_and_products_with_sums_are_left_alone(self):
        for cells in (self.chain(8), self.chain(80), self.chain(40) | {"sum": cell("ALU54B", 9999)}):
            said, found = self.place(cells, tilegrid(2, 4))
            self.assertEqual(said, "RAMs and multipliers left to nextpnr")
            self.assertEqual(found, cells)

    def test_the_same_seed_gives_the_same_sites(self):
        grid, cells = tilegrid(2, 4), self.chain(36)
        self.assertEqual(self.place(cells, grid), self.place(cells, grid))


if __name__ == "__main__":
    unittest.main()
