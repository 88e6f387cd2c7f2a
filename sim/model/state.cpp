#include "state.hpp"

#include <algorithm>
#include <string>

#include "error.hpp"

namespace jogak::model {

namespace {
constexpr u64 kAddressEnd = u64(1) << 40;
}

Memories::Memories(const spec::Config& config)
    : wspm(config.wspm_bytes),
      wsc(config.wsc_bytes),
      aspm(config.aspm_bytes),
      asc(config.asc_bytes),
      vmem(config.vmem_bytes / 4) {}

std::span<u8> Memories::bytes(spec::Space space) {
  switch (space) {
    case spec::Space::wspm: return wspm;
    case spec::Space::wsc: return wsc;
    case spec::Space::aspm: return aspm;
    case spec::Space::asc: return asc;
    case spec::Space::vmem: break;
  }
  return {reinterpret_cast<u8*>(vmem.data()), vmem.size() * 4};
}

std::span<u8> Dram::allocate(u64 base, std::size_t bytes) {
  auto owned = std::make_shared<std::vector<u8>>(bytes);
  const std::span<u8> view(*owned);
  insert({base, view, std::move(owned)});
  return view;
}

void Dram::attach(u64 base, std::span<u8> bytes) { insert({base, bytes, nullptr}); }

void Dram::insert(Mapping mapping) {
  const u64 end = mapping.base + mapping.bytes.size();
  if (mapping.base > kAddressEnd || end > kAddressEnd) {
    throw Error("model: DRAM span ends at " + std::to_string(end) + ", expected at most 2^40");
  }
  for (const Mapping& other : spans_) {
    if (mapping.base < other.base + other.bytes.size() && other.base < end) {
      throw Error("model: DRAM span at " + std::to_string(mapping.base) + " overlaps the one at " +
                  std::to_string(other.base) + ", expected spans apart from each other");
    }
  }
  spans_.push_back(std::move(mapping));
  std::sort(spans_.begin(), spans_.end(),
            [](const Mapping& a, const Mapping& b) { return a.base < b.base; });
}

u8* Dram::find(u64 address, u64 bytes) const {
  for (const Mapping& m : spans_) {
    if (address < m.base || address - m.base > m.bytes.size()) continue;
    if (bytes <= m.bytes.size() - (address - m.base)) return m.bytes.data() + (address - m.base);
  }
  return nullptr;
}

Dram Dram::clone() const {
  Dram copy;
  for (const Mapping& m : spans_) {
    std::ranges::copy(m.bytes, copy.allocate(m.base, m.bytes.size()).begin());
  }
  return copy;
}

bool Dram::operator==(const Dram& other) const {
  return std::ranges::equal(spans_, other.spans_, [](const Mapping& a, const Mapping& b) {
    return a.base == b.base && std::ranges::equal(a.bytes, b.bytes);
  });
}

}  // namespace jogak::model
