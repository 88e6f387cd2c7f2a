// One configuration's machine, as verilated_npu.cpp and verilated_package.cpp compile it: MODEL is the Verilated class, MODEL_HEADER and
// ROOT_HEADER its headers, CONFIG_NAME the configuration.
#pragma once

#include MODEL_HEADER
#include ROOT_HEADER

#include <optional>

#include "axi_lite_watch.hpp"
#include "axi_memory.hpp"
#include "banks.hpp"
#include "simulator.hpp"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

namespace jogak::rtl {

namespace {

using u8 = std::uint8_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

constexpr int kResetCycles = 10;
constexpr int kCsrPatience = 100;
constexpr u32 kEngines = 4, kTraceBits = 34;
constexpr std::size_t kCounters = static_cast<std::size_t>(spec::Counter::seq_fetch) + 1;

class Machine : public Simulator {
 public:
  explicit Machine(const Options& options) : options_(options), store_(options.dram_bytes) {
    context_.randReset(2);
    context_.randSeed(static_cast<int>(options.seed % 0x7fffffff) + 1);
#if VM_TRACE
    context_.traceEverOn(true);
#endif
    dut_ = std::make_unique<MODEL>(&context_);
    if (options.memory) behind_ = options.memory();
    memory_.emplace(store_, options.dram_base,
                    AxiOptions{config().port_bytes, options.read_latency, options.write_latency, options.stall,
                               options.seed, behind_.get()});
    connect();
    collect_banks(*dut_->rootp, config(), banks_);
    reset();
  }
  ~Machine() override {
    Verilated::threadContextp(&context_);  // the model leaves the thread's: that of the machine made last, which may be gone
    dut_->final();
  }

  const spec::Config& config() const override { return *spec::find_config(CONFIG_NAME); }
  std::span<u8> dram() override { return store_; }
  u64 dram_base() const override { return options_.dram_base; }
  u64 cycles() const override { return cycle_; }
  bool irq() const override { return dut_->irq_o; }

  void reset() override {
    dut_->s_axi_awvalid_i = dut_->s_axi_wvalid_i = dut_->s_axi_arvalid_i = 0;
    dut_->s_axi_bready_i = dut_->s_axi_rready_i = 1;
    dut_->m_axi_arready_i = dut_->m_axi_rvalid_i = dut_->m_axi_awready_i = 0;
    dut_->m_axi_wready_i = dut_->m_axi_bvalid_i = 0;
    dut_->clk_i = 0;
    dut_->rst_ni = 1;
    dut_->eval();
    dut_->rst_ni = 0;
    for (int i = 0; i < kResetCycles; ++i) edge();
    dut_->rst_ni = 1;
    edge();
    registers_.reset();
  }

  void write_csr(u32 offset, u32 value) override {
    dut_->s_axi_awaddr_i = static_cast<std::uint16_t>(offset);
    dut_->s_axi_wdata_i = value;
    dut_->s_axi_wstrb_i = 0xF;
    dut_->s_axi_awvalid_i = dut_->s_axi_wvalid_i = 1;
    wait([&] { return dut_->s_axi_awready_o && dut_->s_axi_wready_o; }, "write", offset);
    dut_->s_axi_awvalid_i = dut_->s_axi_wvalid_i = 0;
    rest(dut_->s_axi_bready_i);
    wait([&] { return dut_->s_axi_bvalid_o; }, "write answer", offset);
  }

  u32 read_csr(u32 offset) override {
    dut_->s_axi_araddr_i = static_cast<std::uint16_t>(offset);
    dut_->s_axi_arvalid_i = 1;
    wait([&] { return dut_->s_axi_arready_o; }, "read", offset);
    dut_->s_axi_arvalid_i = 0;
    rest(dut_->s_axi_rready_i);
    u32 value = 0;
    wait([&] { return value = dut_->s_axi_rdata_o, dut_->s_axi_rvalid_o; }, "read answer", offset);
    return value;
  }

  bool run_until_irq(u64 cycles) override {
    const u64 end = cycle_ + cycles;
    while (!dut_->irq_o && cycle_ < end) tick();
    return dut_->irq_o;
  }

  void peek(spec::Space space, std::size_t at, std::span<u8> bytes) const override {
    banks_[static_cast<std::size_t>(space)].copy(at, bytes.size(), [&](const u8* chip, std::size_t i, std::size_t n) {
      std::memcpy(&bytes[i], chip, n);
    });
  }
  void poke(spec::Space space, std::size_t at, std::span<const u8> bytes) override {
    banks_[static_cast<std::size_t>(space)].copy(at, bytes.size(), [&](u8* chip, std::size_t i, std::size_t n) {
      std::memcpy(chip, &bytes[i], n);
    });
  }

  void bus_error(u64 begin, u64 end) override { memory_->add_error(begin, end); }
  void clear_bus_errors() override { memory_->clear_errors(); }
  void freeze_bus(bool frozen) override { memory_->freeze(frozen); }
  void restart_memory() override { memory_->restart(); }
  void on_trace(std::function<void(const TraceEvent&)> callback) override { trace_ = std::move(callback); }

  void waves(const std::string& path, u64 from, u64 to) override {
#if VM_TRACE
    waves_ = std::make_unique<VerilatedVcdC>();
    dut_->trace(waves_.get(), 99);
    waves_->open(path.c_str());
    waves_from_ = from;
    waves_to_ = to;
#else
    throw Error("rtl simulator", "waves of cycles " + std::to_string(from) + ".." + std::to_string(to) + " in " + path,
                "a build without them", "-DJOGAK_RTL_TRACE=ON");
#endif
  }

 protected:
  // What happens when time passes: one cycle of this machine.
  virtual void tick() {
    sample();
    edge();
  }
  // Before the rising edge: what is transferred at it.
  void sample() {
    memory_->sample(pins_);
    registers_.sample(lite_pins_);
    if (trace_) trace_commands();
  }
  // As npu_counters holds them: the stored word or the sum on its way there, what came since, the amount that is
  // still to be added. None in a netlist.
  std::span<const u64> counters() { return counters_of(*dut_->rootp); }
  MODEL& dut() { return *dut_; }

  // One clock without sampling: reset.
  void edge() {
    rise();
    memory_->drive(pins_);
    dut_->clk_i = 0;
    dut_->eval();
    ++cycle_;
#if VM_TRACE
    if (waves_ && cycle_ >= waves_from_ && cycle_ < waves_to_) waves_->dump(cycle_);
    if (waves_ && cycle_ == waves_to_) waves_->close();
#endif
  }
  virtual void rise() {
    dut_->clk_i = 1;
    dut_->eval();
  }

 private:
  void connect() {
    pins_ = {.ar_valid = &dut_->m_axi_arvalid_o, .ar_ready = &dut_->m_axi_arready_i, .ar_addr = &dut_->m_axi_araddr_o,
             .ar_len = &dut_->m_axi_arlen_o, .r_valid = &dut_->m_axi_rvalid_i, .r_ready = &dut_->m_axi_rready_o,
             .r_data = &dut_->m_axi_rdata_i, .r_resp = &dut_->m_axi_rresp_i, .r_last = &dut_->m_axi_rlast_i,
             .aw_valid = &dut_->m_axi_awvalid_o, .aw_ready = &dut_->m_axi_awready_i, .aw_addr = &dut_->m_axi_awaddr_o,
             .aw_len = &dut_->m_axi_awlen_o, .w_valid = &dut_->m_axi_wvalid_o, .w_ready = &dut_->m_axi_wready_i,
             .w_data = &dut_->m_axi_wdata_o, .w_strb = &dut_->m_axi_wstrb_o, .w_last = &dut_->m_axi_wlast_o,
             .b_valid = &dut_->m_axi_bvalid_i, .b_ready = &dut_->m_axi_bready_o, .b_resp = &dut_->m_axi_bresp_i};
    lite_pins_ = {&dut_->s_axi_awvalid_i, &dut_->s_axi_awready_o, &dut_->s_axi_wvalid_i, &dut_->s_axi_wready_o, &dut_->s_axi_bvalid_o,
                  &dut_->s_axi_bready_i, &dut_->s_axi_bresp_o, &dut_->s_axi_arvalid_i, &dut_->s_axi_arready_o, &dut_->s_axi_rvalid_o,
                  &dut_->s_axi_rready_i, &dut_->s_axi_rresp_o, &dut_->s_axi_rdata_o};
  }

  // Where the memory stalls the host does too: it takes an answer some cycles late.
  void rest(std::uint8_t& ready) {
    if (options_.stall == 0) return;
    ready = 0;
    for (u64 left = cycle_ % 4; left > 0; --left) {
      dut_->eval();
      tick();
    }
    ready = 1;
  }

  // Ticks until `ready` was true at a clock edge; inputs may just have changed.
  template <class Ready>
  void wait(Ready ready, const char* what, u32 offset) {
    for (int i = 0; i < kCsrPatience; ++i) {
      dut_->eval();
      const bool now = ready();
      tick();
      if (now) return;
    }
    throw Error("rtl simulator", std::string("register ") + what + " at " + std::to_string(offset), "no handshake",
                "one within " + std::to_string(kCsrPatience) + " cycles");
  }

  u32 trace_bits(u32 at, u32 bits) const {
    const u64 low = dut_->trace_o[at / 32];
    const u64 high = at / 32 + 1 < (kEngines * kTraceBits + 31) / 32 ? dut_->trace_o[at / 32 + 1] : 0;
    return u32((low | high << 32) >> at % 32) & ((1u << bits) - 1);
  }

  template <class Root>
  std::span<const u64> counters_of(Root& root) {
#define JOGAK_JOIN2(a, b) a##b
#define JOGAK_JOIN(a, b) JOGAK_JOIN2(a, b)
#define JOGAK_COUNTERS(name) root.JOGAK_JOIN(JOGAK_NPU_PATH, u_control__DOT__u_counters__DOT__##name)
    if constexpr (requires { JOGAK_COUNTERS(stored_q); }) {
      for (std::size_t i = 0; i < counters_.size(); ++i) {
        const bool written = JOGAK_COUNTERS(written_q) >> i & 1;
        const bool adding = JOGAK_COUNTERS(valid2_q) && JOGAK_COUNTERS(at2_q) == i;
        const bool waits = (JOGAK_COUNTERS(waiting_q) && JOGAK_COUNTERS(amount_idx_q) == i) ||
                           (JOGAK_COUNTERS(valid1_q) && JOGAK_COUNTERS(amount1_q) && JOGAK_COUNTERS(at1_q) == i);
        counters_[i] = (adding ? JOGAK_COUNTERS(old_q) + JOGAK_COUNTERS(grow_q) : written ? JOGAK_COUNTERS(stored_q)[i] : 0) +
                       JOGAK_COUNTERS(recent_q)[i] + (JOGAK_COUNTERS(one_q) >> i & 1) + (waits ? JOGAK_COUNTERS(amount_q) : 0);
      }
      return counters_;
    }
#undef JOGAK_COUNTERS
#undef JOGAK_JOIN
#undef JOGAK_JOIN2
    return {};
  }

  // trace_t, least significant first: stop_pc, stop, start_pc, start.
  void trace_commands() {
    for (u32 e = 0; e < kEngines; ++e) {
      const u32 at = e * kTraceBits;
      const auto engine = static_cast<spec::Engine>(e);
      if (trace_bits(at + 16, 1)) trace_({cycle_, engine, false, trace_bits(at, 16), counters()});
      if (trace_bits(at + 33, 1)) trace_({cycle_, engine, true, trace_bits(at + 17, 16), counters()});
    }
  }

  Options options_;
  VerilatedContext context_;
  std::vector<u8> store_;
  std::unique_ptr<MODEL> dut_;
  std::unique_ptr<MemoryTiming> behind_;
  std::optional<AxiMemory> memory_;
  AxiLitePins lite_pins_{};
  AxiLiteWatch registers_;
  AxiPins pins_;
  std::array<Banks, 5> banks_;
  std::function<void(const TraceEvent&)> trace_;
  u64 cycle_ = 0;
  std::array<u64, kCounters> counters_{};
#if VM_TRACE
  std::unique_ptr<VerilatedVcdC> waves_;
  u64 waves_from_ = 0, waves_to_ = 0;
#endif
};

}  // namespace

}  // namespace jogak::rtl
