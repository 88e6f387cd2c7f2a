"""Multipliers of the ECP5 with narrow signed operands: a factor is moved up to the operand's end, with zeros below it,
which need no wire, instead of copies of its sign above it, which need one each. The product moves up likewise."""

CELL, WIDTH = "MULT18X18D", 18


def align(module):
    """Changes a module of a netlist (yosys' JSON); returns how many ends of wires are gone."""
    cells = module.get("cells", {})
    used = {bit for cell in cells.values() for pin, bits in cell["connections"].items()
            if cell["port_directions"].get(pin) == "input" for bit in bits}
    used |= {bit for port in module.get("ports", {}).values() if port["direction"] != "input" for bit in port["bits"]}
    return sum(align_cell(cell["connections"], used) for cell in cells.values() if cell["type"] == CELL and plain(cell))


def plain(cell):
    """A product of its two operands and nothing else."""
    return not any(key.startswith("REG_") and key.endswith("_CLK") and value != "NONE" for key, value in cell["parameters"].items())


def copies(pins, operand):
    """Copies of the sign above it, of a signed operand that is not constant."""
    top = pins[f"{operand}{WIDTH - 1}"][0]
    if pins[f"SIGNED{operand}"] != ["1"] or not isinstance(top, int):
        return 0
    return next(i for i in range(WIDTH) if i == WIDTH - 1 or pins[f"{operand}{WIDTH - 2 - i}"][0] != top)


def align_cell(pins, used):
    up = {operand: copies(pins, operand) for operand in "AB"}
    moved = sum(up.values())
    product = [pins.get(f"P{i}", ["x"]) for i in range(2 * WIDTH)]
    if moved == 0 or any(isinstance(bit, int) and bit in used for bits in product[2 * WIDTH - moved:] for bit in bits):
        return 0
    for operand, by in up.items():
        bits = [pins[f"{operand}{i}"] for i in range(WIDTH)]
        for i in range(WIDTH):
            pins[f"{operand}{i}"] = bits[i - by] if i >= by else ["0"]
    for i in range(2 * WIDTH):
        pins[f"P{i}"] = product[i - moved]  # the first ones: those that nobody reads
    return moved
