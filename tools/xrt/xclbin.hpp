// The file that XRT loads: sections in a container (AXLF). This one describes the simulated card, and its "bitstream" is a zip with
// the script that starts the card's process.
#pragma once

#include <filesystem>

#include "card.hpp"

namespace jogak::xrt_card {

constexpr const char* kPlatform = "jogak_simulated";

struct Argument {
  std::string name;
  u32 offset, bytes;  // 8 bytes: an address in the card's memory
};
// What a launch sets, in order of offset: the arguments of boards/common/amd_kernel.py, which is how a real card's file is made.
std::vector<Argument> kernel_arguments();
// Those of the HLS kernel (hls/top.cpp).
std::vector<Argument> hls_arguments();

// The whole file. program: absolute path of jogak-xrt-card.
std::vector<u8> xclbin(const CardOptions& options, const std::filesystem::path& program);

// One stored file with the rights of a program.
std::vector<u8> zip(const std::string& name, const std::string& text);

}  // namespace jogak::xrt_card
