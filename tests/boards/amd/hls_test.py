"""./jogak synth --from hls: the report beside the device, refusals, the run of stand-ins; and the sources as the tool sees them.

  hls_test.py BUILD    BUILD: folder with gen/ and bin/jogak-hls-report. Exit status 3: PyYAML is missing.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import yaml  # noqa: F401
except ImportError:
    sys.exit(3)

ROOT = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "boards" / "common"))
import amd  # noqa: E402
import hls_fit  # noqa: E402
import synth_board  # noqa: E402

BUILD = Path(sys.argv[1]).resolve()
# Vitis HLS's own header, as far as the kernel uses it: a task's function must take what it is given.
TASK = """#pragma once
#define hls_thread_local thread_local
namespace hls {
struct task {
  template <class F, class... A> task(F&& f, A&&... a) { if (false) f(a...); }
};
}
"""
# Directive -> what must stand behind it.
DIRECTIVES = {
    "pipeline": r"II = [\w/ ]+", "unroll": "", "inline": "", "dataflow": "",
    "array_partition": r"variable = [\w.]+ type = (complete dim = \d|cyclic factor = [\w/ ]+ dim = 1)", "bind_storage": r"variable = \w+ type = (ram_s2p impl = bram|fifo impl = srl)",
    "dependence": r"variable = \w+ type = inter false", "interface": r"mode = \w+ port = \w+.*",
}


LINKS = ("-DJOGAK_HLS_CONFIG=quad", "-DJOGAK_HLS_LINKS")


def board_of(name):
    return synth_board.read(synth_board.locate(name))[0]


def report(config):
    found = subprocess.run([BUILD / "bin" / hls_fit.PROGRAM, "--config", config, "--json"], capture_output=True, text=True, check=True)
    return hls_fit.json.loads(found.stdout)


def synth(*arguments, **env):
    command = [sys.executable, "-B", ROOT / "boards/common/synth.py", "--build", BUILD, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env})


class Fit(unittest.TestCase):
    def test_rows(self):
        found = {name: (needs, has) for name, needs, has, _ in hls_fit.rows(report("edge"), board_of("kv260"))}
        self.assertEqual(found["DSP blocks"], (256 + 64 + 96 + 68 + 3, 1248))
        self.assertEqual(found["block RAMs"], (126, 144))
        self.assertGreater(found["LUTs"][0], 10_000)

    def test_refused(self):
        for config, sentence in (("kria", r"kria does not fit kv260: 1,415 DSP blocks of 1,248, 167 too many \(13%\); 238 block RAMs of 144, 94 too many \(65%\)$"),):
            with self.assertRaisesRegex(synth_board.Failure, sentence):
                hls_fit.check(report(config), board_of("kv260"))
        small = {**board_of("kv260"), "resources": {"lut": 1000, "ff": 1, "dsp": 100, "ram": 10}}
        with self.assertRaisesRegex(synth_board.Failure, "487 DSP blocks of 100, .* 126 block RAMs of 10, .* LUTs of 1,000"):
            hls_fit.check(report("edge"), small)
        for name in ("kv260", "u50", "u55c"):
            board = board_of(name)
            hls_fit.check(report(board["vendor"].get("hls", {}).get("config", board["config"])), board)

    def test_a_build_folder_without_the_program(self):
        with tempfile.TemporaryDirectory(prefix="jogak-hls-") as empty, self.assertRaisesRegex(synth_board.Failure, "no .*jogak-hls-report") as found:
            hls_fit.needs(empty, "edge")
        self.assertEqual(found.exception.status, 3)


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="jogak-hls-")
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)

    def test_report_and_where_it_stops(self):
        if shutil.which("v++"):
            self.skipTest("v++ is here")
        for board, config in (("u55c", "kria"), ("u50", "kria"), ("kv260", "edge")):
            done = synth("--board", board, "--from", "hls", "--out", self.out / board)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"HLS kernel, {config}, estimated", done.stdout)
            self.assertRegex(done.stdout, r"matrix product 512 x 512 x 512, int8: [\d,]+ cycles, [\d.]+ ms at 200 MHz")
            self.assertRegex(done.stdout, r"decode step, .*: [\d,]+ cycles")
            self.assertIn("stops here: no v++ on the PATH", done.stdout)
            self.assertTrue((self.out / board / "hls_config.cfg").exists())

    def test_nothing_is_written_where_it_does_not_fit(self):
        done = synth("--board", "kv260", "--config", "kria", "--from", "hls", "--out", self.out / "no")
        self.assertEqual(done.returncode, 1)
        self.assertIn("synth: the HLS kernel of kria does not fit kv260: 1,415 DSP blocks of 1,248", done.stderr)
        self.assertFalse((self.out / "no").exists())

    def test_tools_that_are_there_are_run(self):
        tools = self.out / "tools"
        tools.mkdir()
        (tools / "v++").write_text('#!/bin/sh\necho "v++ $*" >>"$LOG"\nfor f; do case $f in npu*.xclbin) : >"$f";; hls) : >npu.xo;; esac; done\nexit ${FAIL:-0}\n')
        (tools / "v++").chmod(0o755)
        log, env = self.out / "log", {"PATH": f"{tools}:{os.environ['PATH']}"}
        done = synth("--board", "u55c", "--from", "hls", "--out", self.out / "work", LOG=str(log), **env)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = log.read_text().splitlines()
        self.assertRegex(lines[0], "--mode hls --config hls_config.cfg")
        self.assertRegex(lines[1], "--link .*xilinx_u55c")
        done = synth("--board", "u55c", "--from", "hls", "--out", self.out / "work", LOG=str(log), FAIL="1", **env)
        self.assertEqual(done.returncode, 1)
        self.assertIn("build.sh all failed", done.stderr)


class Registers(unittest.TestCase):
    def test_the_driver_knows_where_the_arguments_lie(self):
        """As the tool places them: from 0x10 in order, an address takes 12 bytes, a word 8."""
        top = (ROOT / "hls/top.cpp").read_text()
        ports = [port for port in re.findall(r"mode = s_axilite port = (\w+)", top) if port != "return"]
        offsets, at = {}, 0x10
        for port in ports:
            offsets[port] = at
            at += 12 if re.search(rf"m_axi port = {port} .*offset = slave", top) else 8
        text = (ROOT / "driver/uio/hls_registers.hpp").read_text()
        found = re.search(r"kHlsRegs = (0x[0-9a-f]+), kHlsAbort = (0x[0-9a-f]+);", text)
        self.assertEqual({"regs": int(found[1], 0), "abort": int(found[2], 0)}, offsets)
        self.assertIn(f'kHlsKernel = "{amd.amd_hls.KERNEL}"', (ROOT / "driver/xrt/xrt.cpp").read_text())


class AsTheToolSees(unittest.TestCase):
    """With the tool's macro defined: pragmas and tasks, which C simulation leaves out."""

    def compiler(self, folder, *flags, kernel=("-DJOGAK_HLS_CONFIG=kria",)):
        (folder / "hls_task.h").write_text(TASK)
        (folder / "ap_utils.h").write_text("inline void ap_wait() {}\n")
        gen, csim = BUILD / "gen", ROOT / "hls/csim"
        return ["c++", "-std=c++14", "-D__SYNTHESIS__", *kernel, f"-I{folder}", f"-I{csim}", f"-I{ROOT / 'hls'}", f"-I{ROOT / 'spec'}", f"-I{gen}", *flags]

    def test_it_compiles(self):
        with tempfile.TemporaryDirectory(prefix="jogak-hls-") as name:
            folder = Path(name)
            command = self.compiler(folder, "-fsyntax-only")
            done = subprocess.run([*command, ROOT / "hls/top.cpp"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            # A stream too few for a task is a mistake.
            text, changed = re.subn(r"JG_TASK\(moving_feed, moving_commands, moving_read\);", "JG_TASK(moving_feed, moving_commands);", (ROOT / "hls/npu.cpp").read_text())
            self.assertEqual(changed, 1)
            (folder / "npu.cpp").write_text(text)
            self.assertNotEqual(subprocess.run([*command, folder / "npu.cpp"], capture_output=True, check=False).returncode, 0)

    def test_links_and_sparse_weights_compile(self):
        for kernel, sources in ((LINKS, ("top.cpp", "npu.cpp", "router_top.cpp")), (("-DJOGAK_HLS_CONFIG=edge24",), ("npu.cpp",))):
            with tempfile.TemporaryDirectory(prefix="jogak-hls-") as name:
                command = self.compiler(Path(name), "-fsyntax-only", kernel=kernel)
                done = subprocess.run([*command, *(ROOT / "hls" / source for source in sources)], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                if kernel == LINKS:  # with links, but no ports for them
                    command.remove(LINKS[1])
                    done = subprocess.run([*command, ROOT / "hls/npu.cpp"], capture_output=True, text=True, check=False)
                    self.assertIn("JOGAK_HLS_LINKS", done.stderr)
                    self.assertNotEqual(done.returncode, 0)

    def pragmas(self, sources, **kernel):
        with tempfile.TemporaryDirectory(prefix="jogak-hls-") as name:
            lines = []
            for source in sources:
                done = subprocess.run([*self.compiler(Path(name), "-E", "-P", **kernel), ROOT / "hls" / source], capture_output=True, text=True, check=True)
                lines += re.findall(r"^ *#pragma HLS +(.*?) *$", done.stdout, re.M)
        return lines

    def test_ports_of_links(self):
        lines = self.pragmas(("top.cpp", "npu.cpp", "router_top.cpp"), kernel=LINKS)
        for line in lines:
            directive, _, rest = line.partition(" ")
            self.assertRegex(rest, f"^{DIRECTIVES[directive]}$", line)
        axis = re.findall(r"interface mode = axis port = (\w+)", "\n".join(lines))
        self.assertEqual(axis, ["net_out", "net_in", *(f"{port}_{way}" for way in ("in", "out") for port in ("local", "east", "west", "north", "south"))])
        streams = sum(len(re.findall(r"\bJG_STREAMS?\(", (ROOT / "hls" / source).read_text())) for source in ("npu.cpp", "router_top.cpp"))
        self.assertEqual(sum("impl = srl" in line for line in lines), streams)
        self.assertNotIn("axis", " ".join(self.pragmas(("top.cpp", "npu.cpp"))))

    def test_streams_of_an_array_are_named_by_constants(self):
        """What chooses one by a variable is no hardware: such loops are unrolled."""
        loop, found = r"for \(u32 \w+ = 0; \w+ < (?:kGivers|kEngines|kVmemReaders|kVmemWriters); \+\+\w+\)", 0
        for header in sorted((ROOT / "hls").glob("*.hpp")):
            loops = re.findall(loop + r"(.*\n.*)", header.read_text())
            found += len(loops)
            for behind in loops:
                self.assertRegex(behind, r"^ \{\n +JG_UNROLL$", header.name)
        self.assertGreaterEqual(found, 4)

    def test_requests_and_answers_have_a_cycle_between(self):
        waits = 0
        for header in sorted((ROOT / "hls").glob("*.hpp")):
            text = header.read_text()
            self.assertNotRegex(text, r"\w\.write\([^\n]*\);\n[^\n]*\w\.read\(\)", header.name)
            waits += len(re.findall(r"\bJG_THEN;", text))
        self.assertGreater(waits, 10)

    def test_every_pragma_is_one_of_the_tool(self):
        lines = self.pragmas(("top.cpp", "npu.cpp"))
        self.assertGreater(len(lines), 90)
        seen = set()
        for line in lines:
            directive, _, rest = line.partition(" ")
            self.assertIn(directive, DIRECTIVES, line)
            self.assertRegex(rest, f"^{DIRECTIVES[directive]}$", line)
            seen.add(directive)
        self.assertEqual(seen, set(DIRECTIVES) - {"inline"} if "inline" not in seen else set(DIRECTIVES))
        streams = len(re.findall(r"^ *JG_STREAMS?\(", (ROOT / "hls/npu.cpp").read_text(), re.M))
        self.assertEqual(sum("impl = srl" in line for line in lines), streams)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
