"""What the HLS kernel needs, by jogak-hls-report, beside what the board's device has."""
import json
import subprocess
from pathlib import Path

from synth_board import Failure, Wrong

PROGRAM = "jogak-hls-report"


def needs(build, config):
    """The report as a map. Builds the program where the build folder can."""
    build = Path(build)
    program = build / "bin" / PROGRAM
    if (build / "build.ninja").exists():
        done = subprocess.run(["cmake", "--build", build, "--target", PROGRAM], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{PROGRAM}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    if not program.exists():
        raise Wrong("scripts from hls", f"no {program}", f"a build folder with it (ninja {PROGRAM})", status=3)
    done = subprocess.run([program, "--config", config, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(done.stderr.strip())
    return json.loads(done.stdout)


def rows(report, board):
    """[(resource, needs, has, how)]; streams are shift registers."""
    has = board["resources"]
    found = [("DSP blocks", sum(report["dsp"].values()), has["dsp"], ", ".join(f"{k} {v:,}" for k, v in report["dsp"].items())),
             ("block RAMs", sum(ram["ram"] for ram in report["rams"]), has["ram"], ", ".join(f"{ram['name']} {ram['ram']}" for ram in report["rams"]))]
    found.append(("LUTs", sum(s["lut"] for s in report["streams"]), has["lut"], f"of {len(report['streams'])} streams alone; arithmetic and control are not estimated"))
    return found


def text(report, board):
    out = [f"HLS kernel, {report['config']}, estimated from its sources; no tool has confirmed it", f"  {'':<12}{'needs':>9}{'has':>12}"]
    out += [f"  {name:<12}{needed:>9,}{has:>12,}  {how}".rstrip() for name, needed, has, how in rows(report, board)]
    mhz = board["target_mhz"]
    for work in report["works"]:
        seconds, peak = work["cycles"] / mhz / 1e6, report["cells"] * work["cycles"]
        out.append(f"  {work['what']}: {work['cycles']:,} cycles, {1e3 * seconds:.3f} ms at {mhz} MHz, {work['macs'] / peak:.1%} of the array's peak")
    return "\n".join(out)


def check(report, board):
    """Refuses what does not fit by the estimate, which is the least that the sources ask for."""
    over = [f"{needed:,} {name} of {has:,}, {needed - has:,} too many ({(needed - has) / max(1, has):.0%})"
            for name, needed, has, _ in rows(report, board) if needed > has]
    if over:
        raise Failure(f"the HLS kernel of {report['config']} does not fit {board['name']}: " + "; ".join(over))
