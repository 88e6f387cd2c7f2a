"""How strongly the RAMs and multipliers of a mapped netlist are tied to each other through the logic between them.

Every net is a set of springs between its cells. The logic goes where they pull it; what is left then are springs between
the RAMs and multipliers alone (the Schur complement of the network's Laplacian), found by conjugate gradients.
"""
import collections

import numpy

MACROS = ("MULT18X18D", "DP16KD")
FEW = 48        # ends of a net that ties its cells together; larger ones say nothing
LEAK = 1e-3     # of every cell, in springs: what is many cells away counts less
ROUNDS, TOGETHER = 30, 64


def edges(cells, index):
    """Springs as (one end, other end, strength) and the number of nodes: the cells and the larger nets' middles."""
    nets = collections.defaultdict(set)
    for name, cell in cells.items():
        for bits in cell["connections"].values():
            for bit in bits:
                if isinstance(bit, int) and name in index:
                    nets[bit].add(index[name])
    found, nodes = [], len(index)
    for ends in nets.values():
        ends = sorted(ends)
        if len(ends) == 2:
            found.append((*ends, 1.0))
        elif len(ends) == 3:
            found += [(ends[0], ends[1], 0.5), (ends[0], ends[2], 0.5), (ends[1], ends[2], 0.5)]
        elif 3 < len(ends) <= FEW:
            found += [(nodes, end, 1.0) for end in ends]
            nodes += 1
    return found, nodes


class Network:
    """Of `few` macros, which are the first nodes, and the logic behind them."""

    def __init__(self, found, nodes, few):
        one, other, strength = (numpy.array(column) for column in zip(*found))
        row, column = numpy.concatenate([one, other]), numpy.concatenate([other, one])
        weight = numpy.concatenate([strength, strength]).astype(numpy.float32)
        order = numpy.argsort(row, kind="stable")
        row, column, weight = row[order], column[order], weight[order]
        self.few, self.soft = few, nodes - few
        self.diagonal = (numpy.bincount(row, weight, nodes)[few:] + LEAK).astype(numpy.float32)[:, None]
        direct = (row < few) & (column < few)
        self.direct = numpy.zeros((few, few))
        numpy.add.at(self.direct, (row[direct], column[direct]), weight[direct])
        out = (row >= few) & (column < few)
        self.out = row[out] - few, column[out], weight[out]
        inside = (row >= few) & (column >= few)
        rows = row[inside] - few
        self.column, self.weight = column[inside] - few, weight[inside][:, None]
        self.filled = numpy.bincount(rows, minlength=self.soft) > 0
        self.starts = numpy.searchsorted(rows, numpy.flatnonzero(self.filled))

    def times(self, x):
        """The logic's own Laplacian times x, for several columns at once."""
        y = self.diagonal * x
        y[self.filled] -= numpy.add.reduceat(x[self.column] * self.weight, self.starts, axis=0)
        return y

    def solve(self, b):
        x = b / self.diagonal
        r = b - self.times(x)
        p = z = r / self.diagonal
        size = (r * z).sum(0)
        for _ in range(ROUNDS):
            q = self.times(p)
            step = size / numpy.maximum((p * q).sum(0), 1e-20)
            x, r = x + step * p, r - step * q
            z = r / self.diagonal
            before, size = size, (r * z).sum(0)
            p = z + size / numpy.maximum(before, 1e-20) * p
        return x

    def affinity(self):
        found = self.direct.copy()
        soft, macro, weight = self.out
        for first in range(0, self.few, TOGETHER):
            count = min(TOGETHER, self.few - first)
            here = (macro >= first) & (macro < first + count)
            b = numpy.zeros((self.soft, count), numpy.float32)
            numpy.add.at(b, (soft[here], macro[here] - first), weight[here])
            x = self.solve(b)
            numpy.add.at(found[:, first:first + count], macro, x[soft] * weight[:, None])
        numpy.fill_diagonal(found, 0)
        return (found + found.T) / 2


def of(cells):
    """(names of the macros, matrix of how strongly two of them are tied)."""
    names = [name for name, cell in cells.items() if cell["type"] in MACROS]
    index = {name: i for i, name in enumerate(names)}
    for name, cell in cells.items():
        if cell["type"] not in MACROS and cell["type"] != "$scopeinfo":
            index[name] = len(index)
    found, nodes = edges(cells, index)
    return names, Network(found, nodes, len(names)).affinity()
