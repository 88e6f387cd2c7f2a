#include "inflate.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "error.hpp"

namespace jogak::onnx {

namespace {

// Canonical prefix code: how many codes each length has, and the symbols in the order of their codes.
struct Code {
  std::array<int, 16> counts{};
  std::vector<int> symbols;

  explicit Code(std::span<const std::uint8_t> lengths) : symbols(lengths.size()) {
    for (const auto n : lengths) ++counts[n];
    counts[0] = 0;
    std::array<int, 16> next{};
    for (std::size_t n = 1; n < 15; ++n) next[n + 1] = next[n] + counts[n];
    for (std::size_t s = 0; s < lengths.size(); ++s)
      if (lengths[s] != 0) symbols[static_cast<std::size_t>(next[lengths[s]]++)] = static_cast<int>(s);
  }
};

constexpr int kLengths[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr int kLengthBits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr int kDistances[] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr std::uint8_t kOrder[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

class Inflate {
 public:
  Inflate(std::span<const std::byte> data, std::size_t size, const std::string& part) : data_(data), size_(size), part_(part) {}

  std::vector<std::byte> run() {
    bool last = false;
    while (!last) {
      last = bits(1) != 0;
      const int kind = bits(2);
      if (kind == 0) stored();
      else if (kind == 1) fixed();
      else if (kind == 2) dynamic();
      else broken("a block of no kind");
    }
    if (out_.size() != size_) broken(std::to_string(out_.size()) + " bytes");
    return std::move(out_);
  }

 private:
  [[noreturn]] void broken(const std::string& found) const { throw Error(part_, "compressed data", found, std::to_string(size_) + " bytes"); }

  int bits(int n) {
    int value = 0;
    for (int i = 0; i < n; ++i, ++at_) {
      if (at_ / 8 >= data_.size()) broken("its early end");
      value |= (std::to_integer<int>(data_[at_ / 8]) >> (at_ % 8) & 1) << i;
    }
    return value;
  }
  int symbol(const Code& code) {
    int value = 0, first = 0, index = 0;
    for (std::size_t n = 1; n <= 15; ++n) {
      value |= bits(1);
      const int count = code.counts[n];
      if (value - count < first) return code.symbols[static_cast<std::size_t>(index + value - first)];
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    broken("a code of no symbol");
  }
  void put(std::byte b) {
    if (out_.size() >= size_) broken("more");
    out_.push_back(b);
  }

  void stored() {
    at_ = (at_ + 7) / 8 * 8;
    const int n = bits(16), check = bits(16);
    if ((n ^ 0xffff) != check) broken("a stored block of two lengths");
    for (int i = 0; i < n; ++i) put(static_cast<std::byte>(bits(8)));
  }
  void fixed() {
    std::array<std::uint8_t, 288> lengths{};
    for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    std::array<std::uint8_t, 30> distances;
    distances.fill(5);
    block(Code(lengths), Code(distances));
  }
  void dynamic() {
    const auto literals = static_cast<std::size_t>(bits(5)) + 257, distances = static_cast<std::size_t>(bits(5)) + 1;
    const int given = bits(4) + 4;
    std::array<std::uint8_t, 19> small{};
    for (int i = 0; i < given; ++i) small[kOrder[i]] = static_cast<std::uint8_t>(bits(3));
    const Code code(small);
    std::vector<std::uint8_t> lengths;
    while (lengths.size() < literals + distances) {
      const int s = symbol(code);
      if (s < 16) {
        lengths.push_back(static_cast<std::uint8_t>(s));
        continue;
      }
      if (s == 16 && lengths.empty()) broken("a repetition of nothing");
      const std::uint8_t value = s == 16 ? lengths.back() : std::uint8_t(0);
      const int repeat = s == 16 ? 3 + bits(2) : s == 17 ? 3 + bits(3) : 11 + bits(7);
      lengths.insert(lengths.end(), static_cast<std::size_t>(repeat), value);
    }
    if (lengths.size() != literals + distances) broken("too many code lengths");
    const std::span all(lengths);
    block(Code(all.first(literals)), Code(all.subspan(literals)));
  }
  void block(const Code& literals, const Code& distances) {
    for (int s = symbol(literals); s != 256; s = symbol(literals)) {
      if (s < 256) {
        put(static_cast<std::byte>(s));
        continue;
      }
      if (s > 285) broken("a length of no meaning");
      const int n = kLengths[s - 257] + bits(kLengthBits[s - 257]), d = symbol(distances);
      if (d > 29) broken("a distance of no meaning");
      const auto back = static_cast<std::size_t>(kDistances[d] + bits(d < 2 ? 0 : d / 2 - 1));
      if (back > out_.size()) broken("a distance to before the start");
      for (int i = 0; i < n; ++i) put(out_[out_.size() - back]);
    }
  }

  std::span<const std::byte> data_;
  std::size_t size_, at_ = 0;
  const std::string& part_;
  std::vector<std::byte> out_;
};

}  // namespace

std::vector<std::byte> inflate(std::span<const std::byte> data, std::size_t size, const std::string& part) {
  return Inflate(data, size, part).run();
}

}  // namespace jogak::onnx
