"""Carry chains of the ECP5 that begin with a constant: place and route brings it with a further cell and a wire from
afar. The first half of the chain's first cell gives the same carry whatever its carry input is, when the constant is
part of its table; its sum, where it is used, comes from a LUT of its own."""

CELL, LUT = "CCU2C", "LUT4"
INPUTS = ("A0", "B0", "C0", "D0")


def free_starts(module):
    """Changes a module of a netlist (yosys' JSON); returns how many chains no longer need their constant."""
    cells = module.get("cells", {})
    used = {bit for cell in cells.values() for pin, bits in cell["connections"].items()
            if cell["port_directions"].get(pin) == "input" for bit in bits}
    used |= {bit for port in module.get("ports", {}).values() if port["direction"] != "input" for bit in port["bits"]}
    starts = [(name, cell) for name, cell in cells.items() if cell["type"] == CELL and free(cell)]
    for name, cell in starts:
        sums = take_constant(cell)
        total = cell["connections"].get("S0", ["x"])
        if total[0] in used and isinstance(total[0], int):
            cells[f"{name}_S0"] = lut(cell, sums, total)
        for part in ("connections", "port_directions"):
            cell[part].pop("S0", None)
    return len(starts)


def free(cell):
    pins = cell["connections"]
    constant = all(pins[pin][0] in ("0", "1") for pin in ("CIN", "C0", "D0"))
    return constant and cell["parameters"]["INJECT1_0"] == "NO"


def halves(init, c, d, carry):
    """Sum and carry of a half, each as four bits by 2 B + A, with these constants. Of the 16 bits of `init` by
    8 D + 4 C + 2 B + A the carry's generation sees the first four, whatever C and D are."""
    passes = [init >> (8 * d + 4 * c + i) & 1 for i in range(4)]
    sums = [p ^ carry for p in passes]
    carries = [carry if p else init >> i & 1 for i, p in enumerate(passes)]
    return sums, carries


def take_constant(cell):
    """The half passes no carry where C and D are 1, as they are now, and generates what it did; gives its sum."""
    pins, parameters = cell["connections"], cell["parameters"]
    c, d, carry = (int(pins[pin][0]) for pin in ("C0", "D0", "CIN"))
    sums, carries = halves(int(parameters["INIT0"], 2), c, d, carry)
    parameters["INIT0"] = f"{sum(bit << i for i, bit in enumerate(carries)):016b}"
    pins.update(C0=["1"], D0=["1"], CIN=["x"])
    return sums


def lut(cell, sums, total):
    pins = {"A": cell["connections"]["A0"], "B": cell["connections"]["B0"], "C": ["0"], "D": ["0"], "Z": total}
    table = f"{sum(bit << i for i, bit in enumerate(sums)):04b}"
    return {"hide_name": 1, "type": LUT, "parameters": {"INIT": 4 * table}, "attributes": {},
            "port_directions": {pin: "output" if pin == "Z" else "input" for pin in pins}, "connections": pins}
