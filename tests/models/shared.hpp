// Models that are not part of the project.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "compile.hpp"
#include "import/gguf.hpp"
#include "session.hpp"
#include "tests/refusal.hpp"

namespace jogak::tests {

// Path of models/<name> in the shared folder; empty, with a message, when it is not there.
inline std::filesystem::path shared_model(const std::string& name) {
  const char* root = std::getenv("JOGAK_SHARED");
  const std::filesystem::path path = std::filesystem::path(root != nullptr ? root : "../shared") / "models" / name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("SKIPPED: no " << path.string() << " (set JOGAK_SHARED to the folder that holds models/)");
  return {};
}

inline nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), path.string());
  return nlohmann::json::parse(in);
}

inline Program compiled(const std::filesystem::path& model, const CompileOptions& options) {
  return compile(import::read_model(model), options).program;
}

// Root of the mean squared error over the root of the mean square.
inline double error(std::span<const float> found, std::span<const float> expected) {
  REQUIRE(found.size() == expected.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < found.size(); ++i) difference += std::pow(double(found[i]) - expected[i], 2), size += double(expected[i]) * expected[i];
  return std::sqrt(difference / size);
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

// Ids below 100 without a pattern.
inline std::vector<int> some_ids(std::size_t count) {
  std::vector<int> ids(count);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>((1 + i * i * 37 + i / 7) % 100);
  return ids;
}

}  // namespace jogak::tests
