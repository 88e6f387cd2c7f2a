#include "stage.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "error.hpp"
#include "xclbin.hpp"

namespace jogak::xrt_card {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw Error("xrt-sim", path.string(), "no room or no right to write it", "a file");
}

// As AMD's emconfigutil writes it. Numbers are decimal.
std::string emulation_config(u32 cards, u64 memory_bytes) {
  std::string bank = R"({"Size":")" + std::to_string((memory_bytes + (u64(1) << 30) - 1) >> 30) + R"(G"})";
  return R"({"Version":{"FileVersion":"2.0"},"Platform":{"UnifiedPlatform":"true","ExpandedPR":"true","Boards":[{"NumBoards":"1","Devices":[{"Name":")" +
         std::string(kPlatform) + R"(","VendorId":"4334","OclFreqency":"300","NumDevices":")" + std::to_string(cards) + R"(","DdrBanks":[)" + bank + "]}]}]}}\n";
}

// The last two lines are for XRT 2.13, which keeps writing to a buffer that it has moved when a message is longer than all before: the
// first message, which carries the settings of [Debug], is made longer than packets of memory ever are.
std::string settings() {
  return "[Emulation]\nsuppress_infos=true\nkeep_run_dir=false\nsystem_dpa=false\npacket_size=16384\n[Debug]\njogak_pad=" + std::string(20000, 'x') + "\n";
}

void library_root(const fs::path& from, const fs::path& root) {
  fs::create_directories(root / "lib");
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.path().filename().string().rfind("libxrt", 0) == 0) fs::create_symlink(entry.path(), root / "lib" / entry.path().filename());
}

}  // namespace

fs::path find_libraries() {
  std::vector<fs::path> roots;
  for (const char* name : {"XRT_ROOT", "XILINX_XRT"})
    if (const char* value = std::getenv(name); value != nullptr && *value != 0) roots.emplace_back(value);
  roots.insert(roots.end(), {"/opt/xilinx/xrt", "/usr"});
  for (const fs::path& root : roots)
    for (const char* folder : {"lib", "lib64", "lib/x86_64-linux-gnu"})
      if (fs::exists(root / folder / "libxrt_hwemu.so.2")) return root / folder;
  return {};
}

Stage::Stage(const StageOptions& o) {
  const fs::path libraries = o.libraries.empty() ? find_libraries() : o.libraries;
  if (libraries.empty())
    throw Error("xrt-sim", "XRT's emulation library libxrt_hwemu.so.2", "it nowhere", "the package libxrt-dev, or XRT_ROOT to name XRT's folder");
  // mkdtemp's folders are the user's alone. XRT puts its socket into /tmp/$USER, so this is the folder, by its last name.
  std::string name = "/tmp/jogak-xrt-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw Error("xrt-sim", "a folder in /tmp", std::strerror(errno), "one");
  folder_ = name;
  write(folder_ / "emconfig.json", emulation_config(o.cards, o.card.memory_bytes));
  write(folder_ / "xrt.ini", settings());
  library_root(libraries, folder_ / "root");
  const std::vector<u8> file = xrt_card::xclbin(o.card, o.programs / "jogak-xrt-card");
  write(xclbin(), {file.begin(), file.end()});
  environment_ = {{"USER", folder_.filename()},
                  {"XCL_EMULATION_MODE", "hw_emu"},
                  {"EMCONFIG_PATH", folder_},
                  {"XRT_INI_PATH", folder_ / "xrt.ini"},
                  {"XILINX_XRT", folder_ / "root"},
                  {"XILINX_VITIS", folder_},
                  {"JOGAK_XCLBIN", xclbin()},
                  {"JOGAK_XRT_CARDS", std::to_string(o.cards)}};
  const char* before = std::getenv("LD_PRELOAD");
  const std::string sleep = o.programs / "libjogak_xrt_sleep.so";
  if (fs::exists(sleep)) environment_["LD_PRELOAD"] = sleep + (before != nullptr && *before != 0 ? ":" + std::string(before) : "");
}

Stage::~Stage() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace jogak::xrt_card
