// What benchmarks of power, performance and area share: running tools/synth-liberty.sh, and the library it takes.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace jogak::bench {

// $JOGAK_LIBERTY, or Nangate45 of the folder $JOGAK_SHARED (default: shared beside the project).
std::optional<std::filesystem::path> liberty();
// Its JSON; throws Error where it fails. Mapped blocks are cached, a whole nano takes minutes the first time.
nlohmann::json synthesise(const std::filesystem::path& library, const std::string& arguments);
// Where blocks stay: build/synth of the build this program is of.
std::filesystem::path build_folder();

}  // namespace jogak::bench
