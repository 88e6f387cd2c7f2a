#include "pretokenizer.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "error.hpp"
#include "utf8.hpp"

namespace jogak {
namespace {

// What the patterns ask of a character.
enum Class : unsigned char { kLetter, kNumber, kSpace, kOther };

struct Char {
  std::int32_t point;  // -1: a byte that is no UTF-8
  std::size_t at;      // in the text
  Class is;
};

// Unicode's property White_Space.
bool is_space(std::int32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
         c == 0x202f || c == 0x205f || c == 0x3000;
}

Class class_of(std::int32_t c) {
  if (c < 0) return kOther;
  if (is_space(c)) return kSpace;
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT: case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO: return kLetter;
    case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_NL: case UTF8PROC_CATEGORY_NO: return kNumber;
    default: return kOther;
  }
}

// In a word of gpt4o a capital begins and a small letter ends; letters without case, modifiers and marks do both.
struct Case {
  bool begins = false, ends = false;
};
Case case_of(std::int32_t c) {
  if (c < 0) return {};
  switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LT: return {true, false};
    case UTF8PROC_CATEGORY_LL: return {false, true};
    case UTF8PROC_CATEGORY_LM: case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ME: return {true, true};
    default: return {};
  }
}

// Characters of \p{P}, and the seven symbols that the standard pattern counts with them.
bool is_mark(std::int32_t c) {
  if (c < 0) return false;
  const auto category = utf8proc_category(c);
  return (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO) || (c < 128 && std::string_view("$+<=>^~|").find(static_cast<char>(c)) != std::string_view::npos);
}

class Words {
 public:
  Words(WordPattern pattern, std::string_view text) : pattern_(pattern), text_(text) {
    for (std::size_t at = 0; at < text.size();) {
      const Scan s = scan(text.substr(at));
      const std::size_t length = s.good ? s.length : 1;
      const std::int32_t point = s.good ? code_point(text.substr(at), length) : -1;
      chars_.push_back({point, at, class_of(point)});
      at += length;
    }
  }

  std::vector<std::string_view> run() {
    if (pattern_ == WordPattern::standard) {
      standard();
    } else if (pattern_ == WordPattern::digits) {
      single_digits();
    } else {
      for (std::size_t i = 0; i < chars_.size();) i = put(i, pattern_ == WordPattern::gpt2 ? gpt2(i, chars_.size()) : pattern_ == WordPattern::gpt4o ? gpt4o(i) : newer(i));
    }
    return std::move(out_);
  }

 private:
  std::int32_t point(std::size_t i) const { return i < chars_.size() ? chars_[i].point : -2; }
  bool is(std::size_t i, Class c, std::size_t end) const { return i < end && chars_[i].is == c; }
  bool newline(std::size_t i) const { return point(i) == '\r' || point(i) == '\n'; }
  std::size_t put(std::size_t from, std::size_t to) {
    const std::size_t first = chars_[from].at, last = to < chars_.size() ? chars_[to].at : text_.size();
    out_.push_back(text_.substr(first, last - first));
    return to;
  }
  // The end of the run of characters from i for which `good` holds.
  template <class F>
  static std::size_t run_of(std::size_t i, std::size_t end, const F& good) {
    while (i < end && good(i)) ++i;
    return i;
  }
  std::size_t run_of(std::size_t i, std::size_t end, Class c) const {
    return run_of(i, end, [&](std::size_t j) { return chars_[j].is == c; });
  }

  // The end of 's, 't, 're, 've, 'm, 'll or 'd at i; i when there is none.
  std::size_t contraction(std::size_t i, std::size_t end, bool any_case) const {
    if (point(i) != '\'' || i + 1 >= end) return i;
    const auto letter = [&](std::size_t j) {
      const std::int32_t c = j < end ? point(j) : -2;
      if (any_case && c == 0x17f) return static_cast<std::int32_t>('s');  // the long s, whose capital is S
      return any_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    };
    const std::int32_t one = letter(i + 1), two = letter(i + 2);
    if (one == 's' || one == 't' || one == 'm' || one == 'd') return i + 2;
    return (one == 'r' && two == 'e') || (one == 'v' && two == 'e') || (one == 'l' && two == 'l') ? i + 3 : i;
  }

  // White space but for its last character, which belongs to the word behind it.
  std::size_t blanks(std::size_t i, std::size_t end) const {
    const std::size_t stop = run_of(i, end, kSpace);
    return stop == end || stop - i == 1 ? stop : stop - 1;
  }

  std::size_t gpt2(std::size_t i, std::size_t end) const {
    if (const std::size_t stop = contraction(i, end, false); stop > i) return stop;
    const std::size_t from = point(i) == ' ' ? i + 1 : i;
    for (const Class c : {kLetter, kNumber, kOther})
      if (is(from, c, end)) return run_of(from, end, c);
    return blanks(i, end);
  }

  std::size_t newer(std::size_t i) const {
    const std::size_t end = chars_.size();
    if (const std::size_t stop = contraction(i, end, true); stop > i) return stop;
    if (is(i, kLetter, end)) return run_of(i, end, kLetter);
    if (!is(i, kNumber, end) && !newline(i) && is(i + 1, kLetter, end)) return run_of(i + 1, end, kLetter);
    return behind_letters(i, pattern_ == WordPattern::qwen2 ? 1 : 3);
  }

  // Capitals, then small letters, with one symbol before them; where there are no small letters (or others that may end a word), capitals alone.
  std::size_t gpt4o(std::size_t i) const {
    const std::size_t end = chars_.size();
    const bool symbol = (chars_[i].is == kOther || chars_[i].is == kSpace) && !newline(i);
    const auto word = [&](std::size_t from, bool capitals) -> std::size_t {
      const std::size_t stop = run_of(from, end, [&](std::size_t j) { return case_of(point(j)).begins; });
      std::size_t last = stop;  // where the word's end begins: as far behind as can be
      while (!capitals && last > from && !(last < end && case_of(point(last)).ends)) --last;
      const std::size_t to = run_of(last, end, [&](std::size_t j) { return case_of(point(j)).ends; });
      return capitals ? (stop > from ? to : from) : to > last ? to : from;
    };
    for (const bool capitals : {false, true})
      for (std::size_t from : {i + 1, i}) {
        if (from > i && !symbol) continue;
        if (const std::size_t to = word(from, capitals); to > from) return contraction(to, end, true);
      }
    return behind_letters(i, 3);
  }

  // Numbers of so many digits, symbols, white space.
  std::size_t behind_letters(std::size_t i, std::size_t digits_at_once) const {
    const std::size_t end = chars_.size();
    if (is(i, kNumber, end)) return run_of(i, std::min(end, i + digits_at_once), kNumber);
    const std::size_t from = point(i) == ' ' ? i + 1 : i;
    if (is(from, kOther, end))
      return run_of(run_of(from, end, kOther), end, [&](std::size_t j) { return newline(j) || (pattern_ == WordPattern::gpt4o && point(j) == '/'); });
    std::size_t stop = run_of(i, end, kSpace);
    while (stop > i && !newline(stop - 1)) --stop;
    return stop > i ? stop : blanks(i, end);
  }

  void single_digits() {
    for (std::size_t i = 0; i < chars_.size();) {
      const std::size_t end = run_of(i, chars_.size(), [&](std::size_t j) { return chars_[j].is != kNumber; });
      while (i < end) i = put(i, gpt2(i, end));
      if (i < chars_.size()) i = put(i, i + 1);
    }
  }

  // Each pattern cuts the pieces that the one before left.
  void standard() {
    for (std::size_t i = 0; i < chars_.size();) {
      const bool marks = is_mark(point(i));
      const std::size_t end = run_of(i, chars_.size(), [&](std::size_t j) { return is_mark(point(j)) == marks; });
      while (i < end) {
        const std::size_t word = gpt2(i, end);
        while (i < word) i = digits(i, word);
      }
    }
  }
  std::size_t digits(std::size_t i, std::size_t end) {
    const bool number = chars_[i].is == kNumber;
    const std::size_t stop = run_of(i, end, [&](std::size_t j) { return (chars_[j].is == kNumber) == number; });
    if (!number) return put(i, stop);
    const auto digit = [&](std::size_t j) { return j < stop && point(j) >= '0' && point(j) <= '9'; };
    while (i < stop) {
      std::size_t to = i;
      while (to < stop && !(digit(to) && digit(to + 1) && digit(to + 2))) ++to;
      if (to > i) i = put(i, to);
      if (to < stop) i = put(i, to + 3);
    }
    return stop;
  }

  WordPattern pattern_;
  std::string_view text_;
  std::vector<Char> chars_;
  std::vector<std::string_view> out_;
};

}  // namespace

WordPattern word_pattern(const std::string& name) {
  struct Named {
    const char* name;
    WordPattern pattern;
  };
  constexpr Named kNamed[] = {{"", WordPattern::standard},        {"default", WordPattern::standard},  {"gpt-2", WordPattern::gpt2},
                              {"llama-bpe", WordPattern::llama3}, {"llama3", WordPattern::llama3},     {"llama-v3", WordPattern::llama3},
                              {"qwen2", WordPattern::qwen2},      {"deepseek-r1-qwen", WordPattern::qwen2}, {"smollm", WordPattern::digits}, {"gpt-4o", WordPattern::gpt4o}};
  for (const Named& n : kNamed)
    if (name == n.name) return n.pattern;
  throw Error("tokenizer", "pre-tokenizer", name, "default, gpt-2, gpt-4o, llama-bpe, qwen2 or smollm");
}

std::vector<std::string_view> words(WordPattern pattern, std::string_view text) { return Words(pattern, text).run(); }

std::string composed(const std::string& text) {
  utf8proc_uint8_t* out = nullptr;
  const auto length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &out,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
  return length < 0 ? text : std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
}

}  // namespace jogak
