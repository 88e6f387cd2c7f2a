#include "ppa_common.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "error.hpp"
#include "tools/project.hpp"

namespace jogak::bench {

namespace fs = std::filesystem;

std::optional<fs::path> liberty() {
  if (const char* given = std::getenv("JOGAK_LIBERTY")) return given;
  const char* shared = std::getenv("JOGAK_SHARED");
  const fs::path path = (shared != nullptr ? fs::path(shared) : tools::project_root() / ".." / "shared") / "liberty" / "nangate45_typ.lib.gz";
  if (!fs::exists(path)) return std::nullopt;
  return path;
}

fs::path build_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
}

nlohmann::json synthesise(const fs::path& library, const std::string& arguments) {
  const std::string command = "'" + (tools::project_root() / "tools/synth-liberty.sh").string() + "' --build '" + build_folder().string() + "' --liberty '" + library.string() + "' --json " + arguments;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw Error("bench", "synthesis", "no shell", "one to run tools/synth-liberty.sh");
  std::string text;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  const nlohmann::json j = nlohmann::json::parse(text, nullptr, false);
  if (status != 0 || j.is_discarded()) throw Error("bench", "synthesis", "a failure (above)", "JSON of tools/synth-liberty.sh");
  return j;
}

}  // namespace jogak::bench
