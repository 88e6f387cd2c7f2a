#include "liberty_tree.hpp"

#include <cctype>
#include <cstdlib>

#include "error.hpp"

namespace jogak::ppa {
namespace {

class Parser {
 public:
  Parser(const std::string& text, const std::string& file) : text_(text), file_(file) {}

  Group library() {
    skip();
    Group g;
    g.begin = at_;
    g.kind = word();
    if (g.kind != "library") fail("a group library", g.kind);
    g.arguments = arguments();
    skip();
    if (!take('{')) fail("'{' after library", here());
    body(g);
    return g;
  }

 private:
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const {
    std::size_t line = 1;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n';
    throw Error("library " + file_, "line " + std::to_string(line), found.empty() ? "the end" : found, expected);
  }
  std::string here() const { return at_ < text_.size() ? std::string(1, text_[at_]) : std::string(); }
  void skip() {
    for (;;) {
      while (at_ < text_.size() && (std::isspace(static_cast<unsigned char>(text_[at_])) || (text_[at_] == '\\'))) ++at_;
      if (text_.compare(at_, 2, "/*") == 0) {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string::npos) fail("*/", "");
        at_ = end + 2;
      } else if (text_.compare(at_, 2, "//") == 0) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else {
        return;
      }
    }
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !std::isspace(static_cast<unsigned char>(text_[at_])) && std::string_view("(){}:;,\"\\").find(text_[at_]) == std::string_view::npos) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string value() {
    if (take('"')) {
      const std::size_t end = text_.find('"', at_);
      if (end == std::string::npos) fail("a closing \"", "");
      std::string v = text_.substr(at_, end - at_);
      at_ = end + 1;
      return v;
    }
    return word();
  }
  std::vector<std::string> arguments() {
    std::vector<std::string> out;
    skip();
    if (!take('(')) fail("'('", here());
    for (;;) {
      skip();
      if (take(')')) return out;
      if (take(',')) continue;
      const std::size_t before = at_;
      out.push_back(value());
      if (at_ == before) fail("')'", here());
    }
  }
  // `a : b c;` keeps everything up to the semicolon or the line's end.
  std::string simple() {
    skip();
    if (at_ < text_.size() && text_[at_] == '"') return value();
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ';' && text_[at_] != '\n' && text_[at_] != '}') ++at_;
    std::size_t end = at_;
    while (end > begin && std::isspace(static_cast<unsigned char>(text_[end - 1]))) --end;
    return text_.substr(begin, end - begin);
  }
  void body(Group& g) {
    g.body = at_;
    for (;;) {
      skip();
      if (take('}')) {
        g.end = at_;
        return;
      }
      if (take(';')) continue;
      const std::size_t begin = at_;
      const std::string name = word();
      if (name.empty()) fail("a name or '}'", here());
      skip();
      if (take(':')) {
        g.attributes.emplace_back(name, std::vector<std::string>{simple()});
        continue;
      }
      std::vector<std::string> args = arguments();
      skip();
      if (take('{')) {
        Group& child = g.groups.emplace_back();
        child.kind = name;
        child.arguments = std::move(args);
        child.begin = begin;
        body(child);
      } else {
        g.attributes.emplace_back(name, std::move(args));
      }
    }
  }

  const std::string& text_;
  const std::string& file_;
  std::size_t at_ = 0;
};

}  // namespace

const std::vector<std::string>* Group::list(std::string_view name) const {
  for (const auto& [key, values] : attributes)
    if (key == name) return &values;
  return nullptr;
}
std::string Group::text(std::string_view name) const {
  const auto* values = list(name);
  return values != nullptr && !values->empty() ? values->front() : std::string();
}
double Group::number(std::string_view name, double otherwise) const {
  const std::string t = text(name);
  return t.empty() ? otherwise : std::strtod(t.c_str(), nullptr);
}

Group parse_liberty(const std::string& text, const std::string& file) { return Parser(text, file).library(); }

}  // namespace jogak::ppa
