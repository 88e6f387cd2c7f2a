// libFuzzer target: any bytes as a program file give a program or jogak::Error. The checksum is repaired first, so that
// the parts behind it are reached.
#include <vector>

#include "error.hpp"
#include "program.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> file(data, data + size);
  jogak::seal(file);
  try {
    jogak::from_bytes(file);
  } catch (const jogak::Error&) {
  }
  return 0;
}
