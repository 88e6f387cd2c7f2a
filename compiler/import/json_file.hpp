// JSON files of a model's folder, with errors that name the file and the key.
#pragma once
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "error.hpp"

namespace jogak::import {

using Json = nlohmann::json;

inline Json parse_json(const std::string& part, const std::string& text) {
  Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded() || !j.is_object()) throw Error(part, "contents", "no JSON object", "one");
  return j;
}

inline Json read_json_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error("model", "file " + path.string(), "nothing that can be opened", "a JSON file");
  return parse_json(path.filename().string(), std::string(std::istreambuf_iterator<char>(in), {}));
}

// The value of a key; null counts as absent. Throws jogak::Error of `part` for another type.
template <class T>
std::optional<T> optional_key(const std::string& part, const Json& j, const char* key) {
  const auto it = j.find(key);
  if (it == j.end() || it->is_null()) return std::nullopt;
  try {
    return it->get<T>();
  } catch (const Json::exception&) {
    throw Error(part, key, it->dump().substr(0, 80), "another type of value");
  }
}
template <class T>
T need_key(const std::string& part, const Json& j, const char* key) {
  if (const auto value = optional_key<T>(part, j, key)) return *value;
  throw Error(part, key, "nothing", "a value");
}
// A whole number of least .. most.
inline std::optional<int> optional_size(const std::string& part, const Json& j, const char* key, int least = 1, int most = 1 << 24) {
  const auto x = optional_key<double>(part, j, key);
  if (!x) return std::nullopt;
  if (!(*x >= least && *x <= most) || *x != static_cast<int>(*x))
    throw Error(part, key, j.at(key).dump(), "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return static_cast<int>(*x);
}
inline int need_size(const std::string& part, const Json& j, const char* key) {
  if (const auto x = optional_size(part, j, key)) return *x;
  throw Error(part, key, "nothing", "a whole number");
}

}  // namespace jogak::import
