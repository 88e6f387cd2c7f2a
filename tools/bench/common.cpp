#include "common.hpp"

#include <cstdlib>

#include "error.hpp"

namespace jogak::bench {

const spec::Config& config_of(const Options& options, const std::string& standard) {
  const std::string name = value_or(options.config, standard);
  const spec::Config* config = spec::find_config(name.c_str());
  if (!config) throw Error("bench", "configuration", name, "one of spec/configs");
  return *config;
}

std::filesystem::path own_model(const std::string& name) { return tools::project_root() / "models" / name; }

std::filesystem::path shared_model(const std::string& name) {
  const char* root = std::getenv("JOGAK_SHARED");
  return (root != nullptr ? std::filesystem::path(root) : tools::project_root() / ".." / "shared") / "models" / name;
}

}  // namespace jogak::bench
