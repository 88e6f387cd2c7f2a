// Arguments of the programs that run random ones.
#pragma once
#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "error.hpp"

namespace jogak::fuzz {

// A number from 0 on, decimal. Throws jogak::Error on anything else.
template <class T>
T number(const std::string& program, std::string_view key, std::string_view text) {
  T n{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) throw Error(program, std::string(key), text.empty() ? "nothing" : std::string(text), "a number from 0 on");
  return n;
}

using Argument = std::pair<std::string_view, std::variant<std::string*, unsigned*, std::uint64_t*>>;

// argv[first] and behind it: pairs of a name and its value. Throws jogak::Error on other names, and names without a value.
inline void read_arguments(const std::string& program, int argc, char** argv, std::initializer_list<Argument> known, int first = 1) {
  for (int i = first; i < argc; i += 2) {
    const std::string_view key = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    std::string names;
    bool found = false;
    for (const auto& [name, to] : known) {
      names += (names.empty() ? "" : " ") + std::string(name);
      if (name != key) continue;
      found = true;
      if (value.empty()) throw Error(program, std::string(key), "nothing", "a value");
      if (auto* const* text = std::get_if<std::string*>(&to)) **text = value;
      if (auto* const* n = std::get_if<unsigned*>(&to)) **n = number<unsigned>(program, key, value);
      if (auto* const* n = std::get_if<std::uint64_t*>(&to)) **n = number<std::uint64_t>(program, key, value);
    }
    if (!found) throw Error(program, "argument", std::string(key), names);
  }
}

}  // namespace jogak::fuzz
