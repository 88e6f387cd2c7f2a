"""What came out: resources against the device, clocks, the longest path by block, and what limits it."""
import json

from synth_board import RESOURCES
from synth_fit import NAMES

DEPTH = 4         # levels of hierarchy that make a block in the table
WIRE_BOUND = 0.6  # share of wires in a path above which placement, not logic, limits it


def read_nextpnr(path, stretch=1.0):
    """The report of a run that was asked for `stretch` times the clocks."""
    found = json.loads(path.read_text())
    for clock in found.get("fmax", {}).values():
        clock["constraint"] = round(clock["constraint"] / stretch, 3)
    return found


def plain(cell):
    """A cell's name without what mapping added to it: u_a.mem.0.0 -> u_a.mem."""
    parts = cell.split(".")
    while len(parts) > 1 and (parts[-1].isdigit() or parts[-1].startswith("$")):
        parts.pop()
    return ".".join(parts)


def block_of(cell, depth=DEPTH):
    """Path of instances of a cell: everything before its last dot, cut at `depth`."""
    return ".".join(plain(cell).split(".")[:-1][:depth]) or "top"


def signal_of(cell):
    """u_a.u_b.sum_q_LUT4_Z_1 -> u_a.u_b.sum_q: what the RTL calls it, as far as it is known."""
    path, _, last = plain(cell).rpartition(".")
    for mark in ("_LUT4_", "_TRELLIS_FF_", "_PFUMX_", "_L6MUX21_", "_CCU2C_", "_DFF", "_ALU_", "_MUX2_", "$"):
        last = last.split(mark)[0] if not last.startswith(mark) else last
    return f"{path}.{last}" if path else last


def by_block(path):
    """Neighbouring steps of one block together: [{block, logic_ns, wires_ns, cells}]. A wire belongs to where it ends."""
    rows = []
    for step in path:
        block = block_of(step["to"]["cell"])
        if not rows or rows[-1]["block"] != block:
            rows.append({"block": block, "logic_ns": 0.0, "wires_ns": 0.0, "cells": 0})
        wires = step["type"] == "routing"
        rows[-1]["wires_ns" if wires else "logic_ns"] += step["delay"]
        rows[-1]["cells"] += step["type"] == "logic"
    for row in rows:
        row.update(logic_ns=round(row["logic_ns"], 2), wires_ns=round(row["wires_ns"], 2))
    return rows


def clock_name(edge):
    """posedge $glbnet$clk_i$TRELLIS_IO_IN -> clk_i."""
    return edge.split(" ", 1)[-1].replace("$glbnet$", "").split("$")[0]


def longest(report):
    """nextpnr's path with the least slack inside one clock; None when there is none."""
    paths = [p for p in report.get("critical_paths", []) if p["from"] == p["to"] and p["path"]]
    fmax = {clock_name(name): f for name, f in report.get("fmax", {}).items()}

    def slack(p):
        wanted = fmax.get(clock_name(p["from"]), {}).get("constraint")
        return (1e3 / wanted if wanted else 0) - sum(s["delay"] for s in p["path"])
    if not paths:
        return None
    worst = min(paths, key=slack)
    steps = worst["path"]
    logic = sum(s["delay"] for s in steps if s["type"] != "routing")
    wires = sum(s["delay"] for s in steps if s["type"] == "routing")
    return {
        "clock": clock_name(worst["from"]), "ns": round(logic + wires, 2), "logic_ns": round(logic, 2), "wires_ns": round(wires, 2),
        "levels": sum(s["type"] == "logic" for s in steps),
        "from": signal_of(steps[0]["from"]["cell"]), "to": signal_of(steps[-1]["to"]["cell"]), "blocks": by_block(steps),
    }


def clocks(report):
    found = []
    for name, f in report.get("fmax", {}).items():
        achieved, wanted = f["achieved"], f["constraint"]
        found.append({"clock": clock_name(name), "fmax_mhz": round(achieved, 2), "wanted_mhz": round(wanted, 2),
                      "slack_ns": round(1e3 / wanted - 1e3 / achieved, 2)})
    return sorted(found, key=lambda c: c["slack_ns"])


def limit(path, resources):
    """One sentence."""
    if path is None:
        return "no path between registers"
    worst = max(path["blocks"], key=lambda b: b["logic_ns"] + b["wires_ns"])
    share = path["wires_ns"] / path["ns"] if path["ns"] else 0
    full = max(resources, key=lambda r: r["share"])
    what = (f"{worst['block']}: {worst['logic_ns'] + worst['wires_ns']:.1f} of {path['ns']:.1f} ns; "
            f"{path['levels']} cells in a row, {share:.0%} of the time in wires")
    if share > WIRE_BOUND:
        what += f": placement limits it ({NAMES[full['resource']]} {full['share']:.0%} full)"
    else:
        what += ": logic limits it, a register would help"
    return what


def resources(board, used):
    return [{"resource": name, "used": used[name], "device": board["resources"][name],
             "share": round(used[name] / max(1, board["resources"][name]), 4)} for name in RESOURCES]


def placed(report, family, used):
    """Counts after packing where place and route gives them, else those of the netlist."""
    utilization = report.get("utilization", {})
    return {name: utilization.get(family["used"][name], {}).get("used", used[name]) for name in RESOURCES}


def make(board, family, config, design, used, steps, report=None):
    """The report as one map; `report` is nextpnr's, None where it was not run."""
    found = {"board": board["name"], "config": config, "design": design.name, "device": board["fpga"]["device"],
             "wanted_mhz": design.mhz, "placed": report is not None,
             "resources": resources(board, used if report is None else placed(report, family, used)),
             "units": family["unit"], "steps": steps}
    if report is not None:
        path = longest(report)
        found.update(clocks=clocks(report), longest_path=path, limit=limit(path, found["resources"]))
        found["meets_timing"] = all(c["slack_ns"] >= 0 for c in found["clocks"])
    return found


def text(found):
    out = [f"{found['board']} ({found['device']}), {found['config']}, {found['design']}"
           + ("" if found["placed"] else ": synthesis only, not placed"), "  resource         used    device  share"]
    for r in found["resources"]:
        out.append(f"  {NAMES[r['resource']]:<11}{r['used']:>10,}{r['device']:>10,}  {r['share']:>5.0%}  {found['units'][r['resource']]}")
    if found["placed"]:
        out += ["  clock                             Fmax    wanted     slack"]
        out += [f"  {c['clock'][:28]:<28}{c['fmax_mhz']:>7.1f} MHz{c['wanted_mhz']:>6.1f} MHz{c['slack_ns']:>7.2f} ns" for c in found["clocks"]]
        out += path_text(found["longest_path"]) + [f"  limits: {found['limit']}"]
    wall, cpu = (sum(s[k] for s in found["steps"]) for k in ("wall_s", "cpu_s"))
    out.append(f"  time: {wall / 60:.1f} min, {cpu / 60:.1f} min of processor")
    return "\n".join(out)


def path_text(path):
    if path is None:
        return []
    out = [f"  longest path: {path['ns']:.2f} ns, {path['logic_ns']:.2f} logic, {path['wires_ns']:.2f} wires",
           f"    from {path['from']}", f"    to   {path['to']}"]
    return out + [f"    {b['block']:<40}{b['logic_ns']:>6.2f} logic {b['wires_ns']:>6.2f} wires {b['cells']:>3} cells" for b in path["blocks"]]


def write(found, folder):
    (folder / "report.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "report.txt").write_text(text(found) + "\n")
