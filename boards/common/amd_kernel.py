"""The NPU as a packaged kernel: its arguments from the register map, kernel.xml, link configuration, build script."""
from xml.sax.saxutils import quoteattr

import amd

KERNEL, INSTANCE, MEMORY, CONTROL = "npu_kernel", "npu_1", "m_axi_gmem", "s_axi_control"
CONTROL_BYTES = 0x1000
FIRST = 0x010   # registers below belong to the protocol (ap_ctrl_chain)


def flat(registers):
    """Arrays as single registers: (name, offset, access)."""
    for name, offset, count, stride, access in registers:
        for i in range(count):
            yield (name if count == 1 else f"{name}{i}", offset + i * stride, access)


def arguments(registers):
    """What a launch sets, [(name, offset, bytes)]: registers that may be written; halves of an address are one of 8 bytes."""
    writable = {offset: name for name, offset, access in flat(registers) if access == "rw" and offset >= FIRST}
    found = []
    for offset, name in sorted(writable.items()):
        if "_hi" in name:
            continue
        whole = name.replace("_lo", "")
        pair = "_lo" in name and writable.get(offset + 4) == name.replace("_lo", "_hi")
        found.append((whole if pair else name, offset, 8 if pair else 4))
    return found


def xml(plan):
    rows = []
    for i, (name, offset, size) in enumerate(plan.arguments):
        pointer = size == 8
        keys = {"name": name, "addressQualifier": int(pointer), "id": i, "port": MEMORY if pointer else CONTROL, "size": hex(size),
                "offset": f"0x{offset:03X}", "type": "void*" if pointer else "uint", "hostOffset": "0x0", "hostSize": hex(size)}
        rows.append("      <arg " + " ".join(f"{k}={quoteattr(str(v))}" for k, v in keys.items()) + "/>")
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- {amd.NOT_RUN} -->",
        '<root versionMajor="1" versionMinor="6">',
        f'  <kernel name="{KERNEL}" language="ip_c" vlnv="jogak:kernel:{KERNEL}:1.0" attributes="" preferredWorkGroupSizeMultiple="0"'
        ' workGroupSize="1" interrupt="true" hwControlProtocol="ap_ctrl_chain">',
        "    <ports>",
        f'      <port name="{MEMORY}" mode="master" range="0xFFFFFFFFFFFFFFFF" dataWidth="{plan.data_bits}" portType="addressable" base="0x0"/>',
        f'      <port name="{CONTROL}" mode="slave" range="{CONTROL_BYTES:#x}" dataWidth="32" portType="addressable" base="0x0"/>',
        "    </ports>",
        "    <args>", *rows, "    </args>",
        "  </kernel>",
        "</root>", ""])


def link(plan):
    vitis = plan.vendor["vitis"]
    lines = [f"# {amd.NOT_RUN}", "[connectivity]",
             f"nk={KERNEL}:1:{INSTANCE}", f"sp={INSTANCE}.{MEMORY}:{vitis['memory']}"]
    if "slr" in vitis:
        lines.append(f"slr={INSTANCE}:{vitis['slr']}")
    return "\n".join([*lines, "", "[clock]", f"freqHz={int(plan.mhz * 1e6)}:{INSTANCE}.ap_clk", ""])


STEPS = {
    "package": """package() {
  need vivado
  vivado -mode batch -nojournal -log package.log -source package.tcl
}
""",
    "design": """design() {
  need vivado
  need bootgen
  [ -f ip/component.xml ] || package
  vivado -mode batch -nojournal -log design.log -source design.tcl
  bootgen -arch ARCH -image npu.bif -process_bitstream bin -w
}
""",
    "link": """link() {
  need v++
  [ -f npu.xo ] || package
  v++ --link --target hw --platform "${PLATFORM:-PLATFORM_NAME}" --config link.cfg --output npu.link.xclbin npu.xo
TAKE}
""",
}
# Cards take the linked file as it is; embedded platforms want it packaged.
EMBEDDED = '  v++ --package --target hw --platform "${PLATFORM:-PLATFORM_NAME}" --package.no_image --output npu.xclbin npu.link.xclbin\n'
CARD = "  cp npu.link.xclbin npu.xclbin\n"


def steps(plan):
    return ["package", *(["design"] if "processor" in plan.vendor else []), *(["link"] if "vitis" in plan.vendor else [])]


def shell(plan, package=None):
    """package: the step that makes npu.xo, where it is not the RTL's; then there is no block design."""
    chosen = [step for step in steps(plan) if package is None or step != "design"]
    names = " | ".join(chosen)
    text = "\n".join(package if package and step == "package" else STEPS[step] for step in chosen).replace("TAKE", EMBEDDED if "processor" in plan.vendor else CARD)
    text = text.replace("ARCH", {"zynq_ultra_ps_e": "zynqmp", "processing_system7": "zynq"}.get(plan.vendor.get("processor"), ""))
    text = text.replace("PLATFORM_NAME", plan.vendor.get("vitis", {}).get("platform", ""))
    return f"""#!/usr/bin/env bash
# {amd.NOT_RUN}
# usage: ./build.sh {names} | all
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

need() {{
  command -v "$1" >/dev/null && return
  echo "build.sh: $1, found nothing on the PATH, expected the tools' settings64.sh to be sourced" >&2
  exit 3
}}

{text}
case ${{1:-}} in
  {names}) "$1" ;;
  all) {'; '.join(chosen)} ;;
  *) echo "usage: ./build.sh {names} | all" >&2; exit 2 ;;
esac
"""
