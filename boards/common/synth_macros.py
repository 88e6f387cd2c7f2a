"""Places the RAMs and multipliers of an ECP5 before nextpnr places the rest.

nextpnr's placers spread these few hundred cells, each with dozens of wires, one by one to free sites near where they
would like to be: on a device whose rows of multipliers are a quarter of its height apart, that made a third of all wire.
Here they are annealed as a whole by how strongly they are tied to each other (synth_affinity.py).
"""
import argparse
import json
import re
from pathlib import Path

import numpy

import synth_affinity

WORTH = 32           # fewer of them are left to nextpnr
MOVES = 1_500_000
HOT, COLD = 0.5, 1.7e-4  # temperature, of the mean cost of a macro at the start
# Tile (type of the device's database) -> (cell, name of its site).
TILES = {"MIB_DSP0": ("MULT18X18D", "MULT18_0"), "MIB_DSP1": ("MULT18X18D", "MULT18_1"),
         "MIB_DSP4": ("MULT18X18D", "MULT18_4"), "MIB_DSP5": ("MULT18X18D", "MULT18_5"),
         "MIB_EBR0": ("DP16KD", "EBR0"), "EBR_CMUX_UR": ("DP16KD", "EBR0"), "EBR_CMUX_LR": ("DP16KD", "EBR0"),
         "EBR_CMUX_LR_25K": ("DP16KD", "EBR0"), "MIB_EBR2": ("DP16KD", "EBR1"), "MIB_EBR4": ("DP16KD", "EBR2"),
         "MIB_EBR6": ("DP16KD", "EBR3")}


def sites(tilegrid):
    """Cell -> rows of its sites, from below: [[(x, y, site), ...], ...]."""
    found = {}
    for name, tile in tilegrid.items():
        if tile["type"] in TILES:
            cell, site = TILES[tile["type"]]
            y, x = map(int, re.search(r"R(\d+)C(\d+):", name).groups())
            found.setdefault(cell, {}).setdefault(y, set()).add((x, y, site))
    return {cell: [sorted(rows[y]) for y in sorted(rows)] for cell, rows in found.items()}


class Annealer:
    """Macros on their kind's sites; the cost is affinity times distance (in tiles, along both axes)."""

    def __init__(self, kinds, affinity, rows, seed):
        self.affinity, self.random = affinity, numpy.random.default_rng(seed)
        self.sites, self.of = [], {}   # of: kind -> numbers of its sites, row by row
        for kind, lines in rows.items():
            width = min(map(len, lines))
            self.of[kind] = len(self.sites) + numpy.arange(width * len(lines)).reshape(len(lines), width)
            self.sites += [site for line in lines for site in line[:width]]
        self.x = numpy.array([site[0] for site in self.sites], float)
        self.y = numpy.array([site[1] for site in self.sites], float)
        self.owner = [-1] * len(self.sites)
        self.kinds, self.at = kinds, [0] * len(kinds)
        self.start()
        self.mx, self.my = self.x[self.at], self.y[self.at]

    def start(self):
        """From the middle of the device outwards, in any order."""
        middle = self.x.mean(), self.y.mean()
        for kind, numbers in self.of.items():
            order = sorted(numbers.ravel(), key=lambda s: (abs(self.x[s] - middle[0]) + abs(self.y[s] - middle[1]), s))
            mine = [i for i, k in enumerate(self.kinds) if k == kind]
            self.random.shuffle(mine)
            for macro, site in zip(mine, order):
                self.at[macro], self.owner[site] = int(site), macro

    def pull(self, macro, site):
        return self.affinity[macro] @ (numpy.abs(self.mx - self.x[site]) + numpy.abs(self.my - self.y[site]))

    def cost(self):
        return sum(self.pull(macro, site) for macro, site in enumerate(self.at)) / 2

    def near(self, site, kind, reach):
        """Another site, at most `reach` of a row away, in the same row or a neighbouring one; or None."""
        numbers = self.of[kind]
        line, place = divmod(site - int(numbers[0, 0]), numbers.shape[1])
        step = int(numbers.shape[1] * reach) + 1
        place += int(self.random.integers(-step, step + 1))
        line += int(self.random.integers(-1, 2))
        inside = 0 <= line < numbers.shape[0] and 0 <= place < numbers.shape[1]
        return int(numbers[line, place]) if inside and numbers[line, place] != site else None

    def swap(self, macro, target):
        site, other = self.at[macro], self.owner[target]
        self.owner[site], self.owner[target] = other, macro
        for mover, place in ((macro, target), (other, site)):
            if mover >= 0:
                self.at[mover], self.mx[mover], self.my[mover] = place, self.x[place], self.y[place]

    def change(self, macro, target):
        site, other = self.at[macro], self.owner[target]
        delta = self.pull(macro, target) - self.pull(macro, site)
        if other >= 0:
            apart = abs(self.x[site] - self.x[target]) + abs(self.y[site] - self.y[target])
            delta += self.pull(other, site) - self.pull(other, target) + 2 * self.affinity[macro, other] * apart
        return delta

    def run(self, moves):
        heat = HOT * self.cost() / len(self.at)
        cooling = (COLD / HOT) ** (1 / moves)
        chosen, luck = self.random.integers(0, len(self.at), moves), self.random.random(moves)
        for n in range(moves):
            heat *= cooling
            macro = int(chosen[n])
            target = self.near(self.at[macro], self.kinds[macro], max(0.06, 1 - 1.2 * n / moves))
            if target is None:
                continue
            delta = self.change(macro, target)
            if delta < 0 or luck[n] < numpy.exp(-delta / heat):
                self.swap(macro, target)


def place(path, tilegrid, seed, moves=MOVES):
    """Writes the sites into the netlist `path` (JSON of yosys); returns what was done, in words."""
    netlist = json.loads(path.read_text())
    module = max(netlist["modules"].values(), key=lambda m: len(m.get("cells", {})))
    cells = module["cells"]
    kinds = [cell["type"] for cell in cells.values()]
    rows = sites(json.loads(tilegrid.read_text()))
    fit = all(kinds.count(kind) <= len(rows[kind]) * min(map(len, rows[kind])) for kind in synth_affinity.MACROS)
    if "ALU54B" in kinds or not fit or sum(kind in synth_affinity.MACROS for kind in kinds) < WORTH:
        return "RAMs and multipliers left to nextpnr"
    names, affinity = synth_affinity.of(cells)
    annealer = Annealer([cells[name]["type"] for name in names], affinity, rows, seed)
    before = annealer.cost()
    annealer.run(moves)
    for name, site in zip(names, annealer.at):
        x, y, bel = annealer.sites[site]
        cells[name].setdefault("attributes", {})["BEL"] = f"X{x}/Y{y}/{bel}"
    with path.open("w") as out:
        json.dump(netlist, out)
    return f"{len(names)} RAMs and multipliers placed, cost {before:.0f} -> {annealer.cost():.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("netlist", type=Path, help="JSON of yosys, changed")
    parser.add_argument("tilegrid", type=Path, help="the device's tiles, of Trellis' database")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    print(place(a.netlist, a.tilegrid, a.seed))


if __name__ == "__main__":
    main()
