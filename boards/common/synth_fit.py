"""Does the mapped netlist fit the device? Asked before place and route, which would take long to say no."""
import json
import math
from pathlib import Path

from synth_board import RESOURCES, Failure

SIZES = Path(__file__).parent / "synth_sizes.json"
NAMES = {"lut": "LUTs", "ff": "flip-flops", "dsp": "DSP blocks", "ram": "block RAMs"}


def cells_of(stat):
    """yosys' `stat -json`, with or without text around it -> cell -> count."""
    start = stat.index("{")
    return json.JSONDecoder().raw_decode(stat[start:])[0]["design"]["num_cells_by_type"]


def usage(family, cells):
    """Resource -> units of the device."""
    return {name: math.ceil(sum(weight * cells.get(cell, 0) for cell, weight in family["counts"][name].items()))
            for name in RESOURCES}


def overflow(used, resources):
    """[(resource, units too many)], the worst first."""
    over = [(name, used[name] - resources[name]) for name in RESOURCES if used[name] > resources[name]]
    return sorted(over, key=lambda item: -item[1] / max(1, resources[item[0]]))


def recorded(path=SIZES):
    """family -> design -> configuration -> resource -> units, as --record wrote them."""
    return json.loads(path.read_text()) if path.exists() else {}


def record(family_name, design, config, used, path=SIZES):
    sizes = recorded(path)
    sizes.setdefault(family_name, {}).setdefault(design, {})[config] = used
    path.write_text(json.dumps(sizes, indent=1, sort_keys=True) + "\n")


def nearest(measured, resources, wanted):
    """The largest measured configuration, other than the wanted one, that fits; None if none does."""
    fits = [config for config, used in measured.items() if config != wanted and not overflow(used, resources)]
    return max(fits, key=lambda config: measured[config]["lut"], default=None)


def verdict(board, config, used, measured):
    """None, or the sentence that says what does not fit and what would."""
    over = overflow(used, board["resources"])
    if not over:
        return None
    parts = [f"{used[name]:,} {NAMES[name]} of {board['resources'][name]:,}, {extra:,} too many ({extra / max(1, board['resources'][name]):.0%})"
             for name, extra in over]
    other = nearest(measured, board["resources"], config)
    if other is not None:
        hint = f"{other} fits"
    else:
        asked = ", ".join(sorted({config, *measured}))
        hint = f"no configuration measured so far fits ({asked})"
    return f"{config} does not fit {board['name']}: " + "; ".join(parts) + f"; {hint}"


def check(board, config, used, measured):
    sentence = verdict(board, config, used, measured)
    if sentence is not None:
        raise Failure(sentence)
