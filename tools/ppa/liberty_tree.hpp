// Liberty's syntax: groups of attributes and groups.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jogak::ppa {

struct Group {
  std::string kind;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes;  // in order; `a : b;` and `a (b, c);`
  std::vector<Group> groups;
  std::size_t begin = 0, body = 0, end = 0;  // of the text: first letter, after '{', after '}'

  std::string text(std::string_view name) const;   // empty: not there
  double number(std::string_view name, double otherwise) const;
  const std::vector<std::string>* list(std::string_view name) const;
};

// The library group. `file` is for messages.
Group parse_liberty(const std::string& text, const std::string& file);

}  // namespace jogak::ppa
