"""The programs: where they are, running them with progress, what to say when one is missing."""
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from synth_board import Wrong

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "synth-requirements.txt"
MISSING = 3  # exit status

# Lines of the tools that begin a new stage, and what it is called. One table for all tools.
STAGES = [(re.compile(pattern), name) for pattern, name in (
    (r"Executing SLANG frontend", "read the RTL"),
    (r"Executing FLATTEN pass", "flatten"),
    (r"Executing PEEPOPT pass", "optimise"),
    (r"Executing MEMORY_LIBMAP pass", "map memories"),
    (r"Executing ABC9? pass", "map look-up tables"),
    (r"Executing AUTONAME pass", "name cells"),
    (r"Executing JSON backend", "write the netlist"),
    (r"Info: Packing constants", "pack"),
    (r"Info: Creating initial analytic placement", "place"),
    (r"Info: Running simulated annealing placer", "refine the placement"),
    (r"Info: Routing globals", "route clocks"),
    (r"Info: (?:Running router|Routing\.\.)", "route"),
    (r"Info: Router2? time|Info: Checksum.*routed", "timing"),
)]


def install(venv):
    """A virtual environment with the pinned tools, made once."""
    mark = venv / "installed.txt"
    if mark.exists() and mark.read_text() == REQUIREMENTS.read_text():
        return
    log = venv.with_suffix(".log")
    venv.parent.mkdir(parents=True, exist_ok=True)
    print(f"synth: installing yosys, nextpnr and packers from PyPI into {venv} (once, about 600 MB)", file=sys.stderr)
    shutil.rmtree(venv, ignore_errors=True)
    for what, command in (("virtual environment (package python3-venv)", [sys.executable, "-m", "venv", str(venv)]),
                          (f"packages of {REQUIREMENTS}", [str(venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS)])):
        with log.open("w") as out:
            if subprocess.run(command, stdout=out, stderr=out, check=False).returncode != 0:
                raise Wrong("tools not installed", f"an error, in {log}", what, MISSING)
    mark.write_text(REQUIREMENTS.read_text())


def find(program, brings, where):
    """Path of a tool in the virtual environment `where`, or on the PATH where `where` is None."""
    if where is None:
        found = shutil.which(program)
        if found is None:
            raise Wrong(f"{program} is missing", "nothing of that name on the PATH",
                        f"what the Python package {brings} brings; without --tools system it is installed", MISSING)
        return found
    for name in (f"yowasp-{program}", program):
        if (where / "bin" / name).exists():
            return str(where / "bin" / name)
    raise Wrong(f"{program} is missing", f"no such program in {where / 'bin'}",
                f"the Python package {brings}: remove {where} and run again", MISSING)


def data(path, where):
    """A file that a tool's package brings, in the virtual environment `where`; None for programs of the system's."""
    return None if where is None else next(where.glob(f"lib/python3*/site-packages/{path}"), None)


class Steps:
    """Runs programs in one folder; prints each stage with the time since the start; keeps times per step."""

    def __init__(self, folder):
        self.folder, self.start, self.times = Path(folder), time.monotonic(), []

    def say(self, text):
        print(f"synth: {time.monotonic() - self.start:7.1f} s  {text}", flush=True)

    def run(self, name, command, environment=None):
        """Output goes to <folder>/<name>.log; raises with its last lines when the program fails."""
        self.say(name)
        wall, cpu, log = time.monotonic(), self.cpu(), self.folder / f"{name.replace(' ', '-')}.log"
        with log.open("w", buffering=1) as out:
            process = subprocess.Popen([str(c) for c in command], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, errors="replace", env={**os.environ, **(environment or {})})
            self.follow(process.stdout, out, name)
        status = process.wait()
        self.times.append({"step": name, "wall_s": round(time.monotonic() - wall, 1), "cpu_s": round(self.cpu() - cpu, 1)})
        if status != 0:
            lines = log.read_text().splitlines()
            wrong = [line for line in lines if "ERROR" in line or "error:" in line]
            tail = "\n".join((wrong or lines)[-8:])
            raise Wrong(f"{name}: {Path(command[0]).name} failed", f"exit status {status}", f"0; {log} ends:\n{tail}")
        return log

    def follow(self, lines, out, name):
        seen = None
        for line in lines:
            out.write(line)
            for pattern, stage in STAGES:
                if stage != seen and pattern.search(line):
                    seen = stage
                    self.say(f"{name}: {stage}")
                    break

    @staticmethod
    def cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
