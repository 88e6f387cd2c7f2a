// A vector engine with its memories in C++: vector memory with the bank rules of
// npu_vmem and optional random refusals, activation scratchpad, and the meaning
// of vec and qnt straight from docs/isa.md to compare with.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include DUT_HEADER
#include "numerics.hpp"
#include "verilated.h"

namespace ve {

namespace num = jogak::num;
using num::u16;
using num::u32;
using num::u64;
using num::u8;

struct Command {
  bool qnt = false, by_row = false, pair = false;
  u32 op = 0, bmode = 2, func = 0, red = 0;
  bool wr = true, nega = false, negb = false, absa = false, swap = false, masked = false, linc = false;
  u32 dst = 0, ds = 0, a = 0, as = 0, b = num::kOne, bs = 0, s = 0, lim = 0, r = 0, rows = 1, cols = 1;
};

struct Memories {
  std::vector<u32> vmem;
  std::vector<u8> aspm;
  std::vector<u16> asc;
};

// ---- meaning ----------------------------------------------------------------

inline u32 element(const Command& c, const std::vector<u32>& vmem, u64 i, u64 j) {
  u32 x = vmem[c.a + i * c.as + (c.swap ? j ^ 1 : j)];
  if (c.absa) x = num::fabs(x);
  if (c.nega) x = num::fneg(x);
  u32 y = c.bmode == 0 ? vmem[c.b + i * c.bs + j] : c.bmode == 1 ? vmem[c.b + i * c.bs] : c.b;
  if (c.negb) y = num::fneg(y);
  u32 v = c.op == 0 ? num::fmul(x, y) : c.op == 1 ? num::ffma(x, c.s, y) : c.op == 2 ? num::fmax(x, y) : num::fmin(x, y);
  return c.func == 1 ? num::fexp(v) : c.func == 2 ? num::frecip(v) : c.func == 3 ? num::frsqrt(v) : v;
}

inline void run_vec(const Command& c, Memories& m) {
  for (u64 i = 0; i < c.rows; ++i) {
    std::vector<u32> row(c.cols);
    for (u64 j = 0; j < c.cols; ++j) {
      const bool hidden = c.masked && j >= u64(c.lim) + (c.linc ? i : 0);
      row[j] = hidden ? (c.red == 2 ? num::kLowest : 0u) : element(c, m.vmem, i, j);
    }
    if (c.wr) std::copy(row.begin(), row.end(), m.vmem.begin() + static_cast<std::ptrdiff_t>(c.dst + i * c.ds));
    if (c.red == 1) m.vmem[c.r + i] = num::tree_sum(row.data(), c.cols);
    if (c.red != 2) continue;
    u32 largest = num::kLowest;
    for (const u32 v : row) largest = num::fmax(largest, v);
    m.vmem[c.r + i] = largest;
  }
}

inline void run_qnt(const Command& c, Memories& m) {
  for (u64 i = 0; i < c.rows; ++i) {
    const u32* x = &m.vmem[c.a + i * c.as];
    num::QuantScale q = num::quant_scale(num::absmax(x, c.cols));
    if (c.by_row) m.vmem[c.r + i] = num::bf16_to_f32(q.scale);
    for (u64 first = 0; first < c.cols; first += 32) {
      const u64 n = std::min<u64>(32, c.cols - first), address = c.dst + i * c.ds + first;
      if (!c.by_row) {
        const u64 group = c.pair ? 64 : 32;
        if (first % group == 0) q = num::quant_scale(num::absmax(x + first, std::min<u64>(group, c.cols - first)));
        m.asc[address / 32] = q.scale;
      }
      for (u64 k = 0; k < 32; ++k) {
        m.aspm[address + k] = k < n ? static_cast<u8>(num::quant_value(x[first + k], q.recip)) : 0;
      }
    }
  }
}

inline void run(const Command& c, Memories& m) { c.qnt ? run_qnt(c, m) : run_vec(c, m); }

// ---- engine -----------------------------------------------------------------

class Engine {
 public:
  Engine() {
    Verilated::randReset(2);  // registers without reset start with anything
    Verilated::randSeed(5);
    dut_ = std::make_unique<DUT>();
    dut_->clk_i = 0;
    dut_->cmd_valid_i = 0;
    dut_->vea_rdvalid_i = dut_->veb_rdvalid_i = 0;
    dut_->rst_ni = 0;
    dut_->eval();
    cols = dut_->cols_o;
    lanes = dut_->lanes_o;
    pairs = dut_->pairs_o;
    memories.vmem.resize(dut_->vmem_words_o);
    memories.aspm.resize(dut_->aspm_bytes_o);
    memories.asc.resize(dut_->aspm_bytes_o / 32);
    for (int i = 0; i < 4; ++i) cycle();
    dut_->rst_ni = 1;
    for (int i = 0; i < 4; ++i) cycle();
  }

  // Starts a command as soon as the engine takes it; false after too many cycles.
  bool start(const Command& c) {
    drive(c);
    for (int i = 0; i < 4000000; ++i) {
      dut_->eval();
      const bool taken = dut_->cmd_ready_o;
      cycle();
      if (!taken) continue;
      dut_->cmd_valid_i = 0;
      ++started_;
      return true;
    }
    return false;
  }
  // Runs until every started command is done; false after too many cycles.
  bool finish() {
    for (int i = 0; i < 4000000 && done != started_; ++i) cycle();
    cycle();
    return done == started_ && dut_->idle_o;
  }

  u32 cols = 0, lanes = 0;
  bool pairs = false;  // qnt by pairs of blocks is there
  Memories memories;
  unsigned refuse = 0;  // requests refused, of 256
  u64 cycles = 0, done = 0, busy = 0, waiting = 0;

 private:
  void drive(const Command& c) {
    dut_->cmd_valid_i = 1;
    dut_->is_qnt_i = c.qnt;
    dut_->qnt_row_i = c.by_row;
    dut_->qnt_pair_i = c.pair;
    const Command plain;
    const Command& v = c.qnt ? plain : c;  // fields of vec are 0 in a qnt command
    dut_->op_i = v.op;
    dut_->bmode_i = c.qnt ? 0 : v.bmode;
    dut_->func_i = v.func;
    dut_->red_i = v.red;
    dut_->flags_i = static_cast<u8>(c.qnt ? 0
                                          : v.wr | v.nega << 1 | v.negb << 2 | v.absa << 3 | v.swap << 4 |
                                                v.masked << 5 | v.linc << 6);
    dut_->b_i = c.qnt ? 0 : v.b;
    dut_->bs_i = v.bs;
    dut_->s_i = v.s;
    dut_->lim_i = v.lim;
    dut_->dst_i = c.dst;
    dut_->ds_i = c.ds;
    dut_->a_i = c.a;
    dut_->as_i = c.as;
    dut_->r_i = c.r;
    dut_->rows_i = c.rows;
    dut_->cols_i = c.cols;
  }

  bool refused() { return refuse != 0 && rng_() % 256 < refuse; }
  template <class Port>
  void answer(Port& data, bool granted, u32 row) {
    for (u32 w = 0; w < cols; ++w) data[w] = granted ? memories.vmem[row * cols + w] : static_cast<u32>(rng_());
  }

  void cycle() {
    dut_->vea_rready_i = !refused();
    const bool b_refused = refused(), w_refused = refused();
    dut_->eval();
    const bool conflict = dut_->vea_rvalid_o && (dut_->vea_rrow_o & 3) == (dut_->veb_rrow_o & 3);
    dut_->veb_rready_i = !conflict && !b_refused;
    dut_->ve_wready_i = !w_refused;
    dut_->eval();
    const bool a_read = dut_->vea_rvalid_o && dut_->vea_rready_i, b_read = dut_->veb_rvalid_o && dut_->veb_rready_i;
    const u32 a_row = dut_->vea_rrow_o, b_row = dut_->veb_rrow_o;
    busy += dut_->busy_o;
    waiting += dut_->wait_mem_o;
    done += dut_->done_o;
    ++cycles;
    // Reads give the old row: take their data before the write.
    std::vector<u32>& vmem = memories.vmem;
    a_next_.assign(vmem.begin() + a_row * cols, vmem.begin() + (a_row + 1) * cols);
    b_next_.assign(vmem.begin() + b_row * cols, vmem.begin() + (b_row + 1) * cols);
    if (dut_->ve_wvalid_o && dut_->ve_wready_i) {
      for (u32 w = 0; w < cols; ++w) {
        if ((u64(dut_->ve_wmask_o) >> w) & 1) vmem[dut_->ve_wrow_o * cols + w] = dut_->ve_wdata_o[w];
      }
    }
    if (dut_->q_wvalid_o) {
      for (u32 k = 0; k < 32; ++k) {
        memories.aspm[dut_->q_wblk_o * 32 + k] = static_cast<u8>(dut_->q_wdata_o[k / 4] >> (k % 4 * 8));
      }
      if (dut_->q_wscale_en_o) memories.asc[dut_->q_wblk_o] = dut_->q_wscale_o;
    }
    dut_->clk_i = 1;
    dut_->eval();
    dut_->clk_i = 0;
    dut_->vea_rdvalid_i = a_read;
    dut_->veb_rdvalid_i = b_read;
    if (a_read) std::copy(a_next_.begin(), a_next_.end(), &dut_->vea_rdata_i[0]);
    if (b_read) std::copy(b_next_.begin(), b_next_.end(), &dut_->veb_rdata_i[0]);
    dut_->eval();
  }

  std::unique_ptr<DUT> dut_;
  std::mt19937 rng_{11};
  std::vector<u32> a_next_, b_next_;
  u64 started_ = 0;
};

// What differs, in words; empty when both memories are equal.
inline std::string difference(const Memories& found, const Memories& want) {
  const auto report = [](const char* name, u64 at, u64 f, u64 w) {
    return std::string(name) + " " + std::to_string(at) + ": found " + std::to_string(f) + ", expected " + std::to_string(w);
  };
  for (u64 i = 0; i < want.vmem.size(); ++i)
    if (found.vmem[i] != want.vmem[i]) return report("vmem word", i, found.vmem[i], want.vmem[i]);
  for (u64 i = 0; i < want.aspm.size(); ++i)
    if (found.aspm[i] != want.aspm[i]) return report("aspm byte", i, found.aspm[i], want.aspm[i]);
  for (u64 i = 0; i < want.asc.size(); ++i)
    if (found.asc[i] != want.asc[i]) return report("asc entry", i, found.asc[i], want.asc[i]);
  return {};
}

}  // namespace ve
