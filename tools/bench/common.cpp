#include "common.hpp"

#include <cstdlib>

namespace jogak::bench {

std::filesystem::path own_model(const std::string& name) { return tools::project_root() / "models" / name; }

std::filesystem::path shared_model(const std::string& name) {
  const char* root = std::getenv("JOGAK_SHARED");
  return (root != nullptr ? std::filesystem::path(root) : tools::project_root() / ".." / "shared") / "models" / name;
}

}  // namespace jogak::bench
