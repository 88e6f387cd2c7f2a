"""The HLS kernel for Vitis: its sources, hls_config.cfg, link configuration and the step that packages it."""
import re
import shutil

import amd
from synth_board import ROOT, Wrong

KERNEL, INSTANCE = "npu_hls", "npu_1"
PORTS = ("m_axi_gmem_code", "m_axi_gmem_load", "m_axi_gmem_store", "m_axi_gmem_regs")
# The kernel's own files by folder; C simulation's stand-ins for the tool's headers stay behind.
SOURCES = {
    "hls": ("arrivals", "check", "clock", "depths", "load", "matrix", "memories", "npu", "packets", "port", "pragmas", "semaphores", "sequencer", "store", "streams", "types", "vector"),
    "spec": ("numerics", "function_tables"),
}
PACKAGE = """package() {
  need v++
  v++ --compile --mode hls --config hls_config.cfg --work_dir work
}
"""


def check(vendor, config, sizes):
    """The rules that the sources hold as static_assert, before anything is written."""
    if "vitis" not in vendor:
        raise Wrong("scripts from hls", "no vitis in the board's vendor section", "it")
    if 32 % sizes["rows"] or sizes["chiplets"] > 1:
        found = f"{config} with {sizes['rows']} rows" + (" and links" if sizes["chiplets"] > 1 else "")
        raise Wrong("scripts from hls", found, "a configuration whose rows divide 32, without links; --config nano, small, edge or kria")


def sources(plan, folder):
    folder.mkdir(parents=True, exist_ok=True)
    files = [ROOT / part / f"{name}.hpp" for part, names in SOURCES.items() for name in names]
    files += [ROOT / "hls/npu.cpp", ROOT / "hls/top.cpp", plan.gen / "npu_spec.hpp"]
    for file in files:
        shutil.copy(file, folder / file.name)
    included = {name for file in files for name in re.findall(r'#include "([^"]+)"', file.read_text())}
    missing = included - {file.name for file in files}
    assert not missing, f"the kernel includes {missing}"
    return [folder / file.name for file in files]


def config(plan):
    flags = f"-std=c++14 -DJOGAK_HLS_CONFIG={plan.config}"
    return "\n".join([
        f"# {amd.NOT_RUN}", f"part={plan.vendor['part']}", "", "[hls]", "flow_target=vitis", f"clock={1000 / plan.mhz:g}ns",
        f"syn.top={KERNEL}", "syn.file=src/top.cpp", "syn.file=src/npu.cpp", f"syn.cflags={flags} -Isrc",
        "package.output.format=xo", "package.output.file=npu.xo", ""])


def link(plan):
    vitis = plan.vendor["vitis"]
    lines = [f"# {amd.NOT_RUN}", "[connectivity]", f"nk={KERNEL}:1:{INSTANCE}",
             *(f"sp={INSTANCE}.{port}:{vitis['memory']}" for port in PORTS)]
    if "slr" in vitis:
        lines.append(f"slr={INSTANCE}:{vitis['slr']}")
    return "\n".join([*lines, "", "[clock]", f"freqHz={int(plan.mhz * 1e6)}:{INSTANCE}.ap_clk", ""])
