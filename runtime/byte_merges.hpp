// Byte-level byte pair encoding (GGUF's tokenizer model "gpt2"): words of bytes, merged in the order of a list.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jogak {

// Bytes of a token written in the 256 letters that stand for them; the text itself where other letters are in it.
std::string plain_bytes(const std::string& token);

class ByteMerges {
 public:
  ByteMerges() = default;
  // `ids`: token of each byte string that a merge can make. merges: "LEFT RIGHT" in those letters, best first.
  // Throws jogak::Error for a merge of what are no tokens.
  ByteMerges(const std::vector<std::string>& merges, const std::unordered_map<std::string, int>& ids);

  // Appends the tokens of a word. whole: a word that is a token is that token, whatever its merges. Bytes without a token are `unk` (-1: nothing).
  void encode(std::string_view word, bool whole, int unk, std::vector<int>& out) const;

 private:
  struct Merge {
    int rank = -1, token = -1;
  };
  const Merge* find(int left, int right) const;

  std::unordered_map<std::string, int> ids_;
  std::array<int, 256> bytes_{};
  std::unordered_map<std::uint64_t, Merge> merges_;  // by left token << 32 | right token
};

}  // namespace jogak
