"""board.yaml and synth_families.yaml: read, checked, and what a mistake is called."""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = ("lut", "ff", "dsp", "ram")
NUMBER, TEXT, MAP = (int, float), str, dict
# Key -> type; a trailing ? marks what may be left out, * any further keys.
SCHEMA = {
    "name": TEXT, "title": TEXT, "config": TEXT, "target_mhz": NUMBER,
    "fpga": {"family": TEXT, "device": TEXT, "*": None},
    "clock": {"mhz": NUMBER, "pin?": TEXT},
    "resources": {name: NUMBER for name in RESOURCES},
    "serial?": {"in": TEXT, "out": TEXT},
    "memory": {"kind": TEXT, "mib": NUMBER, "bits": NUMBER, "gb_per_s": NUMBER},
    "host": {"link": TEXT, "*": None},
    "io?": TEXT, "pnr?": {"seed?": NUMBER, "aim?": TEXT, "ask?": NUMBER}, "soc?": MAP, "vendor?": MAP,
}


# Short critical paths in placement alone, in placement and routing, or nowhere.
AIMS = ("time", "both", "wires")


class Failure(Exception):
    """A sentence for the user; status is the exit status."""

    def __init__(self, sentence, status=1):
        super().__init__(sentence)
        self.status = status


class Wrong(Failure):
    def __init__(self, what, found, expected, status=1):
        super().__init__(f"{what}, found {found}, expected {expected}", status)


def load(path):
    import yaml  # only in the tools' virtual environment
    try:
        return yaml.safe_load(Path(path).read_text())
    except yaml.YAMLError as error:
        raise Wrong(f"{path}", " ".join(str(error).split()), "YAML") from error


def check(value, schema, where):
    if not isinstance(value, dict):
        raise Wrong(where, f"{value!r}", "keys with values")
    known = {key.rstrip("?"): key.endswith("?") for key in schema if key != "*"}
    for key in value:
        if key not in known and "*" not in schema:
            raise Wrong(where, f"unknown key {key}", "one of " + ", ".join(known))
    for key, optional in known.items():
        if key not in value:
            if optional:
                continue
            raise Wrong(where, f"no {key}", f"{key} and its value")
        kind = schema[key + "?" if optional else key]
        if isinstance(kind, dict):
            check(value[key], kind, f"{where}: {key}")
        elif not isinstance(value[key], kind) or isinstance(value[key], bool):
            raise Wrong(f"{where}: {key}", repr(value[key]), {NUMBER: "a number", TEXT: "text", MAP: "keys with values"}[kind])
        elif kind == NUMBER and value[key] < 0:
            raise Wrong(f"{where}: {key}", value[key], "no negative number")


def names():
    return sorted(path.parent.name for path in (ROOT / "boards").glob("*/board.yaml"))


def configs():
    return sorted(path.stem for path in (ROOT / "spec" / "configs").glob("*.yaml"))


def locate(board):
    """NAME of boards/ or the path of a board.yaml -> path."""
    path = Path(board) if board.endswith(".yaml") else ROOT / "boards" / board / "board.yaml"
    if not path.is_file():
        raise Wrong("unknown board", board, "one of " + ", ".join(names()) + ", or a path to a board.yaml")
    return path


def check_config(config):
    if config not in configs():
        raise Wrong("unknown configuration", config, "one of " + ", ".join(configs()))
    return config


def families():
    return load(Path(__file__).parent / "synth_families.yaml")


def read(path):
    """(board, its family), both as checked maps."""
    board = load(path)
    check(board, SCHEMA, str(path))
    if board["name"] != path.resolve().parent.name:
        raise Wrong(f"{path}: name", board["name"], f"the folder's, {path.resolve().parent.name}")
    check_config(board["config"])
    known = families()
    if board["fpga"]["family"] not in known:
        raise Wrong(f"{path}: fpga: family", board["fpga"]["family"], "one of " + ", ".join(known))
    family = known[board["fpga"]["family"]]
    if aim(board) not in AIMS:
        raise Wrong(f"{path}: pnr: aim", aim(board), ", ".join(AIMS))
    if "pnr" in family:
        check_pins(board, family, path)
    return board, family


def aim(board):
    return board.get("pnr", {}).get("aim", AIMS[0])


def check_pins(board, family, path):
    """What place and route needs: pins, and the keys of fpga that its arguments name."""
    if "pin" not in board["clock"]:
        raise Wrong(f"{path}: clock", "no pin", "the clock's pin")
    if "serial" not in board:
        raise Wrong(f"{path}", "no serial", "serial: {in: PIN, out: PIN}")
    given = dict.fromkeys(("json", "routed", "placed", "constraints", "bitstream"), "")
    for step in (family["pnr"], family["pack"]):
        for argument in step["arguments"] + step.get("route", []) + step.get("result", []):
            try:
                argument.format(**given, **board["fpga"])
            except KeyError as missing:
                raise Wrong(f"{path}: fpga", f"no {missing.args[0]}", f"what {step['program']} needs") from missing
