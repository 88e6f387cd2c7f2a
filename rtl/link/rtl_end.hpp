// The Verilated end of a link behind the interface of the model's (sim/link/link_end.hpp).
#pragma once

#include <cstring>
#include <memory>

#include LINK_HEADER
#include "sim/link/link_end.hpp"
#include "verilated.h"

namespace jogak::link {

class RtlEnd {
 public:
  using Inputs = LinkEnd::Inputs;
  explicit RtlEnd(const EndOptions&) : dut_(std::make_unique<LINK_DUT>()) {
    dut_->clk_i = dut_->phy_rx_clk_i = dut_->rst_ni = dut_->phy_rx_rst_ni = 0;
    dut_->in_valid_i = dut_->out_ready_i = dut_->phy_tx_ready_i = dut_->phy_rx_valid_i = dut_->side_hear_i = 0;
    for (int i = 0; i < 4; ++i) dut_->eval(), dut_->clk_i = dut_->phy_rx_clk_i = i % 2 == 0;
    dut_->clk_i = dut_->phy_rx_clk_i = 0;
    dut_->eval();
    dut_->rst_ni = dut_->phy_rx_rst_ni = 1;
    dut_->eval();
  }

  bool in_ready() const { return dut_->in_ready_o; }
  bool out_valid() const { return dut_->out_valid_o; }
  const std::uint32_t* out_word() {
    std::memcpy(word_.data(), &dut_->out_word_o, sizeof(dut_->out_word_o));
    return word_.data();
  }
  bool out_first() const { return dut_->out_first_o; }
  bool out_last() const { return dut_->out_last_o; }
  bool phy_valid() const { return dut_->phy_tx_valid_o; }
  Wire phy_flit() const {
    Wire w;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = dut_->phy_tx_flit_o[i];
    return w;
  }
  Width width() const { return static_cast<Width>(dut_->phy_tx_width_o); }
  bool side_hear() const { return dut_->side_hear_o; }
  bool up() const { return dut_->up_o; }
  bool lost() const { return dut_->lost_o; }
  bool mismatch() const { return dut_->mismatch_o; }
  std::uint32_t replays() const { return dut_->replays_o; }
  std::uint32_t errors() const { return dut_->errors_o; }
  std::uint32_t trainings() const { return dut_->trainings_o; }
  unsigned cross_read() const { return 0; }

  // Both clocks rise at once where both have an edge: step() keeps its inputs until step_phy() comes.
  void step(const Inputs& in) {
    dut_->in_valid_i = in.in_valid, dut_->in_last_i = in.in_last, dut_->out_ready_i = in.out_ready;
    dut_->phy_tx_ready_i = in.phy_ready, dut_->side_hear_i = in.side_hear;
    std::memcpy(&dut_->in_word_i, in.in_word.data(), sizeof(dut_->in_word_i));
  }
  void step_phy(const Wire* wire, unsigned) {
    dut_->phy_rx_valid_i = wire != nullptr;
    if (wire != nullptr)
      for (std::size_t i = 0; i < wire->size(); ++i) dut_->phy_rx_flit_i[i] = (*wire)[i];
    dut_->eval();
    dut_->clk_i = dut_->phy_rx_clk_i = 1;
    dut_->eval();
    dut_->clk_i = dut_->phy_rx_clk_i = 0;
    dut_->eval();
  }
  // The combinational outputs of this cycle's inputs.
  void settle() { dut_->eval(); }

 private:
  std::unique_ptr<LINK_DUT> dut_;
  Word word_{};
};

}  // namespace jogak::link
