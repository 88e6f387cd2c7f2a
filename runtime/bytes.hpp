// Little-endian writing and bounded reading of program files.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "error.hpp"

namespace jogak {

static_assert(std::endian::native == std::endian::little, "program: numbers are copied as they are");

class ByteWriter {
 public:
  template <class T>
  void number(T value) {
    const auto* p = reinterpret_cast<const std::uint8_t*>(&value);
    bytes_.insert(bytes_.end(), p, p + sizeof(T));
  }
  void raw(std::span<const std::uint8_t> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void text(const std::string& s) {
    number(static_cast<std::uint32_t>(s.size()));
    raw({reinterpret_cast<const std::uint8_t*>(s.data()), s.size()});
  }
  void pad(std::size_t multiple) { bytes_.resize((bytes_.size() + multiple - 1) / multiple * multiple); }
  std::size_t size() const { return bytes_.size(); }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

// Every read names what it reads, for the error when the bytes end too early.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size() - at_; }
  std::size_t at() const { return at_; }

  std::span<const std::uint8_t> raw(const char* what, std::uint64_t n) {
    if (n > left()) {
      throw Error("program", what, std::to_string(left()) + " bytes left", std::to_string(n));
    }
    const auto view = bytes_.subspan(at_, static_cast<std::size_t>(n));
    at_ += static_cast<std::size_t>(n);
    return view;
  }
  template <class T>
  T number(const char* what) {
    T value;
    std::memcpy(&value, raw(what, sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string text(const char* what) {
    const auto view = raw(what, number<std::uint32_t>(what));
    return {reinterpret_cast<const char*>(view.data()), view.size()};
  }
  // A count of things that take at least `each` bytes, so that no allocation exceeds the file.
  std::size_t count(const char* what, std::size_t each) {
    const auto n = number<std::uint32_t>(what);
    if (n > left() / each) {
      throw Error("program", what, std::to_string(n), "at most " + std::to_string(left() / each));
    }
    return n;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

}  // namespace jogak
