// The load and store engines' bench in C++: queues of commands, a byte-level reference, noise on the other ports.
// MEMORY_BENCH is the Verilated class, MEMORY_CONFIG the configuration's name.
#pragma once

#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include MEMORY_BENCH_HEADER
#include "npu_spec.hpp"
#include "sim/rtl/axi_memory.hpp"
#include "verilated.h"

namespace memory_test {

using jogak::spec::Space;
using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

inline constexpr jogak::spec::Config config = *jogak::spec::find_config(MEMORY_CONFIG);
inline constexpr u64 dram_base = 0x5f'4321'0040;  // as a window's base: a multiple of 64 only
inline constexpr u64 dram_bytes = 1 << 20;

struct Box {
  bool load = true;
  Space space = Space::vmem;
  u64 da = 0;
  u32 ca = 0, len = 0, n1 = 1, ds1 = 0, cs1 = 0, n2 = 1, ds2 = 0, cs2 = 0;
  bool gather = false;
  u32 idx = 0;
  u64 window = dram_bytes;

  u32 room() const { return static_cast<u32>(window - (da + u64(n2 - 1) * ds2 + len)); }
};

struct Fault {
  bool load;
  u32 code;
  u64 addr;
  u64 dones_before;
};

struct Noise {
  u32 reads = 0, writes = 0, quant = 0;  // chance in 256 a cycle
};

template <class Signal>
u8* raw(Signal& signal) {
  return reinterpret_cast<u8*>(&signal);
}

class Rig {
 public:
  explicit Rig(u64 seed, u32 stall = 0, u32 latency = 64)
      : rng(seed),
        dram(dram_bytes),
        memory(dram, dram_base,
               {.port_bytes = config.port_bytes, .read_latency = latency, .write_latency = latency, .stall = stall,
                .seed = seed}),
        dut_(random_start(seed)) {
    chip[0].resize(config.wspm_bytes);
    chip[1].resize(config.wsc_bytes);
    chip[2].resize(config.aspm_bytes);
    chip[3].resize(config.asc_bytes);
    chip[4].resize(config.vmem_bytes);
    for (u8& byte : dram) byte = static_cast<u8>(rng());
    reference = dram;
    bind();
    auto& d = *dut_;
    d.clk_i = d.rst_ni = d.mx_rvalid_i = d.mx_wvalid_i = d.w_ren_i = d.sc_ren_i = d.a_ren_i = 0;
    for (int i = 0; i < 3; ++i) tick();
    dut_->rst_ni = 1;
    tick();
    fill();
  }

  // Queues the command and applies it to the reference: commands of one engine act in order, and what loads and
  // stores in flight together touch must be disjoint.
  void push(const Box& box, bool apply = true) {
    (box.load ? loads_ : stores_).push_back(box);
    if (apply) this->apply(box);
    for (u32 i2 = 0; i2 < box.n2; ++i2)
      for (u32 i1 = 0; i1 < box.n1; ++i1) count(box, i2, row(box, i1));
    ++(box.load ? load_cmds : store_cmds);
  }

  u32 row(const Box& box, u32 i1) const {
    if (!box.gather) return i1;
    u32 index;
    std::memcpy(&index, &chip[4][(box.idx + i1) * 4], 4);
    return index;
  }

  void drain() {
    const u64 limit = cycle + 2000000;
    while (!loads_.empty() || !stores_.empty() || load_dones < load_cmds || store_dones < store_cmds ||
           !dut_->ld_idle_o || !dut_->st_idle_o) {
      tick();
      if (cycle > limit) throw jogak::Error("memory rig", "engines", "no end", "done");
    }
    for (int i = 0; i < 4; ++i) tick();
  }

  void tick() {
    offer();
    make_noise();
    dut_->eval();
    watch();
    if (dut_->rst_ni) memory.sample(pins_);
    dut_->clk_i = 1;
    dut_->eval();
    if (noise.reads != 0) check_reads();
    memory.drive(pins_);
    dut_->clk_i = 0;
    ++cycle;
  }

  // First difference between machine and reference, or "".
  std::string compare() {
    noise = {};
    for (u64 i = 0; i < dram.size(); ++i)
      if (dram[i] != reference[i]) return "dram byte " + std::to_string(i);
    std::array<std::vector<u8>, 5> got;
    read_all(got[0], config.wspm_bytes, config.cols * 2, dut_->w_ren_i, dut_->w_row_i, raw(dut_->w_rdata_o));
    read_all(got[1], config.wsc_bytes, config.cols * 2, dut_->sc_ren_i, dut_->sc_row_i, raw(dut_->sc_rdata_o));
    read_all(got[2], config.aspm_bytes, 32, dut_->a_ren_i, dut_->a_blk_i, raw(dut_->a_rdata_o));
    read_all(got[3], config.asc_bytes, 2, dut_->a_ren_i, dut_->a_blk_i, raw(dut_->a_rscale_o));
    read_all(got[4], config.vmem_bytes, config.cols * 4, dut_->mx_rvalid_i, dut_->mx_row_i, raw(dut_->mx_rdata_o));
    for (u32 s = 0; s < 5; ++s)
      for (u64 i = 0; i < got[s].size(); ++i)
        if (got[s][i] != chip[s][i]) return "space " + std::to_string(s) + " byte " + std::to_string(i);
    return "";
  }

  MEMORY_BENCH& dut() { return *dut_; }

  std::mt19937_64 rng;
  std::vector<u8> dram, reference;
  std::array<std::vector<u8>, 5> chip;
  jogak::rtl::AxiMemory memory;
  Noise noise;
  u64 cycle = 0;
  u64 load_cmds = 0, store_cmds = 0, load_dones = 0, store_dones = 0;
  u64 read_beats = 0, read_bursts = 0, write_beats = 0, write_bursts = 0;           // expected
  u64 ev_read_beats = 0, ev_read_bursts = 0, ev_write_beats = 0, ev_write_bursts = 0;  // counted by the engines
  u64 first_beat = 0, last_beat = 0;                                                 // cycles
  std::vector<Fault> faults;
  std::string wrong;  // last wrong grant or data of the noise's reads
  u64 looked = 0;     // reads of the noise that were checked

  // The last rows of vmem and blocks of aspm belong to the noise.
  static constexpr u32 noise_rows = 16, noise_blocks = 16;

 private:
  struct Look {
    const u8* got;
    std::vector<u8> want;
  };

  void apply(const Box& box) {
    for (u32 i2 = 0; i2 < box.n2; ++i2) {
      for (u32 i1 = 0; i1 < box.n1; ++i1) {
        u8* chip_at = &chip[u32(box.space)][box.ca + u64(i2) * box.cs2 + u64(i1) * box.cs1];
        u8* dram_at = &reference[box.da + u64(i2) * box.ds2 + u64(row(box, i1)) * box.ds1];
        std::memcpy(box.load ? chip_at : dram_at, box.load ? dram_at : chip_at, box.len);
      }
    }
  }

  void count(const Box& box, u32 i2, u32 row) {
    const u64 first = dram_base + box.da + u64(i2) * box.ds2 + u64(row) * box.ds1;
    const u64 last = first + box.len - 1;
    const u64 word = config.port_bytes, cut = 64 * word;
    (box.load ? read_beats : write_beats) += last / word - first / word + 1;
    (box.load ? read_bursts : write_bursts) += last / cut - first / cut + 1;
  }

  void offer() {
    const bool both = !loads_.empty() && !stores_.empty();
    const bool load = both ? rng() % 2 : !loads_.empty();
    dut_->ld_valid_i = load && !loads_.empty();
    dut_->st_valid_i = !load && !stores_.empty();
    if (!dut_->ld_valid_i && !dut_->st_valid_i) return;
    const Box& box = load ? loads_.front() : stores_.front();
    dut_->base_i = dram_base + box.da;
    dut_->room_i = box.room();
    dut_->space_i = u32(box.space);
    dut_->gather_i = box.gather;
    dut_->ca_i = box.ca;
    dut_->len_i = box.len;
    dut_->n1_i = box.n1;
    dut_->ds1_i = box.ds1;
    dut_->cs1_i = box.cs1;
    dut_->n2_i = box.n2;
    dut_->ds2_i = box.ds2;
    dut_->cs2_i = box.cs2;
    dut_->idx_i = box.idx;
  }

  bool chance(u32 of256) { return of256 != 0 && rng() % 256 < of256; }

  void make_noise() {
    const u32 rows = config.vmem_bytes / (config.cols * 4);
    const auto any_row = [&] { return rng() % 2 ? rows - 1 - rng() % noise_rows : rng() % rows; };
    dut_->vea_rvalid_i = chance(noise.reads);
    dut_->vea_rrow_i = any_row();
    dut_->veb_rvalid_i = chance(noise.reads);
    dut_->veb_rrow_i = any_row();
    if (!looking_ && noise.reads != 0) {
      dut_->a_ren_i = chance(noise.reads);
      dut_->a_blk_i = config.aspm_bytes / 32 - 1 - rng() % noise_blocks;
      dut_->mx_rvalid_i = chance(noise.reads);
      dut_->mx_row_i = any_row();
    }
    dut_->ve_wvalid_i = chance(noise.writes);
    if (dut_->ve_wvalid_i) {
      dut_->ve_wrow_i = rows - 1 - rng() % noise_rows;
      const u64 mask = rng();
      std::memcpy(raw(dut_->ve_wmask_i), &mask, config.cols / 8);
      for (u32 i = 0; i < config.cols * 4; ++i) raw(dut_->ve_wdata_i)[i] = static_cast<u8>(rng());
    }
    dut_->q_wvalid_i = chance(noise.quant);
    if (dut_->q_wvalid_i) {
      dut_->q_wblk_i = config.aspm_bytes / 32 - 1 - rng() % noise_blocks;
      dut_->q_wscale_en_i = rng() % 2;
      dut_->q_wscale_i = static_cast<std::uint16_t>(rng());
      for (u32 i = 0; i < 32; ++i) raw(dut_->q_wdata_i)[i] = static_cast<u8>(rng());
    }
  }

  // What the other clients were granted and must see after the edge. What is written in the same cycle is undefined.
  void expect_reads() {
    looks_.clear();
    const auto bank = [](u32 row) { return row % 4; };
    const u32 mx = dut_->mx_row_i, a = dut_->vea_rrow_i, b = dut_->veb_rrow_i;
    const bool a_ready = !(dut_->mx_rvalid_i && bank(mx) == bank(a));
    const bool b_ready = !dut_->vmem_st_asks_o && !(dut_->mx_rvalid_i && bank(mx) == bank(b)) &&
                         !(dut_->vea_rvalid_i && bank(a) == bank(b));
    if (dut_->vea_rvalid_i && dut_->vea_rready_o != a_ready) wrong = "vea grant";
    if (dut_->veb_rvalid_i && dut_->veb_rready_o != b_ready) wrong = "veb grant";
    const auto look_row = [&](bool granted, u32 row, const u8* data) {
      const u32 bytes = config.cols * 4;
      if (dut_->ve_wvalid_i && dut_->ve_wrow_i == row) return;
      if (granted && row >= config.vmem_bytes / bytes - noise_rows) look(&chip[4][row * bytes], bytes, data);
    };
    look_row(dut_->mx_rvalid_i, mx, raw(dut_->mx_rdata_o));
    look_row(dut_->vea_rvalid_i && a_ready, a, raw(dut_->vea_rdata_o));
    look_row(dut_->veb_rvalid_i && b_ready, b, raw(dut_->veb_rdata_o));
    const bool clash = dut_->q_wvalid_i && dut_->q_wblk_i == dut_->a_blk_i;
    if (dut_->a_ren_i && !clash && dut_->a_blk_i >= config.aspm_bytes / 32 - noise_blocks) {
      look(&chip[2][dut_->a_blk_i * 32], 32, raw(dut_->a_rdata_o));
      look(&chip[3][dut_->a_blk_i * 2], 2, raw(dut_->a_rscale_o));
    }
  }
  void look(const u8* want, u32 bytes, const u8* got) { looks_.push_back({got, std::vector<u8>(want, want + bytes)}); }
  void check_reads() {
    for (const Look& l : looks_)
      if (std::memcmp(l.got, l.want.data(), l.want.size()) != 0) wrong = "read data, cycle " + std::to_string(cycle);
    looked += looks_.size();
  }

  void watch() {
    if (!dut_->rst_ni) return;
    if (noise.reads != 0) expect_reads();
    if (dut_->ld_valid_i && dut_->ld_ready_o) loads_.pop_front();
    if (dut_->st_valid_i && dut_->st_ready_o) stores_.pop_front();
    if (dut_->ld_fault_o) faults.push_back({true, dut_->ld_fault_code_o, dut_->ld_fault_addr_o, load_dones});
    if (dut_->st_fault_o) faults.push_back({false, dut_->st_fault_code_o, dut_->st_fault_addr_o, store_dones});
    load_dones += dut_->ld_done_o;
    store_dones += dut_->st_done_o;
    ev_read_beats += dut_->ld_beat_o;
    ev_read_bursts += dut_->ld_burst_o;
    ev_write_beats += dut_->st_beat_o;
    ev_write_bursts += dut_->st_burst_o;
    if (dut_->ld_beat_o || dut_->st_beat_o) {
      if (first_beat == 0) first_beat = cycle;
      last_beat = cycle;
    }
    if (dut_->ve_wvalid_i && dut_->ve_wready_o) {
      u64 mask = 0;
      std::memcpy(&mask, raw(dut_->ve_wmask_i), config.cols / 8);
      for (u32 c = 0; c < config.cols; ++c)
        if (mask >> c & 1)
          std::memcpy(&chip[4][(dut_->ve_wrow_i * config.cols + c) * 4], raw(dut_->ve_wdata_i) + c * 4, 4);
    }
    if (dut_->q_wvalid_i) {
      std::memcpy(&chip[2][dut_->q_wblk_i * 32], raw(dut_->q_wdata_i), 32);
      if (dut_->q_wscale_en_i) std::memcpy(&chip[3][dut_->q_wblk_i * 2], &dut_->q_wscale_i, 2);
    }
  }

  // vmem, aspm and asc through the other clients' ports, wspm and wsc by loads.
  void fill() {
    const u32 row_bytes = config.cols * 4;
    for (u32 row = 0; row < config.vmem_bytes / row_bytes; ++row) {
      dut_->mx_wvalid_i = 1;
      dut_->mx_row_i = row;
      for (u32 i = 0; i < row_bytes; ++i)
        raw(dut_->mx_wdata_i)[i] = chip[4][row * row_bytes + i] = static_cast<u8>(rng());
      tick();
    }
    dut_->mx_wvalid_i = 0;
    for (u32 blk = 0; blk < config.aspm_bytes / 32; ++blk) {
      make_noise();
      dut_->q_wblk_i = blk;
      dut_->q_wscale_en_i = 1;
      dut_->q_wscale_i = static_cast<std::uint16_t>(rng());
      for (u32 i = 0; i < 32; ++i) raw(dut_->q_wdata_i)[i] = static_cast<u8>(rng());
      fill_block();
    }
    push({.space = Space::wspm, .len = config.wspm_bytes});
    push({.space = Space::wsc, .len = config.wsc_bytes});
    drain();
    first_beat = last_beat = 0;
  }
  void fill_block() {
    dut_->q_wvalid_i = 1;
    dut_->eval();
    watch();
    dut_->clk_i = 1;
    dut_->eval();
    dut_->clk_i = 0;
    dut_->q_wvalid_i = 0;
  }

  template <class Enable, class Row>
  void read_all(std::vector<u8>& to, u32 bytes, u32 word, Enable& enable, Row& row, const u8* data) {
    looking_ = true;
    to.resize(bytes);
    for (u32 i = 0; i < bytes / word; ++i) {
      enable = 1;
      row = static_cast<Row>(i);
      tick();
      dut_->eval();
      std::memcpy(&to[i * word], data, word);
    }
    enable = 0;
    looking_ = false;
  }

  static std::unique_ptr<MEMORY_BENCH> random_start(u64 seed) {
    Verilated::randReset(2);
    Verilated::randSeed(static_cast<int>(seed % 0x7fffffff) + 1);
    return std::make_unique<MEMORY_BENCH>();
  }

  void bind() {
    auto& d = *dut_;
    pins_ = {.ar_valid = &d.ar_valid_o, .ar_ready = &d.ar_ready_i, .ar_addr = &d.ar_addr_o, .ar_len = &d.ar_len_o,
             .r_valid = &d.r_valid_i, .r_ready = &d.r_ready_o, .r_data = &d.r_data_i, .r_resp = &d.r_resp_i,
             .r_last = &d.r_last_i, .aw_valid = &d.aw_valid_o, .aw_ready = &d.aw_ready_i, .aw_addr = &d.aw_addr_o,
             .aw_len = &d.aw_len_o, .w_valid = &d.w_valid_o, .w_ready = &d.w_ready_i, .w_data = &d.w_data_o,
             .w_strb = &d.w_strb_o, .w_last = &d.w_last_o, .b_valid = &d.b_valid_i, .b_ready = &d.b_ready_o,
             .b_resp = &d.b_resp_i};
  }

  std::unique_ptr<MEMORY_BENCH> dut_;
  jogak::rtl::AxiPins pins_;
  std::deque<Box> loads_, stores_;
  std::vector<Look> looks_;
  bool looking_ = false;
};

}  // namespace memory_test
