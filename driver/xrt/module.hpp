// What libjogak_xrt.so offers. It is loaded when a target begins with "xrt:", so nothing else needs XRT's libraries.
#pragma once

#include "../uio/ports.hpp"
#include "npu_spec.hpp"

namespace jogak::driver::xrt {

struct Request {
  std::string file;                // the xclbin
  std::string card = "0";          // index, or bus address: "0000:65:00.1"
  std::uint64_t memory_bytes = 0;  // of the buffer
};

// Both sides must come from one build: this number says so.
constexpr std::uint32_t kContract = spec::isa_hash + 1;

struct Module {
  std::uint32_t contract;
  // Registers and memory of the card's NPU. Throws nothing: false, and one sentence in error.
  bool (*open)(const Request& request, uio::Ports& ports, std::string& error);
};

// The module's only symbol, of type `const Module* ()`.
constexpr const char* kSymbol = "jogak_xrt_module";

}  // namespace jogak::driver::xrt
