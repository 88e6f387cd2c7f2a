// A product of 8 rows of 32 int8 values with a 32 x C tile on a Jogak NPU, with XRT's public headers and the contract's npu_spec.hpp.
//   usage: xrt_ip FILE.xclbin
#include <experimental/xrt_ip.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>
#include "npu_spec.hpp"
using namespace jogak::spec;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  xrt::device device(0);
  xrt::ip npu(device, device.load_xclbin(argv[1]), "npu_kernel");
  const Config* config = nullptr;
  for (const Config& c : configs)
    if (c.hash == npu.read_register(csr::config_hash)) config = &c;
  if (npu.read_register(csr::id) != 0x4b474f4a || config == nullptr) return std::puts("no NPU of this contract"), 1;

  // One buffer: tile, activations, results, and the program on a page of its own. Registers r1.. are the arguments below.
  const uint32_t columns = config->cols, rows = 8, tile = 32 * columns, acts = 32 * rows, results = 4 * columns * rows, code_at = 65536;
  const uint32_t args[] = {tile, acts, results, tile + acts, 1, 32, columns, rows};
  std::vector<Insn> code = {
      encode(Load{0, Space::wspm, false, 0, 0, 1, 5, 0, 0, 5}), encode(Load{0, Space::aspm, false, 1, 0, 2, 5, 0, 0, 5}),
      encode(Signal{Engine::ld, 1, 1}), encode(Wait{Engine::mx, 1, 1}),
      encode(Mm{Wfmt::int8, Wscale::one, Ascale::one, false, false, 0, 0, 1, 1, 0, 6, 0, 7, 7, 8, 5, 5}),
      encode(Signal{Engine::mx, 2, 1}), encode(Wait{Engine::st, 2, 1}),
      encode(Store{0, Space::vmem, 4, 0, 3, 5, 0, 0, 5}), encode(Halt{})};
  xrt::bo buffer(device, 2 * code_at, 0);
  auto* memory = buffer.map<int8_t*>();
  for (uint32_t i = 0; i < tile + acts; ++i) memory[i] = static_cast<int8_t>(i * 37 % 251 - 125);
  std::memcpy(memory + code_at, code.data(), code.size() * sizeof(Insn));
  buffer.sync(XCL_BO_SYNC_BO_TO_DEVICE);

  const auto address = [&](uint32_t low, uint64_t value) {
    npu.write_register(low, static_cast<uint32_t>(value));
    npu.write_register(low + 4, static_cast<uint32_t>(value >> 32));
  };
  address(csr::code_lo, buffer.address() + code_at);
  address(csr::win_base_lo_at(0), buffer.address());
  npu.write_register(csr::code_len, static_cast<uint32_t>(code.size()));
  npu.write_register(csr::win_size_at(0), code_at);
  npu.write_register(csr::win_flags_at(0), 3);  // readable, writable
  for (uint32_t i = 0; i < 8; ++i) npu.write_register(csr::arg_at(i), args[i]);
  npu.write_register(csr::ap_ctrl, 1);
  while (npu.read_register(csr::status) & 1) std::this_thread::sleep_for(std::chrono::microseconds(100));
  if (npu.read_register(csr::status) != 0) return std::printf("fault %u at %u\n", npu.read_register(csr::fault_cause), npu.read_register(csr::fault_pc)), 1;

  buffer.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  int wrong = 0;
  for (uint32_t r = 0; r < rows; ++r)
    for (uint32_t c = 0; c < columns; ++c) {
      int sum = 0;
      for (uint32_t k = 0; k < 32; ++k) sum += memory[tile + 32 * r + k] * memory[columns * k + c];
      wrong += reinterpret_cast<float*>(memory + tile + acts)[columns * r + c] != static_cast<float>(sum);
    }
  std::printf("%s: %u results, %d wrong, %u multiply-accumulates\n", config->name, rows * columns, wrong, npu.read_register(csr::counter_at(static_cast<uint32_t>(Counter::macs))));
  return wrong != 0;
}
