// C simulation only: hls::burst_maxi over a piece of host memory that stands for [first, first + words) of the port's words.
#ifndef JOGAK_CSIM_HLS_BURST_MAXI_H
#define JOGAK_CSIM_HLS_BURST_MAXI_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>

#include "ap_int.h"

namespace hls {

template <class T>
class burst_maxi {
 public:
  burst_maxi(T* memory, std::uint64_t first, std::uint64_t words) : memory_(memory), first_(first), words_(words) {}

  void read_request(std::uint64_t offset, std::size_t length) { ask(reads_, offset, length); }
  T read() { return *next(reads_, "read"); }

  void write_request(std::uint64_t offset, std::size_t length) { ask(writes_, offset, length); }
  void write(const T& value) { *next(writes_, "write") = value; }
  // One enable bit a byte.
  template <int N>
  void write(const T& value, ap_uint<N> enable) {
    T& word = *next(writes_, "write");
    for (int i = 0; i < N; ++i)
      if (enable[i]) word.range(8 * i + 7, 8 * i) = value.range(8 * i + 7, 8 * i);
  }
  // Of the oldest burst that has all its data.
  void write_response() {
    if (answered_ == 0) throw std::logic_error("burst_maxi: a response is asked for, expected a complete burst before it");
    --answered_;
  }

 private:
  struct Burst {
    std::uint64_t at;
    std::size_t left;
    bool write;
  };

  void ask(std::deque<Burst>& bursts, std::uint64_t offset, std::size_t length) {
    if (length == 0 || offset < first_ || offset - first_ > words_ || length > words_ - (offset - first_)) {
      throw std::out_of_range("burst_maxi: burst of " + std::to_string(length) + " words at " + std::to_string(offset) +
                              ", expected " + std::to_string(first_) + " to " + std::to_string(first_ + words_));
    }
    bursts.push_back(Burst{offset - first_, length, &bursts == &writes_});
  }
  T* next(std::deque<Burst>& bursts, const char* what) {
    if (bursts.empty()) throw std::logic_error(std::string("burst_maxi: a ") + what + " without a request");
    Burst& b = bursts.front();
    T* const word = memory_ + b.at++;
    if (--b.left == 0) {
      answered_ += b.write;
      bursts.pop_front();
    }
    return word;
  }

  T* memory_;
  std::uint64_t first_, words_;
  std::deque<Burst> reads_, writes_;
  std::size_t answered_ = 0;
};

}  // namespace hls

#endif
