// What the HLS design asks of a device, from the sizes that its sources use. No tool has confirmed it (docs/hls.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "npu_spec.hpp"

namespace jogak::hls_csim {

// A memory with a port to read and one to write. The sources divide it into RAMs as wide as what is written by itself.
struct Ram {
  const char* name;
  std::uint64_t words;  // of each bank
  std::uint32_t bytes;  // of a word
  std::uint32_t part;   // bytes of a RAM's word
  std::uint32_t banks;

  // Blocks of 18 kbit, 4 bytes x 512 to 1 byte x 2048, two of them counted as one of 36; a half counts as a whole one. RAMs so narrow
  // would waste UltraRAMs, which are 8 bytes wide.
  std::uint64_t block_rams() const;
};

// A stream as C simulation declares it: bits as the C++ type has them, so rather more than a tool finds.
struct Stream {
  std::string name;
  std::uint32_t bits, depth;
  std::uint64_t luts() const;        // as shift registers of 32 bits
  std::uint64_t block_rams() const;  // as a memory
};

// DSP blocks (27 x 18): a product of two significands takes two. Functions that exclude one another share theirs.
struct Multipliers {
  std::uint64_t array, foot, lanes, quantiser, sequencer;
  std::uint64_t total() const { return array + foot + lanes + quantiser + sequencer; }
};

struct Resources {
  Multipliers dsp;
  std::vector<Ram> rams;
  std::vector<Stream> streams;
};

Multipliers multipliers(const spec::Config& config);
std::vector<Ram> rams(const spec::Config& config);
// Everything. Throws Error for a configuration whose kernel is not built in.
Resources resources(const spec::Config& config);

}  // namespace jogak::hls_csim
