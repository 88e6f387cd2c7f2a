"""Scripts for AMD's tools: every address, port and width against spec/ and board.yaml; Tcl and shell in dry runs.

  scripts_test.py BUILD VERILATOR    BUILD: folder with gen/ of specgen. Exit status 3: PyYAML or tclsh is missing.
"""
import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
import xml.etree.ElementTree as ET
from pathlib import Path

try:
    import yaml
except ImportError:
    sys.exit(3)
if shutil.which("tclsh") is None:
    sys.exit(3)

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "boards" / "common"))
import amd  # noqa: E402
import synth_board  # noqa: E402

BUILD, VERILATOR = Path(sys.argv[1]).resolve(), sys.argv[2]
BOARDS = [name for name in synth_board.names() if "vendor" in yaml.safe_load(synth_board.locate(name).read_text())]
PORT = re.compile(r"^  (?:input|output) +wire +(?:\[(.+?)\])? *(\w+),?$", re.M)


def spec():
    return yaml.safe_load((ROOT / "spec" / "npu.yaml").read_text())


def sizes(config):
    return yaml.safe_load((ROOT / "spec" / "configs" / f"{config}.yaml").read_text())


def launch_registers():
    """What a launch sets, straight from spec/npu.yaml: {offset: bytes}."""
    found = {}
    for name, r in spec()["csrs"].items():
        if r["access"] == "rw" and r["offset"] >= 0x10 and "_hi" not in name:
            for i in range(r.get("count", 1)):
                found[r["offset"] + i * r.get("stride", 4)] = 8 if "_lo" in name else 4
    return found


def tcl(script, ports, *answers):
    return subprocess.run(["tclsh", HERE / "vivado.tcl", script, " ".join(ports), *answers], capture_output=True, text=True, check=False)


class Generated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="jogak-amd-")
        cls.out, cls.boards = {}, {}
        for name in BOARDS:
            board, _ = synth_board.read(synth_board.locate(name))
            cls.boards[name], cls.out[name] = board, Path(cls.folder.name) / name
            amd.scripts(board, board["config"], BUILD, cls.out[name])

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def each(self):
        for name in BOARDS:
            yield name, self.boards[name], self.out[name]

    def ports(self, out):
        text = (out / "rtl" / "npu_kernel.v").read_text()
        return {name: width for width, name in PORT.findall(text)}

    def pins(self, out):
        """Pins of the kernel's cell: single ones, the two buses, the segment of its registers."""
        buses = ["s_axi_control", "m_axi_gmem", "s_axi_control/reg0"]
        return [p for p in self.ports(out) if not p.startswith(("s_axi_", "m_axi_"))] + buses

    def dry_run(self, out, script, *answers):
        done = tcl(out / script, self.pins(out), *answers)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def test_boards(self):
        self.assertLessEqual({"kv260", "u50", "u55c"}, set(BOARDS))

    def test_every_file_says_not_run(self):
        for _, _, out in self.each():
            for path in out.iterdir():
                if path.is_file() and path.suffix != ".bif":
                    self.assertIn("Not run here", path.read_text(), path.name)

    def test_kernel_xml_is_the_register_map(self):
        for _, board, out in self.each():
            if "vitis" not in board["vendor"]:
                continue
            kernel = ET.parse(out / "kernel.xml").getroot().find("kernel")
            self.assertEqual(kernel.get("name"), "npu_kernel")
            self.assertEqual(kernel.get("hwControlProtocol"), "ap_ctrl_chain")
            ports = {p.get("name"): p for p in kernel.iter("port")}
            self.assertEqual(int(ports["m_axi_gmem"].get("dataWidth")), 8 * sizes(board["config"])["port_bytes"])
            self.assertEqual(int(ports["s_axi_control"].get("range"), 0), 4096)
            args = list(kernel.iter("arg"))
            self.assertEqual([int(a.get("id")) for a in args], list(range(len(args))))
            self.assertEqual(len({a.get("name") for a in args}), len(args))
            self.assertEqual({int(a.get("offset"), 0): int(a.get("size"), 0) for a in args}, launch_registers())
            for a in args:
                pointer = a.get("size") == "0x8"
                self.assertEqual(a.get("addressQualifier"), str(int(pointer)))
                self.assertEqual(a.get("port"), "m_axi_gmem" if pointer else "s_axi_control")
                self.assertEqual(a.get("type"), "void*" if pointer else "uint")

    def test_packaging_takes_all_sources_and_registers(self):
        for _, board, out in self.each():
            calls = self.dry_run(out, "package.tcl")
            added = next(c for c in calls if c[0] == "add_files")[2].split()
            listed = [line for line in (ROOT / "rtl" / "files.f").read_text().splitlines() if line and line[0] not in "/ "]
            names = ["npu_pkg.sv", "npu_func_pkg.sv", *(Path(f).name for f in listed), "npu_kernel.v"]
            self.assertEqual([Path(a).name for a in added], names)
            for path in added:
                self.assertTrue(Path(path).exists(), path)
            values = {}
            for c in calls:
                if c[0] == "ipx::add_register":
                    last = values[c[1]] = {}
                elif c[:2] in (["set_property", "address_offset"], ["set_property", "size"]):
                    last[c[1]] = int(c[2], 0)
            found = {v["address_offset"]: v["size"] // 8 for v in values.values()}
            self.assertEqual(found, launch_registers() | {0: 4, 4: 4, 8: 4, 12: 4})
            pointers = [c for c in calls if c[0] == "ipx::add_register_parameter"]
            self.assertEqual(len(pointers), sum(size == 8 for size in launch_registers().values()))
            self.assertIn(["create_project", "-force", "package", str(out / "package"), "-part", board["vendor"]["part"]], calls)
            xo = [c for c in calls if c[0] == "package_xo"]
            self.assertEqual(len(xo), int("vitis" in board["vendor"]))
            if xo:
                self.assertEqual(xo[0][xo[0].index("-ctrl_protocol") + 1], "ap_ctrl_chain")

    def test_block_design(self):
        for _, board, out in self.each():
            v = board["vendor"]
            if "processor" not in v:
                continue
            calls = self.dry_run(out, "design.tcl")
            registers = next(c for c in calls if c[0] == "assign_bd_address" and "-offset" in c)
            self.assertEqual(int(registers[registers.index("-offset") + 1], 0), v["registers"])
            self.assertEqual(int(registers[registers.index("-range") + 1], 0), 4096)
            ends = {frozenset(c[1:]) for c in calls if c[0].startswith("connect_bd")}
            connected = {end for pair in ends for end in pair}
            for pin in self.pins(out):
                if pin != "s_axi_control/reg0":
                    self.assertIn(f"npu/{pin}", connected)
            self.assertIn(f"{board['target_mhz']}", next(c for c in calls if c[:2] == ["set_property", "-dict"])[2])
            order = [c[0] for c in calls]
            for first, then in zip(("connect_bd_net", "assign_bd_address", "validate_bd_design", "launch_runs", "write_bitstream"),
                                   ("assign_bd_address", "validate_bd_design", "launch_runs", "write_bitstream", "write_hw_platform")):
                self.assertLess(order.index(first), order.index(then))

    def test_a_bad_run_of_the_tool_ends_the_script(self):
        for _, board, out in self.each():
            if "processor" not in board["vendor"]:
                continue
            for answer, sentence in (("slack=-0.1", "timing, found a slack of -0.1 ns"), ("progress=40%", "expected a bitstream"),
                                     ("ips=none", "expected it in this Vivado")):
                done = tcl(out / "design.tcl", self.pins(out), answer)
                self.assertEqual(done.returncode, 1)
                self.assertIn(sentence, done.stderr)
            if "board_part" in board["vendor"]:
                self.assertIn("expected them installed", tcl(out / "design.tcl", self.pins(out), "boards=").stderr)

    def test_the_dry_run_finds_mistakes(self):
        out = self.out["kv260"]
        for script, old, new, sentence in (
                ("design.tcl", "create_bd_design", "create_bd_desing", "invalid command name"),
                ("design.tcl", "$registers -range", "$register -range", "no such variable"),
                ("design.tcl", "npu/interrupt", "npu/irq", "expected one of"),
                ("design.tcl", "proc_sys_reset] reset", "proc_sys_reset] rest", "expected a cell of"),
                ("package.tcl", "foreach entry $arguments {", "foreach entry $arguments", ""),
                ("package.tcl", "set registers {", "set registers {{", "unfinished command"),
                ("package.tcl", "foreach parameter [", "foreach {parameter} {}", "")):
            text = (out / script).read_text()
            self.assertIn(old, text)
            broken = out / "broken.tcl"
            broken.write_text(text.replace(old, new, 1))
            done = tcl(broken, self.pins(out))
            broken.unlink()
            self.assertEqual(done.returncode, 1, new)
            self.assertIn(sentence, done.stderr)

    def test_link_configuration(self):
        for _, board, out in self.each():
            if "vitis" not in board["vendor"]:
                continue
            cfg = configparser.ConfigParser(delimiters=("=",), strict=True)
            cfg.optionxform = str
            cfg.read_string((out / "link.cfg").read_text())
            self.assertEqual(cfg["connectivity"]["nk"], "npu_kernel:1:npu_1")
            self.assertEqual(cfg["connectivity"]["sp"], "npu_1.m_axi_gmem:" + board["vendor"]["vitis"]["memory"])
            self.assertEqual(cfg["connectivity"].get("slr"), f"npu_1:{board['vendor']['vitis']['slr']}" if "slr" in board["vendor"]["vitis"] else None)
            self.assertEqual(cfg["clock"]["freqHz"], f"{board['target_mhz'] * 1000000}:npu_1.ap_clk")

    def test_overlay(self):
        for _, board, out in self.each():
            v = board["vendor"]
            if "processor" not in v:
                continue
            text = (out / "npu.dtso").read_text()
            self.assertEqual(text.count("{"), text.count("}"))
            words = [int(w, 16) for w in re.search(r"reg = <(.*?)>", text).group(1).split()]
            self.assertEqual(words, [0, v["registers"], 0, 4096] if v["processor"] == "zynq_ultra_ps_e" else [v["registers"], 4096])
            self.assertIn(f"interrupts = <0 {v['interrupt']} 4>", text)
            self.assertIn(f"size = <{v['buffer_mib'] << 20:#x}>", text)
            self.assertIn(f"clock-frequency = <{board['target_mhz'] * 1000000}>", text)
            if shutil.which("dtc"):
                done = subprocess.run(["dtc", "-@", "-I", "dts", "-O", "dtb", "-o", os.devnull, out / "npu.dtso"], capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_build_script_runs_the_tools_in_order(self):
        for name, board, generated in self.each():
            out = Path(self.folder.name) / f"{name}-build"
            shutil.copytree(generated, out)
            tools = out / "tools"
            tools.mkdir()
            for tool in ("vivado", "v++", "bootgen"):
                (tools / tool).write_text('#!/bin/sh\necho "$(basename "$0") $*" >>"$LOG"\nfor f; do case $f in npu*.xclbin) : >"$f";; esac; done\n')
                (tools / tool).chmod(0o755)
            (out / "npu.xo").touch(), (out / "ip").mkdir(), (out / "ip" / "component.xml").touch()
            log = out / "log"
            env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "LOG": str(log)}
            done = subprocess.run([out / "build.sh", "all"], capture_output=True, text=True, env=env, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = log.read_text().splitlines()
            expected = ["vivado .*package.tcl"] + (["vivado .*design.tcl", "bootgen -arch zynq(mp)? .*npu.bif"] if "processor" in board["vendor"] else [])
            if "vitis" in board["vendor"]:
                expected.append(f"v\\+\\+ --link .*--platform {board['vendor']['vitis']['platform']} --config link.cfg .*npu.xo")
                expected += ["v\\+\\+ --package .*npu.link.xclbin"] if "processor" in board["vendor"] else []
            self.assertEqual(len(lines), len(expected), lines)
            for line, pattern in zip(lines, expected):
                self.assertRegex(line, pattern)
            bare = subprocess.run(["/bin/bash", out / "build.sh", "package"], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, check=False)
            if shutil.which("vivado", path="/usr/bin:/bin") is None:
                self.assertEqual(bare.returncode, 3)
                self.assertIn("build.sh: vivado, found nothing on the PATH", bare.stderr)
            self.assertEqual(subprocess.run([out / "build.sh", "fly"], capture_output=True, check=False).returncode, 2)

    def test_wrapper_has_the_kernel_interface(self):
        for _, board, out in self.each():
            ports = self.ports(out)
            for name in ("ap_clk", "ap_rst_n", "interrupt"):
                self.assertEqual(ports[name], "")
            self.assertEqual((ports["m_axi_gmem_araddr"], ports["m_axi_gmem_awaddr"]), ("63:0", "63:0"))
            self.assertEqual((ports["s_axi_control_awaddr"], ports["s_axi_control_wdata"]), ("11:0", "31:0"))
            width = int(re.search(r"parameter integer C_M_AXI_GMEM_DATA_WIDTH = (\d+)", (out / "rtl" / "npu_kernel.v").read_text()).group(1))
            self.assertEqual(width, 8 * sizes(board["config"])["port_bytes"])

    def test_wrapper_elaborates(self):
        """As generated for nano and edge; with the other's width it must not."""
        board = self.boards["kv260"]
        for config, other in (("nano", 128), ("edge", 64)):
            out = Path(self.folder.name) / config
            amd.scripts(board, config, BUILD, out)
            plan = amd.Plan(board, config, BUILD)
            command = [VERILATOR, "--lint-only", "-Wall", "--top-module", "npu_kernel", *(out / "rtl" / s for s in plan.sources)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            wrong = subprocess.run([*command, f"-GC_M_AXI_GMEM_DATA_WIDTH={other}"], capture_output=True, text=True, check=False)
            self.assertNotEqual(wrong.returncode, 0)
            self.assertIn("WIDTH", wrong.stderr)


class FromHls(unittest.TestCase):
    """The HLS kernel's folder: what it names exists, its sources compile by themselves, and what cannot be is refused."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="jogak-hls-")
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)
        self.board, _ = synth_board.read(synth_board.locate("u55c"))
        self.config = self.board["vendor"]["hls"]["config"]
        amd.scripts(self.board, self.config, BUILD, self.out, "hls")
        text = (self.out / "hls_config.cfg").read_text()
        self.keys = [line.split("=", 1) for line in text.splitlines() if "=" in line]

    def values(self, key):
        return [value for k, value in self.keys if k == key]

    def test_configuration(self):
        self.assertEqual(self.values("part"), [self.board["vendor"]["part"]])
        self.assertEqual(self.values("clock"), [f"{1000 / self.board['target_mhz']:g}ns"])
        self.assertEqual(self.values("package.output.file"), ["npu.xo"])
        self.assertIn(f'extern "C" void {self.values("syn.top")[0]}(', (self.out / "src/top.cpp").read_text())
        for path in self.out.iterdir():
            if path.is_file():
                self.assertIn("Not run here", path.read_text(), path.name)

    def test_sources_compile_without_the_project(self):
        flags = self.values("syn.cflags")[0].split()
        for source in self.values("syn.file"):
            done = subprocess.run(["c++", "-fsyntax-only", *flags, f"-I{ROOT / 'hls/csim'}", source], cwd=self.out, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_memory_port_is_connected(self):
        ports = re.findall(r"m_axi port = \w+ bundle = (\w+)", (self.out / "src/top.cpp").read_text())
        found = re.findall(r"^sp=npu_1.m_axi_(\w+):(.+)$", (self.out / "link.cfg").read_text(), re.M)
        self.assertEqual(found, [(port, self.board["vendor"]["vitis"]["memory"]) for port in ports])
        self.assertEqual(len(ports), 4)

    def test_steps(self):
        text = (self.out / "build.sh").read_text()
        self.assertIn("v++ --compile --mode hls --config hls_config.cfg", text)
        self.assertNotIn("vivado", text)

    def test_refused(self):
        for config, sentence in (("alveo", "alveo with 64 rows"), ("quad", "and links")):
            with self.assertRaises(synth_board.Failure) as found:
                amd.amd_hls.check(self.board["vendor"], config, amd.sizes_of(config))
            self.assertIn(sentence, str(found.exception))
        pynq, _ = synth_board.read(synth_board.locate("pynq_z2"))
        with self.assertRaises(synth_board.Failure):
            amd.amd_hls.check(pynq["vendor"], "nano", amd.sizes_of("nano"))


class Refused(unittest.TestCase):
    def refusal(self, board, **changes):
        vendor = {k: v for k, v in {**board["vendor"], **changes}.items() if v is not None}
        with self.assertRaises(synth_board.Failure) as found:
            amd.vendor_of({**board, "vendor": vendor})
        return str(found.exception)

    def test_vendor_keys(self):
        board, _ = synth_board.read(synth_board.locate("kv260"))
        self.assertEqual(self.refusal(board, processor="microblaze"),
                         "kv260: vendor: processor, found microblaze, expected one of zynq_ultra_ps_e, processing_system7")
        self.assertIn("found 0xa0000010, expected a multiple of 4096", self.refusal(board, registers=0xA0000010))
        self.assertIn("expected a multiple of 4096 in 0xa0000000", self.refusal(board, registers=0x40000000))
        self.assertIn("no interrupt", self.refusal(board, interrupt=None))
        self.assertIn("found no part", self.refusal(board, part=None))
        self.assertIn("unknown key wings", self.refusal(board, wings=2))
        self.assertIn("neither processor nor vitis", self.refusal(board, processor=None, vitis=None))

    def test_board_without_vendor(self):
        command = [sys.executable, ROOT / "boards/common/amd.py", "--board", "ulx3s", "--build", BUILD, os.devnull]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^synth: ulx3s: scripts, found no vendor section in its board.yaml, expected one, as these have: .*kv260")

    def test_a_configuration_that_does_not_fit(self):
        board, _ = synth_board.read(synth_board.locate("kv260"))
        sizes = {"xcup": {"core": {"edge": {"lut": 100, "ff": 100, "dsp": 2000, "ram": 10}, "nano": {"lut": 50, "ff": 5, "dsp": 70, "ram": 2}}}}
        with unittest.mock.patch.object(amd.synth_fit, "recorded", return_value=sizes):
            with self.assertRaises(synth_board.Failure) as found:
                amd.check_fit(board, "edge")
            self.assertEqual(str(found.exception), "edge does not fit kv260: 2,000 DSP blocks of 1,248, 752 too many (60%); nano fits")
            self.assertIn("70 of 1,248 DSP blocks", amd.check_fit(board, "nano"))
            self.assertIn("no estimate of kria", amd.check_fit(board, "kria"))

    def test_build_folder_without_contract(self):
        board, _ = synth_board.read(synth_board.locate("u50"))
        with tempfile.TemporaryDirectory() as empty, self.assertRaises(synth_board.Failure) as found:
            amd.scripts(board, "alveo", empty, Path(empty) / "out")
        self.assertEqual(found.exception.status, 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
