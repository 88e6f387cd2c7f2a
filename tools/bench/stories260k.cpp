// The golden ids of stories260K.
#include <fstream>
#include <nlohmann/json.hpp>

#include "common.hpp"

namespace jogak::bench {
namespace {

void run(const Options& o, Report& report) {
  const auto model = o.model.empty() ? shared_model("stories260K/stories260K.bin") : std::filesystem::path(o.model);
  if (!std::filesystem::exists(model)) return report.skip("no " + model.string());
  std::ifstream in(model.parent_path() / "golden.json");
  const std::vector<int> golden = nlohmann::json::parse(in).at("first64_ids");
  const std::string config = value_or(o.config, "edge"), on = value_or(o.on, "model");
  const Program program = compile(import::read_model(model), {.config = config, .format = value_or(o.format, "int8")}).program;
  Session session(program, on);
  const int count = o.tokens == 0 ? static_cast<int>(golden.size()) : std::min(o.tokens, static_cast<int>(golden.size()));
  const double start = cpu_seconds();
  const Generation g = session.generate("", {.tokens = count, .stop_at_end = false});
  const double seconds = cpu_seconds() - start;
  int equal = 0;
  while (equal < count && g.ids[static_cast<std::size_t>(equal)] == golden[static_cast<std::size_t>(equal)]) ++equal;
  report.add({.case_name = "golden ids met", .config = config, .on = on, .value = static_cast<double>(equal), .unit = "tokens",
              .bar = static_cast<double>(count)});
  report.add({.case_name = "decode", .config = config, .on = on, .value = count / seconds, .unit = "tokens/s of processor time"});
  LaunchRecord sum;
  for (const Step& s : session.steps()) sum.add(s.record);
  if (session.device().timed)
    report.add({.case_name = "decode", .config = config, .on = on, .value = static_cast<double>(sum[spec::Counter::cycles]) / count, .unit = "cycles/token"});
}

const Register registered{"stories260k", "the 64 golden ids of stories260K, int8", run};

}  // namespace
}  // namespace jogak::bench
