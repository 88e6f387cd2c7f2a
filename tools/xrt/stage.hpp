// A private folder in which unmodified XRT finds a simulated card: its description, settings, a root of libraries, an xclbin.
#pragma once

#include <filesystem>
#include <map>

#include "card.hpp"

namespace jogak::xrt_card {

struct StageOptions {
  CardOptions card;
  u32 cards = 1;
  std::filesystem::path programs = {};   // where jogak-xrt-card and libjogak_xrt_sleep.so are
  std::filesystem::path libraries = {};  // where libxrt_*.so.2 are; empty: found
};

class Stage {
 public:
  // Throws Error where XRT is not installed.
  explicit Stage(const StageOptions& options);
  ~Stage();  // removes the folder
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path xclbin() const { return folder_ / "npu.xclbin"; }
  // What a program must see: it is then run with the simulated card in place of real ones.
  const std::map<std::string, std::string>& environment() const { return environment_; }

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::string> environment_;
};

// The folder of libxrt_hwemu.so.2, of XRT_ROOT, XILINX_XRT, /opt/xilinx/xrt or the distribution. Empty: nowhere.
std::filesystem::path find_libraries();

}  // namespace jogak::xrt_card
