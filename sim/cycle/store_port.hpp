// The store engine's way out: the memory, and with links the network beside it (npu_net_split). What a cycle transfers shows after step().
#pragma once

#include "network.hpp"
#include "sim/axi_pace.hpp"

namespace jogak::cycle {

class StorePort {
 public:
  StorePort(AxiPace& memory, Network* network) : memory_(memory), network_(network) {}

  bool aw_ready(const Ax& a) const {
    if (network_ == nullptr) return memory_.aw_ready();
    return data_.in_ready() && answers_.in_ready() && (remote(a) ? network_->aw_ready() : memory_.aw_ready());
  }
  void aw(const Ax& a) {
    if (network_ == nullptr) return memory_.aw(a.addr, a.beats);
    aw_taken_ = true;
    burst_ = {remote(a), a.beats};
    if (burst_.remote) network_->aw(a);
    else memory_.aw(a.addr, a.beats);
  }
  bool w_ready() const {
    if (network_ == nullptr) return memory_.w_ready();
    return data_.out_valid() && (data_.out().remote ? network_->w_ready() : memory_.w_ready());
  }
  void w() {
    if (network_ == nullptr) return memory_.w();
    w_taken_ = true;
    if (data_.out().remote) network_->w(data_.out().beats == 1);
    else memory_.w();
  }
  bool b_valid() const {
    if (network_ == nullptr) return memory_.b_valid();
    return answers_.out_valid() && (answers_.out() ? network_->b_valid() : memory_.b_valid());
  }
  bool b_error() const { return network_ != nullptr && answers_.out() && network_->b_error(); }
  void b() {
    if (network_ == nullptr) return memory_.b();
    b_taken_ = true;
    if (answers_.out()) network_->b();
    else memory_.b();
  }

  void step() {
    while (memory_.match() != 0) {
    }
    if (network_ == nullptr) return;
    if (w_taken_ && --data_.out().beats == 0) data_.pop();
    if (b_taken_) answers_.pop();
    if (aw_taken_) data_.push(burst_), answers_.push(burst_.remote);
    aw_taken_ = w_taken_ = b_taken_ = false;
  }

 private:
  struct Burst {
    bool remote = false;
    u32 beats = 0;
  };
  static bool remote(const Ax& a) { return (a.addr >> spec::limit::remote_bit & 1) != 0; }
  static constexpr u32 kDepth = 32;

  AxiPace& memory_;
  Network* network_;
  Fifo<Burst, kDepth> data_;
  Fifo<bool, kDepth> answers_;
  Burst burst_;
  bool aw_taken_ = false, w_taken_ = false, b_taken_ = false;
};

}  // namespace jogak::cycle
