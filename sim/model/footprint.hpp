// Which memory a command touches, in the granules that the order rules speak of.
#pragma once

#include <vector>

#include "execute.hpp"

namespace jogak::model {

// The on-chip spaces in spec::Space's order, then DRAM.
enum class Store : u8 { wspm, wsc, aspm, asc, vmem, dram };
constexpr std::size_t kStores = 6;

// Bytes first..last (inclusive) of one store. DRAM: physical addresses.
struct Touch {
  Store store;
  u64 first, last;
  bool write;
};

// Everything a checked command reads and writes, as runs of bytes; empty commands touch nothing.
// A gather stops at the first index that faults.
std::vector<Touch> touches(const Command&, const Env&);

// Bytes per granule: wspm and wsc word, aspm block, asc entry, vmem row, DRAM line.
u64 granule(Store store, const spec::Config& config);

}  // namespace jogak::model
