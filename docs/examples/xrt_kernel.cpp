// Copies 64 bytes on a Jogak NPU the way xrt::kernel does it: XRT writes the arguments, starts, and waits.
//   usage: xrt_kernel FILE.xclbin
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include <cstdio>
#include <cstring>
#include <numeric>
#include <vector>

#include "npu_spec.hpp"

using namespace jogak::spec;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  xrt::device device(0);
  xrt::kernel npu(device, device.load_xclbin(argv[1]), "npu_kernel");
  // kernel.xml's order: launch_flags, code, code_len, watchdog, bus_timeout, place, arg0 to 15, then base, size and flags of window 0 ...
  const int code_arg = 1, length_arg = 2, arg0 = 6, window = 22;
  const std::vector<Insn> code = {encode(Load{0, Space::vmem, false, 0, 0, 1, 2, 0, 0, 2}), encode(Signal{Engine::ld, 1, 1}),
                                  encode(Wait{Engine::st, 1, 1}), encode(Store{0, Space::vmem, 3, 0, 1, 2, 0, 0, 2}), encode(Halt{})};
  xrt::bo program(device, 4096, npu.group_id(code_arg)), data(device, 4096, npu.group_id(window));
  std::memcpy(program.map<void*>(), code.data(), code.size() * sizeof(Insn));
  auto* bytes = data.map<unsigned char*>();
  std::iota(bytes, bytes + 64, static_cast<unsigned char>(1));
  program.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  data.sync(XCL_BO_SYNC_BO_TO_DEVICE);

  xrt::run run(npu);
  run.set_arg(code_arg, program);
  run.set_arg(length_arg, static_cast<unsigned>(code.size()));
  run.set_arg(arg0, 64u);        // r1: bytes
  run.set_arg(arg0 + 1, 1u);     // r2: one of them
  run.set_arg(arg0 + 2, 1024u);  // r3: where to
  run.set_arg(window, data);
  run.set_arg(window + 1, 4096u);
  run.set_arg(window + 2, 3u);  // readable, writable
  for (int launch = 0; launch < 3; ++launch) {
    run.start();
    run.wait();
  }
  data.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  const bool good = std::memcmp(bytes, bytes + 1024, 64) == 0 && bytes[1024] == 1;
  std::puts(good ? "64 bytes copied" : "wrong bytes");
  return good ? 0 : 1;
}
