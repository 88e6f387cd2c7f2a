// What benchmarks share.
#pragma once

#include <ctime>
#include <filesystem>
#include <vector>

#include "bench.hpp"
#include "compile.hpp"
#include "import/gguf.hpp"
#include "session.hpp"
#include "tools/project.hpp"

namespace jogak::bench {

inline std::string value_or(const std::string& given, const std::string& standard) { return given.empty() ? standard : given; }

// --config or `standard`; throws Error on one that is not there.
const spec::Config& config_of(const Options& options, const std::string& standard = "edge");

// models/<name> of the project, or of the folder $JOGAK_SHARED (default: shared beside the project); may not exist.
std::filesystem::path own_model(const std::string& name);
std::filesystem::path shared_model(const std::string& name);

// Processor time of this process: other work on the computer does not count.
inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace jogak::bench
