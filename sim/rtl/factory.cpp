// Which configurations are built in: JOGAK_RTL_CONFIGS is X(nano) X(small) ... from the build.
#include "error.hpp"
#include "simulator.hpp"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace jogak::rtl {

#define X(name) std::unique_ptr<Simulator> make_##name(const Options&);
JOGAK_RTL_CONFIGS
#undef X

std::vector<std::string> built_configs() {
#define X(name) #name,
  return {JOGAK_RTL_CONFIGS};
#undef X
}

std::unique_ptr<Simulator> make_simulator(std::string_view config, const Options& options) {
#define X(name) \
  if (config == #name) return make_##name(options);
  JOGAK_RTL_CONFIGS
#undef X
  std::string names;
  for (const std::string& name : built_configs()) names += (names.empty() ? "" : ", ") + name;
  throw Error("rtl simulator", "configuration", std::string(config), "one of " + names);
}

}  // namespace jogak::rtl
