"""arguments_test.py BOARDS_COMMON NPU_REGS_H JOGAK_XRT_SIM: the simulated card's kernel has the arguments of a real card's kernel.xml."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

common, header, program = sys.argv[1:]
sys.path.insert(0, common)
import amd  # noqa: E402
import amd_kernel  # noqa: E402

expected = amd_kernel.arguments(amd.read_registers(Path(header).read_text()))
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "npu.xclbin"
    subprocess.run([program, "xclbin", str(file)], check=True)
    text = file.read_bytes().decode("latin-1")
found = [(name, int(offset, 16), int(size, 16)) for name, size, offset in
         re.findall(r'<arg name="(\w+)"[^>]*? size="(0x[0-9A-F]+)" offset="(0x[0-9A-F]+)"', text)]
if found != expected:
    sys.exit(f"xrt arguments: the simulated card's, found {found}, expected {expected}")
for value in ("0", "4x", "", "-1"):
    refused = subprocess.run([program, "run", "--cards", value, "true"], capture_output=True, text=True, check=False)
    if refused.returncode == 0 or "expected a whole number" not in refused.stderr:
        sys.exit(f"xrt-sim --cards {value!r}: found {refused.stderr!r}, expected a refusal")
print(f"{len(found)} arguments")
