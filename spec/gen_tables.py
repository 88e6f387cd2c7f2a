#!/usr/bin/env python3
"""Fit the coefficients of the function pipelines (exp, recip, rsqrt).

  gen_tables.py yaml     print spec/functions.yaml
  gen_tables.py cpp      print spec/function_tables.hpp
  gen_tables.py check    compare both committed files with a fresh fit

Only the standard library, 60 decimal digits, integers at the end: the same
output on every machine. docs/numerics.md says how the numbers are used.
"""
import sys
from decimal import Decimal, getcontext
from pathlib import Path

getcontext().prec = 60

R_FRAC, C2_FRAC, C1_FRAC, D_FRAC, C0_FRAC, Y_FRAC = 25, 12, 20, 16, 30, 23
R_BITS, C2_BITS, C1_BITS, C0_BITS = 18, 13, 22, 31
SEGMENT_BITS = 7  # every table cuts its unit interval into 128 segments

# name, what is tabulated over t in [0, 1), function
TABLES = [
    ("exp", "2^t", lambda t: Decimal(2) ** t),
    ("recip", "2 / (1 + t)", lambda t: 2 / (1 + t)),
    ("rsqrt_even", "2 / sqrt(1 + t)", lambda t: 2 / (1 + t).sqrt()),
    ("rsqrt_odd", "2 / sqrt(2 * (1 + t))", lambda t: 2 / (2 * (1 + t)).sqrt()),
]


def nearest(value):
    return int(value.to_integral_value())


def scaled(bits):
    return Decimal(2) ** bits


def fit_segment(function, index):
    """Integers (c0, c1, c2) for one segment, rounding halves already inside."""
    half = scaled(-SEGMENT_BITS - 1)
    centre = (2 * index + 1) * half
    node = half * Decimal(3).sqrt() / 2  # outer Chebyshev node of degree 3
    low, mid, high = (function(centre + r) for r in (-node, Decimal(0), node))

    c2 = nearest((low + high - 2 * mid) / (2 * node * node) * scaled(C2_FRAC))
    c2_real = c2 / scaled(C2_FRAC)
    c1_real = (high - low) / (2 * node)
    # Truncating d and r*c2 loses half a unit on average: put it back here.
    c1 = nearest(c1_real * scaled(C1_FRAC) + scaled(C1_FRAC - D_FRAC - 1) + Decimal("0.5"))
    # c0 centres what is left; then come the rounding halves of y and of r*d.
    points = [half * k / 32 for k in range(-32, 33)]
    rest = [function(centre + r) - r * (c1_real + r * c2_real) for r in points]
    c0_real = (min(rest) + max(rest)) / 2
    c0 = nearest(c0_real * scaled(C0_FRAC) + scaled(C0_FRAC - Y_FRAC - 1) + Decimal("0.5"))
    return c0, c1, c2


def fit_all():
    rom = [fit_segment(f, i) for _, _, f in TABLES for i in range(1 << SEGMENT_BITS)]
    for c0, c1, c2 in rom:
        assert 0 <= c0 < 1 << C0_BITS, c0
        assert -(1 << (C1_BITS - 1)) <= c1 < 1 << (C1_BITS - 1), c1
        assert 0 <= c2 < 1 << C2_BITS, c2
    return rom


def lines_of(rom, open_mark, close_mark, indent):
    rows = [f"{open_mark}{a}, {b}, {c}{close_mark}" for a, b, c in rom]
    groups = [rows[i:i + 3] for i in range(0, len(rows), 3)]
    return ",\n".join(indent + ", ".join(group) for group in groups)


def yaml_text(rom):
    bases = "\n".join(
        f"  {name}: {{base: {i << SEGMENT_BITS}, entries: {1 << SEGMENT_BITS}, value: \"{text}\"}}"
        for i, (name, text, _) in enumerate(TABLES))
    return f"""# Coefficients of the function pipelines; printed by gen_tables.py, explained in docs/numerics.md.
# y = c0 + r * (c1 + r * c2); widths include the sign bit of signed fields.
format:
  r: {{width: {R_BITS}, frac: {R_FRAC}, signed: true}}
  c0: {{width: {C0_BITS}, frac: {C0_FRAC}, signed: false}}
  c1: {{width: {C1_BITS}, frac: {C1_FRAC}, signed: true}}
  c2: {{width: {C2_BITS}, frac: {C2_FRAC}, signed: false}}
  d: {{width: 18, frac: {D_FRAC}, signed: true}}
  y: {{width: 25, frac: {Y_FRAC}, signed: false}}
log2e: {{width: 32, frac: 31, value: {nearest(scaled(31) / Decimal(2).ln())}}}
tables:
{bases}
# One entry per address: [c0, c1, c2].
rom: [
{lines_of(rom, "[", "]", "  ")}
]
"""


def cpp_text(rom):
    return f"""// Printed by gen_tables.py from the same fit as functions.yaml. Do not edit.
#pragma once

#include <cstdint>

namespace jogak {{ namespace num {{

struct FunctionEntry {{
  std::uint32_t c0;  // {C0_BITS} bits, {C0_FRAC} of them fraction
  std::int32_t c1;   // {C1_BITS} bits signed, {C1_FRAC} fraction
  std::uint16_t c2;  // {C2_BITS} bits, {C2_FRAC} fraction
}};

constexpr std::uint32_t log2e_q31 = {nearest(scaled(31) / Decimal(2).ln())}u;

// A template only so that C++14 gives the table one address in all files.
template <class Unused = void>
struct FunctionRom {{
  static constexpr FunctionEntry entries[{len(rom)}] = {{
{lines_of(rom, "{", "}", "    ")}
  }};
}};
template <class Unused>
constexpr FunctionEntry FunctionRom<Unused>::entries[{len(rom)}];

}} }}  // namespace jogak::num
"""


def main(argv):
    here = Path(__file__).resolve().parent
    outputs = {"yaml": ("functions.yaml", yaml_text), "cpp": ("function_tables.hpp", cpp_text)}
    rom = fit_all()
    if argv[1:] == ["check"]:
        stale = [name for name, text in outputs.values() if (here / name).read_text() != text(rom)]
        if stale:
            sys.exit(f"gen_tables: {', '.join(stale)} differs from the fit, expected equal text")
    elif len(argv) == 2 and argv[1] in outputs:
        sys.stdout.write(outputs[argv[1]][1](rom))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv)
