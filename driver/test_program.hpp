// Programs for tests of devices.
#pragma once

#include <doctest/doctest.h>

#include <span>
#include <string>

#include "device.hpp"
#include "runtime/asm.hpp"

namespace jogak::driver {

// Assembles into fresh memory of the device, which is told where: all but its windows is ready for a start.
inline void put_program(Device& d, const std::string& text) {
  const auto good = [](const Status& s) { REQUIRE_MESSAGE(s.ok(), s.message()); };
  const auto code = assemble(text);
  const auto bytes = std::as_bytes(std::span(code));
  std::uint64_t at = 0;
  good(d.alloc(bytes.size(), at));
  good(d.copy_in(at, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}));
  good(d.write_csr(spec::csr::code_lo, static_cast<std::uint32_t>(at)));
  good(d.write_csr(spec::csr::code_hi, static_cast<std::uint32_t>(at >> 32)));
  good(d.write_csr(spec::csr::code_len, static_cast<std::uint32_t>(code.size())));
}

}  // namespace jogak::driver
