// C simulation only: the part of ap_int.h that the kernels use, wide unsigned words that are cut and joined.
// A Vitis build leaves this folder out of its include path and finds the tool's own header.
#ifndef JOGAK_CSIM_AP_INT_H
#define JOGAK_CSIM_AP_INT_H

#include <cstdint>

template <int W>
class ap_uint {
  static_assert(W > 0, "ap_uint: width");
  enum { Words = (W + 63) / 64 };

 public:
  // Bits hi..lo, at most 64 of them.
  class Range {
   public:
    Range(ap_uint& word, int hi, int lo) : word_(word), hi_(hi), lo_(lo) {}
    operator std::uint64_t() const { return word_.get(hi_, lo_); }
    Range& operator=(std::uint64_t value) {
      word_.put(hi_, lo_, value);
      return *this;
    }
    Range(const Range&) = default;
    Range& operator=(const Range& other) { return *this = static_cast<std::uint64_t>(other); }

   private:
    ap_uint& word_;
    int hi_, lo_;
  };

  ap_uint(std::uint64_t value = 0) : bits_() { put(W < 64 ? W - 1 : 63, 0, value); }
  Range range(int hi, int lo) { return Range(*this, hi, lo); }
  std::uint64_t range(int hi, int lo) const { return get(hi, lo); }
  Range operator()(int hi, int lo) { return range(hi, lo); }
  std::uint64_t operator()(int hi, int lo) const { return get(hi, lo); }
  bool operator[](int bit) const { return get(bit, bit) != 0; }
  std::uint64_t to_uint64() const { return bits_[0]; }

  friend bool operator==(const ap_uint& a, const ap_uint& b) {
    for (int i = 0; i < Words; ++i)
      if (a.bits_[i] != b.bits_[i]) return false;
    return true;
  }
  friend bool operator!=(const ap_uint& a, const ap_uint& b) { return !(a == b); }

 private:
  static std::uint64_t mask(int bits) { return bits >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << bits) - 1; }
  std::uint64_t get(int hi, int lo) const {
    const int word = lo / 64, shift = lo % 64;
    std::uint64_t value = bits_[word] >> shift;
    if (shift != 0 && word + 1 < Words) value |= bits_[word + 1] << (64 - shift);
    return value & mask(hi - lo + 1);
  }
  void put(int hi, int lo, std::uint64_t value) {
    const int word = lo / 64, shift = lo % 64;
    const std::uint64_t m = mask(hi - lo + 1);
    value &= m;
    bits_[word] = (bits_[word] & ~(m << shift)) | value << shift;
    if (shift != 0 && hi / 64 > word) {
      bits_[word + 1] = (bits_[word + 1] & ~(m >> (64 - shift))) | value >> (64 - shift);
    }
  }

  std::uint64_t bits_[Words];
};

#endif
