// Text to the ids of BERT's kind: words cut into the longest pieces that a vocabulary knows.
//
//   WordPieces words({.tokens = {"[UNK]", "[CLS]", "[SEP]", "one", "##s"}, .unk = 0, .cls = 1, .sep = 2});
//   words.encode("Ones");  // 1, 3, 4, 2
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jogak {

struct WordPieceData {
  std::vector<std::string> tokens;
  int unk = -1, cls = -1, sep = -1, mask = -1;  // cls and sep: around the text, -1: none
  std::string prefix = "##";                    // of a piece that goes on with a word
  int longest = 100;                            // characters of a word; longer ones are unk
  // What is done to text before it is cut at spaces and punctuation.
  bool clean = true;             // control characters go, all kinds of spaces become one
  bool split_ideographs = true;  // each stands alone
  bool strip_accents = true;
  bool lowercase = true;
};

class WordPieces {
 public:
  WordPieces() = default;
  // Throws jogak::Error for an id that is no token, or no unk.
  explicit WordPieces(WordPieceData data);

  // cls, the text's pieces, sep. The mask token is found in the text ("[MASK]"), no other special token is. Bytes that are not UTF-8 count as
  // spaces.
  std::vector<std::int32_t> encode(std::string_view text) const;
  const std::string& token(int id) const { return data_.tokens.at(static_cast<std::size_t>(id)); }
  int size() const { return static_cast<int>(data_.tokens.size()); }
  int mask() const { return data_.mask; }

 private:
  void put_text(std::string_view text, std::vector<std::int32_t>& ids) const;
  void put_word(const std::u32string& word, std::vector<std::int32_t>& ids) const;

  WordPieceData data_;
  std::unordered_map<std::string, std::int32_t> ids_;
};

}  // namespace jogak
