// Bounds-checked little-endian reading of a model file; every claim is compared with what is left before anything is allocated.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "error.hpp"

namespace jogak::import {

class Reader {
 public:
  Reader(std::string part, std::span<const std::byte> data) : part_(std::move(part)), data_(data) {}

  template <class T>
  T get(const char* what) {
    T x;
    std::memcpy(&x, bytes(sizeof(T), what).data(), sizeof(T));
    return x;
  }
  std::span<const std::byte> bytes(std::uint64_t count, const char* what) {
    if (count > data_.size() - at_)
      throw Error(part_, std::string(what) + " at byte " + std::to_string(at_), std::to_string(data_.size() - at_) + " bytes left",
                  std::to_string(count));
    const auto part = data_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return part;
  }
  // A 64-bit length and that many characters.
  std::string text(const char* what) {
    const auto length = get<std::uint64_t>(what);
    const auto part = bytes(length, what);
    return std::string(reinterpret_cast<const char*>(part.data()), part.size());
  }
  // A count of things of at least `each` bytes.
  std::uint64_t count(std::uint64_t claimed, std::uint64_t each, const char* what) const {
    if (claimed > (data_.size() - at_) / each)
      throw Error(part_, std::string("number of ") + what, std::to_string(claimed), "at most " + std::to_string((data_.size() - at_) / each) + " in this file");
    return claimed;
  }
  std::size_t position() const { return at_; }
  std::size_t size() const { return data_.size(); }
  const std::string& part() const { return part_; }

 private:
  std::string part_;
  std::span<const std::byte> data_;
  std::size_t at_ = 0;
};

}  // namespace jogak::import
