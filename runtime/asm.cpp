#include "asm.hpp"

#include <charconv>
#include <map>
#include <optional>

namespace jogak {

namespace {

// Words of one line without its comment.
std::vector<std::string_view> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t first = line.find_first_not_of(" \t\r", at);
    if (first == std::string_view::npos) break;
    const std::size_t end = std::min(line.find_first_of(" \t\r", first), line.size());
    words.push_back(line.substr(first, end - first));
    at = end;
  }
  return words;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_label(std::string_view word) { return word.size() > 1 && word.back() == ':'; }

class Assembler {
 public:
  std::vector<spec::Insn> run(std::string_view text) {
    pass(text, [this](auto words) { define(words); });
    code_.clear();
    pass(text, [this](auto words) { translate(words); });
    return std::move(code_);
  }

 private:
  template <class Each>
  void pass(std::string_view text, Each&& each) {
    line_ = 0;
    while (!text.empty()) {
      ++line_;
      const std::size_t end = std::min(text.find('\n'), text.size());
      each(words_of(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  // First pass: where labels are. code_ only counts.
  void define(std::vector<std::string_view> words) {
    while (!words.empty() && is_label(words.front())) {
      const std::string name(words.front().substr(0, words.front().size() - 1));
      if (!labels_.emplace(name, code_.size()).second) fail("label", name, "each label once");
      words.erase(words.begin());
    }
    if (!words.empty()) code_.emplace_back();
  }

  void translate(std::vector<std::string_view> words) {
    while (!words.empty() && is_label(words.front())) words.erase(words.begin());
    if (words.empty()) return;
    if (words.front() == ".word") return code_.push_back(raw(words));
    const std::string name(words.front());
    const spec::Instruction* i = spec::find_instruction(name.c_str());
    if (i == nullptr) fail("instruction", name, "a name of docs/isa.md");
    spec::Insn insn{static_cast<std::uint64_t>(i->op), 0};
    std::vector<bool> seen(i->field_count);
    for (std::size_t w = 1; w < words.size(); ++w) set(*i, insn, seen, words[w]);
    code_.push_back(insn);
  }

  spec::Insn raw(const std::vector<std::string_view>& words) {
    if (words.size() != 3) fail(".word", std::to_string(words.size() - 1) + " numbers", "two");
    const auto lo = parse_number(words[1]), hi = parse_number(words[2]);
    if (!lo || !hi) fail(".word", std::string(words[lo ? 2 : 1]), "a number");
    return {*lo, *hi};
  }

  void set(const spec::Instruction& i, spec::Insn& insn, std::vector<bool>& seen, std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string name(word.substr(0, equals));
    for (unsigned n = 0; n < i.field_count; ++n) {
      if (name != i.fields[n].name) continue;
      if (seen[n]) fail(std::string("field of ") + i.name, name + " twice", "each field once");
      seen[n] = true;
      const bool bare = equals == std::string_view::npos;
      return put(insn, i.fields[n], bare ? std::string_view() : word.substr(equals + 1), bare);
    }
    fail(std::string("field of ") + i.name, name, "a name of docs/isa.md");
  }

  void put(spec::Insn& insn, const spec::Field& f, std::string_view text, bool bare) {
    const std::uint64_t v = bare && f.kind == spec::FieldKind::flag ? 1 : value(f, text);
    if (f.width < 64 && v >> f.width != 0) {
      fail(f.name, std::string(text), "a number of " + std::to_string(f.width) + " bits");
    }
    spec::detail::put(insn, f.pos, f.width, v);
  }

  std::uint64_t value(const spec::Field& f, std::string_view text) {
    if (f.kind == spec::FieldKind::enumeration) return enumerator(f, text);
    if (f.kind == spec::FieldKind::reg) {
      if (text.starts_with('r')) {
        if (const auto v = parse_number(text.substr(1))) return *v;
      }
      fail(f.name, std::string(text), "a register r0..r63");
    }
    if (const auto v = parse_number(text)) return *v;
    const auto label = labels_.find(std::string(text));
    if (std::string_view(f.type) == "pc" && label != labels_.end()) return label->second;
    fail(f.name, std::string(text), std::string_view(f.type) == "pc" ? "a number or a label" : "a number");
  }

  std::uint64_t enumerator(const spec::Field& f, std::string_view text) {
    std::string names;
    for (unsigned n = 0; n < f.value_count; ++n) {
      if (text == f.values[n].name) return f.values[n].value;
      names += std::string(n == 0 ? "" : ", ") + f.values[n].name;
    }
    fail(f.name, std::string(text), "one of " + names);
  }

  [[noreturn]] void fail(const std::string& what, const std::string& found, const std::string& expected) {
    throw Error("asm", "line " + std::to_string(line_) + ": " + what, found, expected);
  }

  std::vector<spec::Insn> code_;
  std::map<std::string, std::size_t> labels_;
  unsigned line_ = 0;
};

}  // namespace

std::vector<spec::Insn> assemble(std::string_view text) { return Assembler().run(text); }

}  // namespace jogak
