#include "word_pieces.hpp"

#include <utf8proc.h>

#include <algorithm>

#include "error.hpp"
#include "utf8.hpp"

namespace jogak {
namespace {

bool is_space(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return c == '\t' || c == '\n' || c == '\r' || c == 0x0b || c == 0x0c || c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}
// Tab and ends of lines, which are control characters too, are spaces.
bool is_control(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CC: case UTF8PROC_CATEGORY_CF: case UTF8PROC_CATEGORY_CS: case UTF8PROC_CATEGORY_CO: return true;
    default: return false;
  }
}
bool is_punctuation(char32_t c) {
  if (c < 128) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_PC: case UTF8PROC_CATEGORY_PD: case UTF8PROC_CATEGORY_PS: case UTF8PROC_CATEGORY_PE: case UTF8PROC_CATEGORY_PI: case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return true;
    default: return false;
  }
}
bool is_ideograph(char32_t c) {
  constexpr char32_t kRanges[][2] = {{0x4e00, 0x9fff}, {0x3400, 0x4dbf}, {0x20000, 0x2a6df}, {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0xf900, 0xfaff}, {0x2f800, 0x2fa1f}};
  return std::any_of(std::begin(kRanges), std::end(kRanges), [&](const auto& r) { return c >= r[0] && c <= r[1]; });
}

std::u32string points(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const Scan s = scan(text);
    out.push_back(s.good ? static_cast<char32_t>(code_point(text, s.length)) : U' ');
    text.remove_prefix(s.length);
  }
  return out;
}
std::string bytes(std::u32string_view points) {
  std::string out;
  for (const char32_t c : points) {
    utf8proc_uint8_t room[4];
    const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), room);
    out.append(reinterpret_cast<const char*>(room), static_cast<std::size_t>(length));
  }
  return out;
}

// Normal form NFD without the marks that take no space of their own.
std::u32string without_accents(const std::u32string& text) {
  std::u32string out;
  for (const char32_t c : text) {
    utf8proc_int32_t room[32];
    const auto length = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), room, 32, UTF8PROC_DECOMPOSE, nullptr);
    for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(length, 32); ++i)
      if (utf8proc_category(room[i]) != UTF8PROC_CATEGORY_MN) out.push_back(static_cast<char32_t>(room[i]));
  }
  return out;
}

// The capital I with a dot is the one letter that becomes two.
std::u32string lowered(const std::u32string& text) {
  std::u32string out;
  for (const char32_t c : text) {
    if (c == 0x130) out += U"i\u0307";
    else out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  }
  return out;
}

}  // namespace

WordPieces::WordPieces(WordPieceData data) : data_(std::move(data)) {
  for (std::size_t i = 0; i < data_.tokens.size(); ++i) ids_.emplace(data_.tokens[i], static_cast<std::int32_t>(i));
  for (const int id : {data_.unk, data_.cls, data_.sep, data_.mask})
    if (id < -1 || id >= size()) throw Error("tokenizer", "special token", std::to_string(id), "below " + std::to_string(size()));
  if (data_.unk < 0) throw Error("tokenizer", "unknown token", "none", "one: word pieces need it");
}

std::vector<std::int32_t> WordPieces::encode(std::string_view text) const {
  std::vector<std::int32_t> ids;
  if (data_.cls >= 0) ids.push_back(data_.cls);
  const std::string mask = data_.mask >= 0 ? token(data_.mask) : "";
  while (!mask.empty()) {
    const std::size_t at = text.find(mask);
    if (at == std::string_view::npos) break;
    put_text(text.substr(0, at), ids);
    ids.push_back(data_.mask);
    text.remove_prefix(at + mask.size());
  }
  put_text(text, ids);
  if (data_.sep >= 0) ids.push_back(data_.sep);
  return ids;
}

void WordPieces::put_text(std::string_view text, std::vector<std::int32_t>& ids) const {
  std::u32string normal;
  for (const char32_t c : points(text)) {
    if (data_.clean && (c == 0 || c == 0xfffd || is_control(c))) continue;
    const bool alone = data_.split_ideographs && is_ideograph(c);
    if (alone) normal += U' ';
    normal += data_.clean && is_space(c) ? U' ' : c;
    if (alone) normal += U' ';
  }
  if (data_.strip_accents) normal = without_accents(normal);
  if (data_.lowercase) normal = lowered(normal);
  std::u32string word;
  const auto end = [&] {
    put_word(word, ids);
    word.clear();
  };
  for (const char32_t c : normal) {
    const bool space = is_space(c), punctuation = !space && is_punctuation(c);
    if (space || punctuation) end();
    if (!space) word += c;
    if (punctuation) end();
  }
  end();
}

// The longest piece from each place on; a word with a part that is none is unknown as a whole.
void WordPieces::put_word(const std::u32string& word, std::vector<std::int32_t>& ids) const {
  if (word.empty()) return;
  const std::size_t before = ids.size();
  for (std::size_t at = 0; at < word.size() && word.size() <= static_cast<std::size_t>(data_.longest);) {
    std::size_t end = word.size();
    auto found = ids_.end();
    for (; end > at; --end) {
      found = ids_.find((at > 0 ? data_.prefix : "") + bytes(std::u32string_view(word).substr(at, end - at)));
      if (found != ids_.end()) break;
    }
    if (found == ids_.end()) break;
    ids.push_back(found->second);
    at = end;
    if (at == word.size()) return;
  }
  ids.resize(before);
  ids.push_back(data_.unk);
}

}  // namespace jogak
