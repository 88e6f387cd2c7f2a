// Text to token ids and back: score-based pair merging with byte fallback (GGUF's tokenizer model "llama"), or byte-level
// merging in the order of a list (model "gpt2").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "byte_merges.hpp"
#include "pretokenizer.hpp"

namespace jogak {

// As the model file has it; types: 1 normal, 2 unknown, 3 control, 4 user defined, 6 byte (text <0xNN>).
struct TokenizerData {
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  int bos = -1, eos = -1, unk = -1;
  bool add_bos = true, add_space_prefix = true;
  std::string model = "llama";            // or "gpt2": tokens are bytes, written in the 256 letters that stand for them
  std::string pre = {};                   // gpt2: the word pattern's name (word_pattern)
  std::vector<std::string> merges = {};   // gpt2: "LEFT RIGHT", best first
  bool whole_words = false;               // gpt2: a word that is a token is that token, whatever its merges
  bool compose = false;                   // gpt2: text is put in normal form NFC first
  std::vector<int> ends = {};             // tokens that end a text, beside eos
};

class Tokenizer {
 public:
  Tokenizer() = default;
  explicit Tokenizer(TokenizerData data);

  // A space goes in front of text that is not empty (add_space_prefix), spaces become U+2581, and the adjacent pair whose
  // joint token has the highest score (then the leftmost) merges until there is none. What is no token is spelt in bytes;
  // without byte tokens it is the unknown token. Bytes that are not UTF-8 are spelt one by one.
  // gpt2: user-defined tokens are found in the text first, the longest at each place; the rest is cut into words, and in each the adjacent pair that is first in the list merges until there is none.
  std::vector<int> encode(std::string_view text) const { return encode(text, data_.add_bos); }
  std::vector<int> encode(std::string_view text, bool bos) const;
  // Bytes of one token, spaces plain; control and unknown tokens have none.
  const std::string& piece(int id) const { return pieces_.at(static_cast<std::size_t>(id)); }
  // Text of the ids as streaming gives it: see Detokenizer.
  std::string decode(const std::vector<int>& ids) const;

  int size() const { return static_cast<int>(data_.tokens.size()); }
  int bos() const { return data_.bos; }
  int eos() const { return data_.eos; }
  bool space_prefix() const { return data_.add_space_prefix; }
  bool adds_bos() const { return data_.add_bos; }
  // The control or user-defined token of exactly this text, -1 if there is none.
  int control(std::string_view text) const;
  // Does this token end a text?
  bool ends(int id) const;

 private:
  void check() const;
  void read_scored();
  void read_byte_level();
  void merge_scored(std::string_view text, std::vector<int>& ids) const;
  void merge_words(std::string_view text, std::vector<int>& ids) const;
  void spell(std::string_view symbol, std::vector<int>& ids) const;

  TokenizerData data_;
  std::vector<std::string> pieces_;
  std::unordered_map<std::string, int> ids_;  // tokens that text can become
  std::vector<int> bytes_;                    // token of each byte, -1 if there is none
  WordPattern pattern_ = WordPattern::gpt2;
  ByteMerges merges_;
  std::vector<std::pair<std::string, int>> user_;  // user-defined tokens, longest first
};

// Streams text: only whole UTF-8 characters come out, bytes that are not UTF-8 become U+FFFD, and the space that encode put
// in front of the text disappears.
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer) : tokenizer_(tokenizer), at_start_(tokenizer.space_prefix()) {}
  std::string put(int id);
  std::string finish();

 private:
  std::string take(bool all);

  const Tokenizer& tokenizer_;
  std::string held_;
  bool at_start_;
};

}  // namespace jogak
