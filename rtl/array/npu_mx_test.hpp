// What the tests of the matrix engine share: memories, commands, the meaning (docs/isa.md, mm) written
// directly, and a bench that runs commands on a verilated npu_mx.
#pragma once

#include <verilated.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "error.hpp"
#include "mm_latency.hpp"
#include "npu_spec.hpp"
#include "numerics.hpp"

namespace jogak::mx_test {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

enum Wscale : u32 { kOne, kFp16, kBf16, kE8m0 };

// The fields of mm_cmd_t; register fields are values.
struct Command {
  bool e2m1 = false, colload = false, sparse = false, acc = false, ascale = false;
  u32 wscale = kOne;
  u32 w = 0, ws = 0, wn = 0, wk = 0, a = 0, am = 0, o = 0, om = 0, on = 0, m = 1, kb = 1, nb = 1, wi = 0;

  mm::Shape shape() const {
    const auto order = colload ? mm::Order::columns
                       : sparse ? (e2m1 ? mm::Order::sparse_e2m1 : mm::Order::sparse_int8)
                       : e2m1   ? mm::Order::e2m1
                                : mm::Order::int8;
    return {order, acc, m, kb, nb, o, om, on};
  }
};

struct Memories {
  std::vector<u8> wspm, wsc, aspm;
  std::vector<u16> asc;
  std::vector<u32> vmem;

  explicit Memories(const spec::Config& c)
      : wspm(c.wspm_bytes), wsc(c.wsc_bytes), aspm(c.aspm_bytes), asc(c.asc_bytes / 2), vmem(c.vmem_bytes / 4) {}
};

// mm as docs/isa.md has it.
inline u32 weight_scale(const Memories& mem, const Command& c, u32 cols, u32 tile_offset, u32 col) {
  u32 sw = num::kOne;
  const u32 wide = c.wscale == kE8m0 ? 1 : 2;
  const u32 shift = 5 - (wide - 1) - (c.e2m1 ? 1 : 0);
  const u32 at = c.ws + (tile_offset >> shift) + col * wide;
  (void)cols;
  if (c.wscale == kE8m0) sw = num::e8m0_to_f32(mem.wsc.at(at));
  if (c.wscale == kFp16 || c.wscale == kBf16) {
    const u16 code = static_cast<u16>(mem.wsc.at(at) | mem.wsc.at(at + 1) << 8);
    sw = c.wscale == kFp16 ? num::f16_to_f32(code) : num::bf16_to_f32(code);
  }
  return c.e2m1 ? num::fmul(sw, 0x3F000000u) : sw;
}

inline int weight(const Memories& mem, const Command& c, u32 cols, u32 tile, u32 k, u32 col) {
  const u32 at = k * cols + col;
  if (c.e2m1) return num::e2m1_doubled((mem.wspm.at(tile + at / 2) >> (at % 2 * 4)) & 15);
  return static_cast<std::int8_t>(mem.wspm.at(tile + (c.colload ? col * 32 + k : at)));
}

// Which value of the moving ones the stored weight k meets.
inline u32 position(const Memories& mem, const Command& c, u32 cols, u32 offset, u32 k, u32 col) {
  if (!c.sparse) return k;
  const u32 at = k * cols + col;
  return k / 2 * 4 + ((mem.wspm.at(c.wi + (offset >> (c.e2m1 ? 1 : 2)) + at / 4) >> (at % 4 * 2)) & 3);
}

inline void meaning(Memories& mem, const Command& c, u32 cols) {
  for (u32 n = 0; n < c.nb; ++n)
    for (u32 k = 0; k < c.kb; ++k)
      for (u32 m = 0; m < c.m; ++m)
        for (u32 col = 0; col < cols; ++col) {
          const u32 offset = n * c.wn + k * c.wk, act = c.a + m * c.am + k * (c.sparse ? 64 : 32);
          int isum = 0;
          for (u32 i = 0; i < 32; ++i)
            isum += static_cast<std::int8_t>(mem.aspm.at(act + position(mem, c, cols, offset, i, col))) * weight(mem, c, cols, c.w + offset, i, col);
          const u32 sa = c.ascale ? num::bf16_to_f32(mem.asc.at(act / 32)) : num::kOne;
          const u32 p = num::fmul(num::i32_to_f32(isum), num::fmul(sa, weight_scale(mem, c, cols, offset, col)));
          u32& out = mem.vmem.at(c.o + m * c.om + n * c.on + col);
          out = num::fadd(k == 0 && !c.acc ? 0u : out, p);
        }
}

// Appends fields of a packed struct, least significant first.
class Packer {
 public:
  explicit Packer(u32* words) : words_(words) {}
  void put(u32 value, unsigned bits) {
    for (unsigned i = 0; i < bits; ++i, ++at_) {
      const u32 bit = 1u << (at_ % 32);
      words_[at_ / 32] = ((value >> i) & 1) != 0 ? words_[at_ / 32] | bit : words_[at_ / 32] & ~bit;
    }
  }

 private:
  u32* words_;
  unsigned at_ = 0;
};

struct Result {
  u64 accepted, done;
};

template <class Dut>
class Bench {
 public:
  Bench(const spec::Config& config, int seed) : config_(config), mem(config) {
    context_.randReset(2);
    context_.randSeed(seed);
    dut_ = std::make_unique<Dut>(&context_);
    dut_->rst_ni = 1;
    dut_->clk_i = 0;
    dut_->cmd_valid_i = 0;
    dut_->eval();
    dut_->rst_ni = 0;
    for (int i = 0; i < 10; ++i) cycle();
    dut_->rst_ni = 1;
    now_ = 0;
  }

  // Runs the commands; gap(i): cycles between the acceptance of command i - 1 and the offer of command i.
  template <class Gap>
  std::vector<Result> run(const std::vector<Command>& commands, Gap gap) {
    std::vector<Result> results;
    std::size_t accepted = 0, done = 0;
    u64 offer = now_ + 1 + gap(0);
    u64 last_event = now_;
    while (done < commands.size()) {
      const bool valid = accepted < commands.size() && now_ >= offer;
      dut_->cmd_valid_i = valid;
      if (valid) drive(commands[accepted]);
      dut_->eval();
      if (dut_->idle_o != (accepted == done)) throw Error("npu_mx", "idle", "the contrary", "no open command");
      if (valid && dut_->cmd_ready_o) {
        results.push_back({now_, 0});
        ++accepted;
        offer = now_ + 1 + gap(accepted);
        last_event = now_;
      }
      if (dut_->done_o) {
        if (done == accepted) throw Error("npu_mx", "done pulse", "one more", "none");
        results[done++].done = now_;
        last_event = now_;
      }
      if (now_ - last_event > 3000000) throw Error("npu_mx", "progress", "none", "done");
      busy += (dut_->ev_o & 2) != 0;  // mx_ev_t: busy, wait_load
      wait_load += dut_->ev_o & 1;
      cycle();
    }
    dut_->eval();
    if (!dut_->idle_o) throw Error("npu_mx", "idle after the last command", "0", "1");
    return results;
  }

  // One clock cycle; memories answer in the next one.
  void cycle() {
    dut_->eval();
    const bool w = dut_->w_ren_o, sc = dut_->sc_ren_o, a = dut_->a_ren_o, r = dut_->v_rvalid_o;
    const u32 w_row = dut_->w_row_o, sc_row = dut_->sc_row_o, blk = dut_->a_blk_o, row = dut_->v_rrow_o;
    const u32 cols = config_.cols;
    const bool wr = dut_->v_wvalid_o != 0 && dut_->rst_ni != 0;
    const u32 w_at = dut_->v_wrow_o * cols;
    if (wr) written_.assign(&dut_->v_wdata_o[0], &dut_->v_wdata_o[0] + cols);
    dut_->clk_i = 1;
    dut_->eval();
    answer(w, &dut_->w_rdata_i[0], mem.wspm.data() + std::size_t(w_row) * 2 * cols, cols / 2);
    answer(sc, &dut_->sc_rdata_i[0], mem.wsc.data() + std::size_t(sc_row) * 2 * cols, cols / 2);
    answer(a, &dut_->a_rdata_i[0], mem.aspm.data() + std::size_t(blk) * 32, 8);
    dut_->a_rscale_i = a ? mem.asc[blk] : u16(noise_);
    answer(r, &dut_->v_rdata_i[0], reinterpret_cast<const u8*>(&mem.vmem[std::size_t(row) * cols]), cols);
    if (wr) std::copy(written_.begin(), written_.end(), mem.vmem.begin() + w_at);
    dut_->clk_i = 0;
    ++now_;
  }

 private:
  // Without a request the port shows something else, as a memory may.
  void answer(bool ren, u32* port, const u8* from, u32 words) {
    if (ren) {
      std::memcpy(port, from, std::size_t(words) * 4);
    } else if (noisy) {
      for (u32 i = 0; i < words; ++i) port[i] = noise_ = noise_ * 1664525u + 1013904223u;
    }
  }

  void drive(const Command& c) {
    Packer p(&dut_->cmd_i[0]);
    p.put(c.e2m1, 2);
    p.put(c.wscale, 2);
    p.put(c.ascale, 1);
    p.put(c.acc, 1);
    p.put(c.colload, 1);
    for (u32 v : {c.w, c.ws, c.wn, c.wk, c.a, c.am, c.o, c.om, c.on, c.m, c.kb, c.nb}) p.put(v, 32);
    p.put(c.sparse, 1);
    p.put(c.wi, 32);
  }

  const spec::Config& config_;
  VerilatedContext context_;
  std::unique_ptr<Dut> dut_;
  std::vector<u32> written_;
  u64 now_ = 0;
  u32 noise_ = 1;

 public:
  Memories mem;
  bool noisy = true;
  u64 busy = 0, wait_load = 0;
  u64 now() const { return now_; }
};

}  // namespace jogak::mx_test
