// Random decoders on random packages: the bits of one die, no race.
#include <random>

#include "adapter.hpp"
#include "batch_session.hpp"
#include "checked_dies.hpp"
#include "import/adapter_writer.hpp"
#include "import/synthetic.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::LlamaHyper;

namespace {

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  int from(int least, int most) { return least + below(most - least + 1); }
  bool one_in(int n) { return below(n) == 0; }
  template <class T>
  T of(std::initializer_list<T> list) { return *(list.begin() + below(static_cast<int>(list.size()))); }

 private:
  std::mt19937 random_;
};

LlamaHyper decoder(Draw& d) {
  const int groups = d.from(1, 3), kv_heads = d.from(1, 5);
  LlamaHyper h{.layers = d.from(1, 5), .width = 8 * d.from(3, 16), .heads = groups * kv_heads, .kv_heads = kv_heads, .ffn = d.from(20, 300), .context = d.of({32, 64, 96, 576}),
               .vocab = d.from(100, 200), .head_dim = 2 * d.from(4, 24)};
  h.qkv_bias = d.one_in(3), h.output_bias = d.one_in(3), h.qk_norm = d.one_in(4), h.sinks = d.one_in(4);
  if (d.one_in(3)) {
    h.mixture = {.experts = d.from(3, 8), .top = d.from(1, 3), .over_chosen = d.one_in(2)}, h.width = 32 * d.from(1, 4), h.expert_ffn = 32 * d.from(1, 4);  // blocks of MXFP4 are whole
    if (d.one_in(2)) h.shared_ffn = d.from(20, 120), h.shared_gate = d.one_in(2);
  } else {
    h.gated = !d.one_in(3), h.activation = h.gated ? ir::Activation::silu : ir::Activation::gelu_tanh;
    h.ffn_bias = !h.gated && d.one_in(2), h.parallel = d.one_in(3), h.layer_norm = d.one_in(3);
    h.post_norm = !h.parallel && !h.layer_norm && !h.ffn_bias && !h.output_bias && d.one_in(3);
  }
  if (d.one_in(4)) h.window = d.from(5, 40);
  const auto layers = [&](std::vector<bool>& some) {
    for (int i = 0; i < h.layers; ++i) some.push_back(d.one_in(2));
  };
  if (h.window > 0 && d.one_in(2)) layers(h.sliding);
  if (h.mixture.experts > 0 && d.one_in(3)) layers(h.dense);
  h.expert_bias = h.mixture.experts > 0 && d.one_in(3);
  h.positions = d.one_in(6), h.head_bias = d.one_in(5);
  if (!h.positions && d.one_in(4)) h.rotary_dims = 2 * d.from(1, h.head_dim / 2);
  if (d.one_in(5)) h.score_cap = 20;
  if (d.one_in(5)) h.logit_cap = 15;
  return h;
}

// What somebody does with a decoder: prompts of some sequences in launches of some rows, tokens in between.
struct Use {
  CompileOptions options;
  bool adapter = false;
  int rows = 0, prompt = 0;
};

struct Bits {
  std::vector<std::vector<float>> logits;
  std::vector<std::vector<std::uint8_t>> keys;
  bool operator==(const Bits&) const = default;
};

std::vector<std::unique_ptr<driver::Device>> dies_of(const Program& program) { return program.mesh.dies() > 1 ? checked_dies(program) : open_dies(program, "model"); }

Bits together(const Program& program, const Use& use, const std::filesystem::path& adapter) {
  BatchSession batch(program, dies_of(program));
  if (use.adapter) batch.load_adapter(pack_adapter(program, adapter));
  Bits b;
  const std::vector<int> ids = some_ids(static_cast<std::size_t>(use.prompt));
  const int rows = std::max(1, std::min(use.rows, batch.model().rows - 1)), x = batch.add(), y = batch.add();
  for (int at = 0; at < use.prompt; at += rows) {
    const std::vector<int> next(ids.begin() + at, ids.begin() + std::min(at + rows, use.prompt));
    std::vector<BatchPart> parts = {{x, next}};
    if (batch.room(y) > 0) parts.push_back({y, {at % 90}});
    for (std::vector<float>& row : batch.step(parts)) b.logits.push_back(std::move(row));
  }
  for (const int s : {x, y}) b.keys.push_back(batch.kv_cache(s));
  return b;
}

Bits alone_on(const Program& program, const Use& use, const std::filesystem::path& adapter) {
  Session session(program, dies_of(program));
  if (use.adapter) session.load_adapter(pack_adapter(program, adapter));
  Bits b;
  const std::vector<int> ids = some_ids(static_cast<std::size_t>(use.prompt)), more = {5};
  session.limit_rows(std::min(use.rows, session.rows()));
  const auto keep = [&](std::span<const float> row) { b.logits.emplace_back(row.begin(), row.end()); };
  keep(session.feed(ids));
  keep(session.feed(more));
  b.keys.push_back(session.kv_cache());
  return b;
}

// False where the package has no room for it, or its dies would not be alike.
bool same_bits_on_dies(unsigned seed) {
  Draw d(seed);
  const LlamaHyper h = decoder(d);
  const ir::Graph graph = import::synthetic_llama(h, seed);
  Use use{.options = {.config = d.of({"quad", "nanoquad"}), .sequences = d.of({1, 1, 2, 3}), .format = d.of({"int8", "int8c", "mxfp4", "mxint8"}), .lora = d.one_in(2) ? 8 : 0},
          .rows = d.from(1, 12), .prompt = d.from(2, 30)};
  use.adapter = use.options.lora > 0 && !d.one_in(4);
  const std::vector<int> modules = h.mixture.experts > 0 ? std::vector<int>{0, 1, 2, 3} : h.gated ? std::vector<int>{0, 1, 2, 3, 4, 5, 6} : std::vector<int>{0, 1, 2, 3, 5, 6};
  const import::AdapterFolder folder(import::random_adapter(h, 5, modules, seed), import::adapter_config(5, 7.5));
  Program one, several;
  try {
    one = compile(graph, use.options).program;
    use.options.dies = d.from(2, 4), use.options.parallel = h.mixture.experts > 0 ? d.of({"tensor", "experts", "pipeline"}) : d.of({"tensor", "tensor", "pipeline"});
    several = compile(graph, use.options).program;
  } catch (const Error&) {
    return false;
  }
  CAPTURE(seed);
  CAPTURE(use.options.dies);
  CAPTURE(use.options.parallel);
  const auto bits = use.options.sequences > 1 ? together : alone_on;
  const Bits a = bits(several, use, folder.path), b = bits(one, use, folder.path);
  CHECK(a.keys == b.keys);
  CHECK(a.logits == b.logits);
  return true;
}

}  // namespace

TEST_CASE("random decoders, formats, adapters and sequences on random packages: the bits of one die, no race") {
  const unsigned first = 1, cases = 60;
  unsigned done = 0;
  for (unsigned seed = first; seed < first + cases; ++seed) done += same_bits_on_dies(seed);
  MESSAGE(done << " of " << cases << " decoders fit their package");
  CHECK(done > cases / 2);
}
