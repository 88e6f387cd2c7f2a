// What makes a session cheaper must not change a bit: launches of any size, kept prefixes, guessed tokens, other sequences in the launch,
// and adapters beside the weights.
#include <cmath>
#include <cstring>

#include "adapter.hpp"
#include "batch_session.hpp"
#include "common.hpp"
#include "import/adapter_writer.hpp"
#include "passes/truncate.hpp"

namespace jogak::bench {
namespace {

double different(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return INFINITY;
  double count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += std::memcmp(&a[i], &b[i], 4) != 0;
  return count;
}
template <class T>
double different(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return INFINITY;
  double count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i];
  return count;
}

constexpr int kRank = 8;

// A random adapter of all targets that moves the logits and leaves them those of a model.
std::vector<std::uint8_t> adapter_image(const Program& program, const ir::Graph& graph, unsigned seed) {
  const import::AdapterFolder folder(import::random_adapter(import::adapter_hyper(graph), kRank, {0, 1, 2, 3, 4, 5, 6}, seed, 0.1f), import::adapter_config(kRank, kRank));
  return pack_adapter(program, folder.path);
}

class Run {
 public:
  Run(const Options& o, Report& report, ir::Graph graph, bool adapter = false)
      : report_(report), graph_(std::move(graph)), config_(value_or(o.config, "edge")), on_(value_or(o.on, "model")),
        compile_{.config = config_, .format = value_or(o.format, "int8"), .lora = adapter ? kRank : 0}, program_(compile(graph_, compile_).program), session_(program_, on_) {
    if (adapter) session_.load_adapter(adapter_image(program_, graph_, 1));
    prompt_ = {1};
    for (int i = 1; i < (o.tokens == 0 ? 150 : o.tokens) && i < session_.model().context; ++i) prompt_.push_back(i * 53 % session_.model().vocab);
    whole_ = session_.feed_all(prompt_);
    kv_ = session_.kv_cache();
  }

  void rows() {
    for (const int rows : {1, 2, 3, 8, 17, 32, 64, 100}) {
      if (rows >= session_.model().rows) break;
      session_.reset();
      session_.limit_rows(rows);
      const std::vector<float> parts = session_.feed_all(prompt_);
      add(std::to_string(prompt_.size()) + " tokens, " + std::to_string(rows) + " rows a launch instead of " + std::to_string(session_.model().rows) +
              ": logits and KV cache bytes",
          different(std::span<const float>(whole_), parts) + different(kv_, session_.kv_cache()));
    }
    session_.limit_rows(session_.model().rows);
  }

  // A conversation of other tokens first, of which the prompt keeps the beginning.
  void prefix() {
    const auto vocab = static_cast<std::size_t>(session_.model().vocab);
    for (const std::size_t keep : {std::size_t(1), prompt_.size() / 3, prompt_.size() - 1}) {
      std::vector<int> other(prompt_.begin(), prompt_.begin() + static_cast<std::ptrdiff_t>(keep));
      while (other.size() < prompt_.size()) other.push_back((prompt_[other.size()] + 7) % session_.model().vocab);
      session_.reset();
      (void)session_.feed(other);
      const auto kept = static_cast<std::size_t>(session_.rewind_to(prompt_));
      const std::vector<float> rest = session_.feed_all(std::span(prompt_).subspan(kept));
      add(std::to_string(prompt_.size()) + " tokens, the first " + std::to_string(kept) + " kept from another conversation: logits and KV cache bytes",
          different(std::span<const float>(whole_).subspan(kept * vocab), rest) + different(kv_, session_.kv_cache()));
    }
  }

  // From a story's beginning to its end or to the context's: tokens, and logits and KV cache after them.
  void guesses() {
    GenerateOptions options;
    const Generation sure = generate(options);
    const std::vector<float> after = end();
    const auto kv = session_.kv_cache();
    CompileOptions plain = compile_;
    plain.lora = 0;
    Session small(compile(passes::first_layers(graph_, std::max(1, graph_.layers - 1)), plain).program, on_);
    LookupDrafter lookup;
    ModelDrafter first_layers(small, session_);
    const std::pair<std::string, Drafter*> drafters[] = {{"lookup", &lookup}, {"the first " + std::to_string(small.model().layers) + " layers", &first_layers}};
    for (const auto& [name, drafter] : drafters)
      for (const int draft : {2, 4, 8}) {
        options.drafter = drafter, options.draft = draft;
        const Generation g = generate(options);
        const std::string what = std::to_string(sure.ids.size()) + " tokens, " + std::to_string(draft) + " guesses a launch by " + name;
        add(what + ": tokens, logits and KV cache bytes after them", different(sure.ids, g.ids) + different(std::span<const float>(after), end()) + different(kv, session_.kv_cache()));
        figure(what + ": guesses kept", g.drafted == 0 ? 0 : 100.0 * g.kept / g.drafted, "%");
        figure(what + ": tokens a launch", static_cast<double>(g.ids.size()) / static_cast<double>(launches_), "tokens");
      }
  }

  // Sequences of several lengths: first their prompts in parts of different sizes, then token by token, in the same launches.
  void batch() {
    for (const int sequences : {2, 4, 8}) {
      compile_.sequences = sequences;
      const std::optional<Program> several = compiled();
      if (!several) break;
      const Program& program = *several;
      BatchSession together(program, on_);
      if (session_.has_adapter()) together.load_adapter(adapter_image(program, graph_, 1));
      std::vector<std::vector<int>> ids;
      for (int s = 0; s < sequences; ++s) {
        together.add();
        ids.emplace_back();
        for (std::size_t i = 0; i < prompt_.size() - static_cast<std::size_t>(s * 7); ++i) ids.back().push_back((prompt_[i] + s * 11) % session_.model().vocab);
      }
      double wrong = 0;
      std::vector<std::vector<float>> last(ids.size());
      std::vector<std::size_t> done(ids.size());
      for (bool more = true; more;) {
        std::vector<BatchPart> parts;
        auto room = static_cast<std::size_t>(together.model().rows);
        for (std::size_t s = 0; s < ids.size(); ++s) {
          const std::size_t now = std::min({ids[s].size() - done[s], done[s] < 40 ? 1 + s : std::size_t(1), room});
          room -= now;
          if (now > 0) parts.push_back({static_cast<int>(s), {ids[s].begin() + static_cast<std::ptrdiff_t>(done[s]), ids[s].begin() + static_cast<std::ptrdiff_t>(done[s] + now)}});
          done[s] += now;
        }
        more = !parts.empty();
        if (!more) break;
        auto logits = together.step(parts);
        for (std::size_t i = 0; i < parts.size(); ++i) last[static_cast<std::size_t>(parts[i].sequence)] = std::move(logits[i]);
      }
      for (std::size_t s = 0; s < ids.size(); ++s) {
        session_.reset();
        const std::vector<float> alone = session_.feed_all(ids[s]);
        wrong += different(std::span<const float>(alone).last(last[s].size()), last[s]) +
                 different(kv_of(session_, session_.kv_cache(), ids[s].size()), together.kv_cache(static_cast<int>(s)));
      }
      add(std::to_string(sequences) + " sequences of up to " + std::to_string(prompt_.size()) + " tokens in the same launches: logits and KV cache bytes against each alone", wrong);
    }
    compile_.sequences = 1;
  }

  // Another adapter and back; none, against a program that takes none.
  void swaps() {
    const auto kv_before = kv_of(session_, kv_, prompt_.size());
    const auto differences = [&] {
      const std::vector<float> logits = session_.feed_all(prompt_);
      return different(std::span<const float>(whole_), logits) + different(kv_before, kv_of(session_, session_.kv_cache(), prompt_.size()));
    };
    session_.load_adapter(adapter_image(program_, graph_, 2));
    const double other = differences();
    figure("logits and KV cache bytes that another adapter changes (must not be 0)", other, "differences");
    session_.load_adapter(adapter_image(program_, graph_, 1));
    add("another adapter, and this one again: logits and KV cache bytes", other == 0 ? INFINITY : differences());
    session_.drop_adapter();
    CompileOptions without = compile_;
    without.lora = 0;
    Session base(compile(graph_, without).program, on_);
    whole_ = session_.feed_all(prompt_);
    const std::vector<float> plain = base.feed_all(prompt_);
    add("adapter dropped, against a program that takes none: logits and KV cache bytes",
        different(std::span<const float>(whole_), plain) +
            different(kv_of(base, base.kv_cache(), prompt_.size()), kv_of(session_, session_.kv_cache(), prompt_.size())));
  }

 private:
  Generation generate(const GenerateOptions& options) {
    session_.reset();
    session_.clear_steps();
    Generation g = session_.generate("Once upon a time", options);
    launches_ = session_.steps().size();
    return g;
  }
  // The rest of the context with fixed tokens, so that every row of the KV cache is written.
  std::vector<float> end() {
    std::vector<int> rest;
    while (static_cast<int>(rest.size()) < session_.room()) rest.push_back(static_cast<int>(rest.size()) * 29 % session_.model().vocab);
    return rest.empty() ? std::vector<float>{} : session_.feed_all(rest);
  }
  // None, with the reason, where the program is too long for this configuration.
  std::optional<Program> compiled() {
    try {
      return compile(graph_, compile_).program;
    } catch (const Error& e) {
      report_.skip(std::to_string(compile_.sequences) + " sequences" + (compile_.lora > 0 ? " with LoRA: " : ": ") + e.what());
      return {};
    }
  }
  // The first tokens of the cache: what is behind them may be of other texts.
  static std::vector<std::uint8_t> kv_of(const Session& s, std::span<const std::uint8_t> cache, std::size_t tokens) {
    const int page = 0;
    return kv_rows(s.kv_layout(), s.model().layers, cache, std::span(&page, 1), static_cast<int>(tokens));
  }
  void add(const std::string& what, double differences) {
    report_.add({.case_name = (compile_.lora > 0 ? "LoRA: " : "") + what, .config = config_, .on = on_, .value = differences, .unit = "differences", .bar = 0, .less = true});
  }
  void figure(const std::string& what, double value, const char* unit) {
    report_.add({.case_name = (compile_.lora > 0 ? "LoRA: " : "") + what, .config = config_, .on = on_, .value = value, .unit = unit});
  }

  Report& report_;
  ir::Graph graph_;
  std::string config_, on_;
  CompileOptions compile_;
  Program program_;
  Session session_;
  std::vector<int> prompt_;
  std::vector<float> whole_;
  std::vector<std::uint8_t> kv_;
  std::size_t launches_ = 0;
};

void run(const Options& o, Report& report) {
  const auto path = o.model.empty() ? own_model("jogak-stories.gguf") : std::filesystem::path(o.model);
  if (!std::filesystem::exists(path)) return report.skip("no " + path.string());
  const ir::Graph graph = import::read_model(path);
  for (const bool adapter : {false, true}) {
    if (adapter && import::adapter_hyper(graph).ffn == 0) return report.skip("no adapters beside experts");
    Run r(o, report, graph, adapter);
    r.rows();
    r.prefix();
    r.guesses();
    r.batch();
    if (adapter) r.swaps();
  }
}

const Register registered{"row-invariance", "differences between one large launch and small ones, kept prefixes, guessed tokens, batches, adapters", run};

}  // namespace
}  // namespace jogak::bench
