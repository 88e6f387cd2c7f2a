// The fuzzer's machine is the HLS kernel.
#include "hls/csim/hls_stream.h"
#include "hls/csim/kernel.hpp"

namespace jogak::rtl {

std::unique_ptr<Simulator> make_simulator(std::string_view config, const Options& options) {
  csim::set_order(options.seed);
  return hls_csim::make_simulator(config, options);
}

}  // namespace jogak::rtl
