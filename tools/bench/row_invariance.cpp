// A prompt in launches of any size: the logits of every row and the KV cache must not change by a bit.
#include <cstring>

#include "common.hpp"

namespace jogak::bench {
namespace {

void run(const Options& o, Report& report) {
  const auto path = o.model.empty() ? own_model("jogak-stories.gguf") : std::filesystem::path(o.model);
  if (!std::filesystem::exists(path)) return report.skip("no " + path.string());
  const std::string config = value_or(o.config, "edge"), on = value_or(o.on, "model");
  const Program program = compile(import::read_model(path), {.config = config, .format = value_or(o.format, "int8")}).program;
  Session session(program, on);
  std::vector<int> prompt = {1};
  for (int i = 1; i < (o.tokens == 0 ? 150 : o.tokens) && i < session.model().context; ++i) prompt.push_back(i * 53 % session.model().vocab);
  const std::vector<float> whole = session.feed_all(prompt);
  const auto kv = session.kv_cache();
  for (const int rows : {1, 2, 3, 8, 17, 32, 64, 100}) {
    if (rows >= session.model().rows) break;
    session.reset();
    session.limit_rows(rows);
    const std::vector<float> parts = session.feed_all(prompt);
    std::uint64_t different = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) different += std::memcmp(&whole[i], &parts[i], 4) != 0;
    const auto kv_now = session.kv_cache();
    for (std::size_t i = 0; i < kv.size(); ++i) different += kv[i] != kv_now[i];
    report.add({.case_name = std::to_string(prompt.size()) + " tokens, " + std::to_string(rows) + " rows a launch instead of " +
                             std::to_string(session.model().rows) + ": logits and KV cache bytes",
                .config = config, .on = on, .value = static_cast<double>(different), .unit = "differences", .bar = 0, .less = true});
  }
}

const Register registered{"row-invariance", "differences between one large launch and many small ones", run};

}  // namespace
}  // namespace jogak::bench
