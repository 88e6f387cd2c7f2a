// The project's own model through driver/xrt and the real XRT libraries to a simulated card with the Verilated NPU on it, and on the
// same RTL inside this process.
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "common.hpp"
#include "error.hpp"
#include "tools/xrt/stage.hpp"

namespace jogak::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Timed {
  Generation made;
  double seconds;
};

// Compiling, opening and uploading are over.
Timed generate(Session& session, int tokens) {
  const auto from = Clock::now();
  Timed t{session.generate("Once", {.tokens = tokens, .stop_at_end = false}), 0};
  t.seconds = std::chrono::duration<double>(Clock::now() - from).count();
  return t;
}

void run(const Options& o, Report& report) {
  const fs::path path = o.model.empty() ? own_model("jogak-stories.gguf") : fs::path(o.model);
  const fs::path programs = fs::read_symlink("/proc/self/exe").parent_path();
  if (!fs::exists(path)) return report.skip("no " + path.string());
  if (!fs::exists(programs / "jogak-xrt-card") || !fs::exists(programs.parent_path() / "lib/libjogak_xrt.so"))
    return report.skip("no jogak-xrt-card or no libjogak_xrt.so: packages libxrt-dev and libboost-dev, then ./jogak build");
  const std::string config = value_or(o.config, "nano"), on = value_or(o.on, "rtl"), label = path.stem().string();
  const xrt_card::Stage stage({.card = {.config = config, .on = on, .memory_bytes = std::uint64_t(64) << 20}, .programs = programs});
  for (const auto& [name, value] : stage.environment()) ::setenv(name.c_str(), value.c_str(), 1);  // before XRT is loaded, at the first open

  const int tokens = o.tokens == 0 ? 64 : o.tokens;
  const Program program = compile(import::read_model(path), {.config = config, .context = 96, .max_rows = 8, .format = value_or(o.format, "int8")}).program;
  Session card(program, "xrt:" + stage.xclbin().string());
  const Timed a = generate(card, tokens);
  Session here(program, on);
  const Timed b = generate(here, tokens);
  double different = static_cast<double>(a.made.ids.size() != b.made.ids.size());
  for (std::size_t i = 0; i < std::min(a.made.ids.size(), b.made.ids.size()); ++i) different += a.made.ids[i] != b.made.ids[i];
  const std::string what = label + ", " + std::to_string(tokens) + " tokens";
  report.add({.case_name = what + " that differ from those of the simulator in this process", .config = config, .on = "xrt", .value = different, .unit = "differences", .bar = 0, .less = true});
  report.add({.case_name = what + ", time in this process", .config = config, .on = on, .value = b.seconds, .unit = "s"});
  report.add({.case_name = what + ", time through XRT over that, start-up apart", .config = config, .on = "xrt", .value = a.seconds / b.seconds, .unit = "x", .bar = 2, .less = true});
}

const Register registered{"xrt-sim", "own model through driver/xrt, real XRT and a simulated card: tokens and time against the RTL in this process", run};

}  // namespace
}  // namespace jogak::bench
