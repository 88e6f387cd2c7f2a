// Sizes of a configuration and the small cells of rtl/common, without data where none matters. A cell's step() is a
// clock edge; what it says before is what it says during the cycle.
#pragma once

#include <bit>

#include "npu_spec.hpp"
#include "stream.hpp"

namespace jogak::cycle {

inline u32 log2_of(u32 n) { return u32(std::bit_width(n)) - 1; }

// As the RTL's packages derive them.
struct Sizes {
  explicit Sizes(const spec::Config& c)
      : rows(c.rows), cols(c.cols), lanes(c.lanes), port(c.port_bytes), cols_log(log2_of(cols)), port_log(log2_of(port)),
        halves(port / 2), cut_log(port_log + log2_of(spec::limit::burst_beats)), piece_log(cols_log + 2 - port_log),
        imem_words(c.imem_words) {}

  u32 rows, cols, lanes, port;
  u32 cols_log, port_log;
  u32 halves;     // halfwords of a port word
  u32 cut_log;    // bursts end at multiples of so many bytes, as a power of two
  u32 piece_log;  // port words of a vector-memory row
  u32 imem_words;
};

// npu_fp_pkg.
constexpr u32 kMulLat = 3, kAddLat = 4, kFmaLat = 8, kFuncLat = 9;

// npu_fifo: in_ready and out_valid are what the fill level says. Depth a power of two.
template <class T, u32 Depth>
class Fifo {
 public:
  bool in_ready() const { return in_ - out_ != Depth; }
  bool out_valid() const { return in_ != out_; }
  u32 count() const { return in_ - out_; }
  T& out() { return items_[out_ & (Depth - 1)]; }
  const T& out() const { return items_[out_ & (Depth - 1)]; }
  void push(const T& item) { items_[in_++ & (Depth - 1)] = item; }
  void pop() { ++out_; }

 private:
  std::array<T, Depth> items_{};
  u32 in_ = 0, out_ = 0;
};

// npu_ram_fifo: a word is at the output two cycles after it went in.
template <class T, u32 Depth>
class RamFifo {
 public:
  bool in_ready() const { return used_ != Depth; }
  bool out_valid() const { return valid_; }
  const T& out() const { return out_; }
  bool still() const { return used_ == 0 || valid_; }  // nothing moves without a push or a pop
  void step(bool push, const T& item, bool pop) {
    const bool fetch = used_ != 0 && (!valid_ || pop);
    if (fetch) out_ = items_[read_++ & (Depth - 1)];
    valid_ = fetch || (valid_ && !pop);
    if (push) items_[write_++ & (Depth - 1)] = item;
    used_ += u32(push) - u32(fetch);
  }

 private:
  std::array<T, Depth> items_{};
  T out_{};
  u32 write_ = 0, read_ = 0, used_ = 0;
  bool valid_ = false;
};

// npu_slice.
template <class T>
class Slice {
 public:
  bool in_ready() const { return !spare_valid_; }
  bool out_valid() const { return valid_; }
  const T& out() const { return data_; }
  // Returns whether anything moved.
  bool step(bool in_valid, const T& in, bool out_ready) {
    const bool push = in_valid && !spare_valid_;
    if (!valid_ || out_ready) {
      const bool moved = valid_ || push;
      if (push || spare_valid_) data_ = spare_valid_ ? spare_ : in;
      valid_ = push || spare_valid_;
      spare_valid_ = false;
      return moved;
    }
    if (push) spare_ = in, spare_valid_ = true;
    return push;
  }

 private:
  T data_{}, spare_{};
  bool valid_ = false, spare_valid_ = false;
};

// An AXI address.
struct Ax {
  u64 addr = 0;
  u32 beats = 0;
  u8 head = 0, tail = 0;  // first byte of the first beat, last one of the last, that count
};

}  // namespace jogak::cycle
