// A line that goes wrong where a test wants it to.
#pragma once

#include <algorithm>
#include <thread>
#include <vector>

#include "bridge.hpp"

namespace jogak::driver::litex {

enum class Fault { flip, lose, add };

// Passes everything on, but for the byte with the number `at` in one direction.
class BadLine final : public Transport {
 public:
  struct Plan {
    bool answers = false;  // disturb what the board sends
    std::size_t at = ~std::size_t(0);
    Fault fault = Fault::flip;
    bool dead = false;  // nothing passes
    std::size_t sent = 0, received = 0;
  };
  BadLine(std::unique_ptr<Transport> inner, Plan& plan) : inner_(std::move(inner)), plan_(plan) {}

  std::string name() const override { return inner_->name(); }
  void send(std::span<const u8> bytes, Milliseconds patience) override {
    const std::size_t from = plan_.sent;
    plan_.sent += bytes.size();
    if (!plan_.dead)
      inner_->send(plan_.answers ? std::vector<u8>(bytes.begin(), bytes.end()) : disturbed(bytes, from), patience);
  }
  std::size_t receive(std::span<u8> bytes, Milliseconds patience) override {
    if (plan_.dead) return std::this_thread::sleep_for(patience), 0;
    std::size_t n = inner_->receive(bytes, patience);
    const std::size_t from = plan_.received;
    plan_.received += n;
    if (plan_.answers && plan_.at >= from && plan_.at < from + n) {
      std::vector<u8> changed = disturbed(bytes.first(n), from);
      n = std::min(changed.size(), bytes.size());
      std::copy_n(changed.begin(), n, bytes.begin());
    }
    return n;
  }
  Milliseconds now() const override { return inner_->now(); }
  Milliseconds duration(std::size_t bytes) const override { return inner_->duration(bytes); }

 private:
  std::vector<u8> disturbed(std::span<const u8> bytes, std::size_t from) const {
    std::vector<u8> out(bytes.begin(), bytes.end());
    if (plan_.at < from || plan_.at >= from + bytes.size()) return out;
    const auto at = out.begin() + static_cast<std::ptrdiff_t>(plan_.at - from);
    if (plan_.fault == Fault::flip) *at ^= 0x10;
    if (plan_.fault == Fault::lose) out.erase(at);
    if (plan_.fault == Fault::add) out.insert(at, 0x02);
    return out;
  }

  std::unique_ptr<Transport> inner_;
  Plan& plan_;
};

}  // namespace jogak::driver::litex
