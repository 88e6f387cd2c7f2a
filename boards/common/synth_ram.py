"""Distributed RAM of the ECP5 that uses fewer than four address bits: the others become 1, which an open pin reads as,
instead of 0, which a wire would have to bring to every one of them."""
import json

CELL = "TRELLIS_DPR16X4"


def open_addresses(path):
    """Changes the netlist `path` (JSON of yosys); returns how many address bits. RAM with contents stays as it is."""
    netlist, opened = json.loads(path.read_text()), 0
    for module in netlist["modules"].values():
        for cell in module.get("cells", {}).values():
            if cell["type"] == CELL and not cell["parameters"].get("INITVAL", "").strip("x"):
                opened += open_cell(cell["connections"])
    with path.open("w") as out:
        json.dump(netlist, out)
    return opened


def open_cell(pins):
    read, write = pins["RAD"], pins["WAD"]
    unused = [i for i in range(len(read)) if read[i] == write[i] == "0"]
    for i in unused:
        read[i], write[i] = "x", "1"
    return len(unused)
