// C simulation only: hls::stream with the depth it is declared with. A process that would block lets the others go on.
#ifndef JOGAK_CSIM_HLS_STREAM_H
#define JOGAK_CSIM_HLS_STREAM_H

#include <memory>

#include "processes.h"

template <int Data, int User, int Id, int Dest>
struct ap_axiu;

namespace hls {

template <class T>
struct on_axis {
  static const bool value = false;
};
template <int Data, int User, int Id, int Dest>
struct on_axis<ap_axiu<Data, User, Id, Dest>> {
  static const bool value = true;
};

template <class T, int Depth = 2>
class stream : csim::Channel {
 public:
  explicit stream(const char* name = "stream") : csim::Channel(name), depth_(Depth * csim::depth_factor()), items_(new T[depth_]) {
    csim::declare({name, sizeof(T), Depth});
  }
  ~stream() { end(count_); }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  const csim::Channel& channel() const { return *this; }
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == depth_; }
  std::size_t size() const { return count_; }

  void write(const T& value) {
    while (full()) csim::wait(*this, "full");
    push(value);
  }
  bool write_nb(const T& value) {
    static_assert(!on_axis<T>::value, "AXI streams take blocking writes only");
    if (full()) return false;
    push(value);
    return true;
  }
  T read() {
    while (empty()) csim::wait(*this, "empty");
    return pop();
  }
  void read(T& value) { value = read(); }
  bool read_nb(T& value) {
    if (empty()) return false;
    value = pop();
    return true;
  }

 private:
  void push(const T& value) {
    const std::size_t end = first_ + count_;
    items_[end < depth_ ? end : end - depth_] = value;
    ++count_;
    csim::moved();
  }
  T pop() {
    const T value = items_[first_];
    if (++first_ == depth_) first_ = 0;
    --count_;
    csim::moved();
    return value;
  }

  std::size_t depth_, first_ = 0, count_ = 0;
  std::unique_ptr<T[]> items_;
};

}  // namespace hls

#endif
