// Which configurations are built in: JOGAK_HLS_CONFIGS is X(nano) X(small) ... from the build.
#include "error.hpp"
#include "kernel.hpp"

namespace jogak::hls_csim {

#define X(name) std::unique_ptr<Kernel> make_kernel_##name();
JOGAK_HLS_CONFIGS
#undef X

std::vector<std::string> built_configs() {
#define X(name) #name,
  return {JOGAK_HLS_CONFIGS};
#undef X
}

std::unique_ptr<Kernel> make_kernel(std::string_view config) {
#define X(name) \
  if (config == #name) return make_kernel_##name();
  JOGAK_HLS_CONFIGS
#undef X
  std::string names;
  for (const std::string& name : built_configs()) names += (names.empty() ? "" : ", ") + name;
  throw Error("hls kernel", "configuration", std::string(config), "one of " + names);
}

}  // namespace jogak::hls_csim
