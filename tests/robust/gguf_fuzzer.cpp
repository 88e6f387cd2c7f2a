// libFuzzer target: any bytes as a GGUF file give a graph or jogak::Error, and memory in proportion to the file.
#include "error.hpp"
#include "import/gguf.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    jogak::import::read_gguf(std::as_bytes(std::span(data, size)), "fuzz");
  } catch (const jogak::Error&) {
  }
  return 0;
}
