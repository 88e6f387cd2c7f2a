"""The mapped netlist of an ECP5 with fewer wires that bring a constant: synth_ram.py,
synth_carry.py, synth_mult.py."""
import json

import synth_carry
import synth_mult
import synth_ram


def save(path):
    """Changes the netlist `path` (JSON of yosys); returns what was done, in words."""
    netlist = json.loads(path.read_text())
    opened = sum(synth_ram.open_addresses(module) for module in netlist["modules"].values())
    freed = sum(synth_carry.free_starts(module) for module in netlist["modules"].values())
    moved = sum(synth_mult.align(module) for module in netlist["modules"].values())
    with path.open("w") as out:
        json.dump(netlist, out)
    return (f"{opened} unused address bits of distributed RAM left open, {freed} carry chains begin without their constant, "
            f"{moved} copies of signs taken from multipliers")
