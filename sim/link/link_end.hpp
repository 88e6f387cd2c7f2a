// One end of a die-to-die link, cycle by cycle as rtl/link/npu_link.sv: the same flits in the same cycles.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/link/flit.hpp"

namespace jogak::link {

struct EndOptions {
  unsigned port_bytes = 16;  // of a word of a packet
  unsigned idle_cycles = 32, retry_cycles = 256, try_cycles = 1024, silence_cycles = 1024;
  bool open = false;  // flits leave without their CRC: for Channel::send()
};

using Word = std::array<std::uint32_t, 16>;  // port_bytes of it count

class LinkEnd {
 public:
  explicit LinkEnd(const EndOptions& options);

  struct Inputs {
    bool in_valid = false, in_last = false, out_ready = false, phy_ready = false, side_hear = false;
    Word in_word{};
  };
  // What the end shows in this cycle; depends on the registers and, in_ready and phy excepted, on nothing else.
  bool in_ready() const;
  bool out_valid() const;
  const std::uint32_t* out_word() const;
  bool out_first() const { return left_ == 0; }
  bool out_last() const;
  bool phy_valid() const { return flit_valid_; }
  const Wire& phy_flit() const { return wire_; }
  Width width() const { return width_; }
  bool side_hear() const { return hear_ && !lost_ && !mismatch_; }
  bool up() const { return up_; }
  bool lost() const { return lost_; }
  bool mismatch() const { return mismatch_; }
  std::uint32_t replays() const { return replays_; }
  std::uint32_t errors() const { return errors_; }
  std::uint32_t trainings() const { return trainings_; }

  // One cycle of the core's clock.
  void step(const Inputs& in);
  // One cycle of the clock that comes with the received flits; wire: a flit, or none. With the core's clock at the same instant:
  // step() first, and step_phy() with what the pointer was (cross_read()) before it.
  // clean: the channel left the flit as it was, so its CRC, which may be missing, is not looked at.
  void step_phy(const Wire* wire, unsigned read_before, bool clean = false);
  unsigned cross_read() const { return cross_read_; }

  // Cycles of both clocks that may be left out with skip() because nothing would happen in them: no word is offered, no flit arrives, and
  // the other end's side wire stays as it is. 0 while anything moves or trains.
  unsigned quiet() const;
  void skip(unsigned cycles) { idle_ -= cycles, silence_ -= cycles; }
  std::uint64_t data_flits() const { return data_flits_; }  // replays included

 private:
  static constexpr unsigned kCross = 8;
  unsigned kept() const { return (head_ - tail_) & kSeqMask; }
  bool payload_ready() const { return (ended_ && next_ == head_) || count_ == flit_words_; }
  bool none() const;
  void step_train(bool good, bool bad, bool hello, bool side_hear);
  void step_received(bool seen, bool take, unsigned ahead);

  EndOptions options_;
  unsigned flit_words_, word32_;
  // packer
  Payload packing_{};
  unsigned count_ = 0;
  bool ended_ = false;
  // sender
  std::array<Payload, kWindow> kept_{};
  unsigned head_ = 0, next_ = 0, tail_ = 0, sent_ = 0, told_ = 0, idle_ = 0;
  Payload read_{};
  Flit pick_{};
  std::uint32_t hello_fresh_ = 0;
  bool pick_valid_ = false, flit_valid_ = false;
  Wire wire_{};
  // crossing of clocks: pointers, and their copies on the other side
  std::array<Wire, kCross> cross_{};
  std::array<bool, kCross> cross_clean_{};
  unsigned cross_write_ = 0, cross_read_ = 0, write_meta_ = 0, write_sync_ = 0, read_meta_ = 0, read_sync_ = 0;
  // receiver
  Wire arrived_{};
  bool arrived_valid_ = false, arrived_clean_ = false, checked_ = false, good_ = false;
  Flit got_{};
  unsigned expect_ = 0, last_ = 0, passed_ = 0;
  unsigned timer_ = 0, timer_mask_;
  bool waiting_ = false, missing_ = false;
  // its buffer: a RAM queue with a register at its end
  std::array<Payload, kWindow> buffer_{};
  unsigned buffer_write_ = 0, buffer_read_ = 0, buffer_used_ = 0;
  Payload front_{};
  bool front_valid_ = false;
  // unpacker
  unsigned at_ = 0, left_ = 0;
  // training
  unsigned goods_ = 0, bads_ = 0, silence_ = 0, try_;
  bool heard_meta_ = false, heard_ = false, hear_ = false, up_ = false, fresh_ = true, known_ = false, other_ = false, lost_ = false, mismatch_ = false;
  Width width_ = Width::kFull;
  std::uint32_t replays_ = 0, errors_ = 0, trainings_ = 0;
  std::uint64_t data_flits_ = 0;
};

}  // namespace jogak::link
