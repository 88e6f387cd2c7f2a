#include "netlist.hpp"

#include "driver/backends.hpp"
#include "driver/guard.hpp"
#include "driver/litex/litex.hpp"

namespace jogak::driver {
namespace litex {

namespace {

constexpr double kBitsPerByte = 10;

}  // namespace

std::size_t NetlistLine::receive(std::span<u8> bytes, Milliseconds patience) {
  const auto end = board_->cycles() + static_cast<u64>(static_cast<double>(patience.count()) * board_->clock_mhz() * 1000) + 1;
  std::vector<u8> out;
  while (out.empty() && board_->cycles() < end) {
    const u8 next = in_.empty() ? u8(0) : in_.front();
    if (board_->tick(in_.empty() ? nullptr : &next, out)) in_.pop_front();
  }
  if (!out.empty()) bytes[0] = out[0];
  return out.size();  // never two in a clock
}

Milliseconds NetlistLine::now() const {
  return Milliseconds(static_cast<std::int64_t>(static_cast<double>(board_->cycles()) / (board_->clock_mhz() * 1000)));
}

Milliseconds NetlistLine::duration(std::size_t bytes) const {
  return Milliseconds(static_cast<std::int64_t>(kBitsPerByte * 1000 * static_cast<double>(bytes) / board_->baud()) + 1);
}

}  // namespace litex

namespace {

std::unique_ptr<litex::Transport> line_to(const std::string& backend) {
  const std::string path = backend.substr(backend.find(':') + 1);
  return std::make_unique<litex::NetlistLine>(std::make_shared<netlist::NetlistBoard>(path), path);
}

}  // namespace

Status open_netlist(const OpenOptions& options, std::unique_ptr<Device>& device) {
  return guarded([&] { return litex::open_on(line_to(options.backend), "netlist", options, device, litex::kNetlistPatience); });
}

Status netlist_config(const std::string& backend, std::string& config) {
  return guarded([&] {
    config = litex::config_on(line_to(backend), litex::kNetlistPatience);
    return Status{};
  });
}

}  // namespace jogak::driver
