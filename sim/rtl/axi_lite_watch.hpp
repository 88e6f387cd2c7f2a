// The rules of AXI4-Lite that a slave must keep, watched in every cycle: answers stay until they are taken, belong to a request, and are
// OKAY or an error. Broken rules throw jogak::Error.
#pragma once

#include <cstdint>
#include <string>

#include "error.hpp"

namespace jogak::rtl {

// Where the signals live.
struct AxiLitePins {
  const std::uint8_t *aw_valid, *aw_ready, *w_valid, *w_ready, *b_valid, *b_ready, *b_resp;
  const std::uint8_t *ar_valid, *ar_ready, *r_valid, *r_ready, *r_resp;
  const std::uint32_t* r_data;
};

class AxiLiteWatch {
 public:
  // Before the rising edge: what is transferred at it.
  void sample(const AxiLitePins& p) {
    answer("B", writes(), *p.b_valid, *p.b_ready, *p.b_resp, 0, b_);
    answer("R", reads_, *p.r_valid, *p.r_ready, *p.r_resp, *p.r_data, r_);
    if (*p.b_valid && *p.b_ready) --addresses_, --data_;
    if (*p.r_valid && *p.r_ready) --reads_;
    addresses_ += *p.aw_valid && *p.aw_ready;
    data_ += *p.w_valid && *p.w_ready;
    reads_ += *p.ar_valid && *p.ar_ready;
  }
  void reset() { *this = {}; }

 private:
  struct Held {
    bool waiting = false;
    std::uint32_t resp = 0, data = 0;
  };

  // Writes whose address and data have both been taken.
  int writes() const { return addresses_ < data_ ? addresses_ : data_; }
  void answer(const char* name, int requests, bool valid, bool ready, std::uint32_t resp, std::uint32_t data, Held& held) const {
    const std::string channel = std::string("register port ") + name;
    if (held.waiting && (!valid || resp != held.resp || data != held.data)) throw Error("axi", channel, "a change before ready", "a stable answer");
    if (valid && requests == 0) throw Error("axi", channel, "an answer without a request", "one for each request");
    if (valid && resp == 1) throw Error("axi", channel + " answer", "EXOKAY", "OKAY or an error");
    held = {valid && !ready, resp, data};
  }

  int addresses_ = 0, data_ = 0, reads_ = 0;
  Held b_, r_;
};

}  // namespace jogak::rtl
