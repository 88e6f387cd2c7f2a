"""Distributed RAM of the ECP5 that uses fewer than four address bits: the others become 1, which an open pin reads as,
instead of 0, which a wire would have to bring to every one of them."""

CELL = "TRELLIS_DPR16X4"


def open_addresses(module):
    """Changes a module of a netlist (yosys' JSON); returns how many address bits. RAM with contents stays as it is."""
    return sum(open_cell(cell["connections"]) for cell in module.get("cells", {}).values()
               if cell["type"] == CELL and not cell["parameters"].get("INITVAL", "").strip("x"))


def open_cell(pins):
    read, write = pins["RAD"], pins["WAD"]
    unused = [i for i in range(len(read)) if read[i] == write[i] == "0"]
    for i in unused:
        read[i], write[i] = "x", "1"
    return len(unused)
