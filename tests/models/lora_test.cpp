// LoRA adapters on the machine: against the fp32 decoder with the adapter merged, and the bits of everything around it.
#include <cmath>
#include <cstring>

#include "adapter.hpp"
#include "batch_session.hpp"
#include "float_llama.hpp"
#include "import/adapter_writer.hpp"
#include "import/gguf_writer.hpp"
#include "import/synthetic.hpp"
#include "order.hpp"
#include "shared.hpp"

using namespace jogak;
using namespace jogak::tests;
using import::Adapter;
using import::AdapterValues;
using import::adapter_config;
using import::kAdapterModules;
using import::LlamaHyper;
using import::random_adapter;
using Folder = import::AdapterFolder;
using Json = nlohmann::json;

namespace {

const LlamaHyper kShape{.layers = 2, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 100, .head_dim = 20};

std::vector<int> some_ids(int count) {
  std::vector<int> ids(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int>((1 + i * i * 37 + i / 7) % 100);
  return ids;
}

const std::vector<std::string> kTensors = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"};

// W + alpha / r B A in the graph. A head's rows i and i + half are the graph's 2i and 2i + 1 in q and k.
ir::Graph merged(ir::Graph graph, const LlamaHyper& h, const Adapter& adapter, float scale) {
  for (int l = 0; l < h.layers; ++l)
    for (std::size_t m = 0; m < kTensors.size(); ++m) {
      const std::string name = "layers." + std::to_string(l) + "." + kAdapterModules[m];
      if (!adapter.contains(name + ".lora_A")) continue;
      const AdapterValues &a = adapter.at(name + ".lora_A"), &b = adapter.at(name + ".lora_B");
      for (ir::Tensor& t : graph.tensors) {
        if (t.name != "blk." + std::to_string(l) + "." + kTensors[m] + ".weight") continue;
        for (int r = 0; r < b.n; ++r) {
          const int i = r % h.head(), turning = h.positions ? 0 : h.turning(), half = turning / 2;
          const int row = m > 1 || i >= turning ? r : r - i + (i < half ? 2 * i : 2 * (i - half) + 1);
          for (int c = 0; c < a.k; ++c) {
            double sum = 0;
            for (int j = 0; j < b.k; ++j) sum += double(b.v[static_cast<std::size_t>(r * b.k + j)]) * a.v[static_cast<std::size_t>(j * a.k + c)];
            float w = 0;
            std::byte* at = t.data.data() + static_cast<std::size_t>(row * a.k + c) * 4;
            std::memcpy(&w, at, 4);
            w += scale * static_cast<float>(sum);
            std::memcpy(at, &w, 4);
          }
        }
      }
    }
  return graph;
}

// A GGUF of an adapter, as a file, removed again. In pairs: rows of q and k as a llama's file has them.
class GgufFile {
 public:
  GgufFile(const Adapter& adapter, const std::string& architecture, float alpha, const std::string& type = "adapter") {
    import::GgufWriter w;
    w.text("general.type", type);
    w.text("general.architecture", architecture);
    w.text("adapter.type", "lora");
    w.f32("adapter.lora.alpha", alpha);
    for (const auto& [name, m] : adapter) {
      const auto dot = name.find('.', 7), end = name.rfind('.');
      const std::string module = name.substr(dot + 1, end - dot - 1);
      const auto target = static_cast<std::size_t>(std::find(kAdapterModules.begin(), kAdapterModules.end(), module) - kAdapterModules.begin());
      const std::vector<std::string> fused = {"attn_qkv", "ffn_up"};
      const bool a = name.ends_with("lora_A");
      AdapterValues values = m;
      if (!a && architecture == "llama" && target < 2) values = in_pairs(m);
      std::vector<std::byte> bytes(values.v.size() * 4);
      std::memcpy(bytes.data(), values.v.data(), bytes.size());
      w.tensor("blk." + name.substr(7, dot - 7) + "." + (target < 7 ? kTensors[target] : fused[target - 7]) + ".weight.lora_" + (a ? "a" : "b"),
               {static_cast<std::uint64_t>(m.n), static_cast<std::uint64_t>(m.k)}, 0, bytes);
    }
    path = std::filesystem::temp_directory_path() / ("jogak-lora-" + std::to_string(::getpid()) + "-" + std::to_string(number_++) + ".gguf");
    const auto file = w.file();
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  }
  ~GgufFile() { std::filesystem::remove(path); }
  GgufFile(const GgufFile&) = delete;
  GgufFile& operator=(const GgufFile&) = delete;
  std::filesystem::path path;

 private:
  static AdapterValues in_pairs(const AdapterValues& m) {
    AdapterValues to = m;
    const int head = kShape.head_dim, half = head / 2;
    for (int r = 0; r < m.n; ++r) {
      const int i = r % head, row = r - i + (i < half ? 2 * i : 2 * (i - half) + 1);
      std::copy_n(m.v.begin() + r * m.k, m.k, to.v.begin() + row * m.k);
    }
    return to;
  }
  static inline int number_ = 0;
};

// Of a fused matrix and its parts: the same A, B one below the other.
Adapter split(const Adapter& fused, const LlamaHyper& h) {
  Adapter all;
  const int q = h.heads * h.head_dim, kv = h.kv_heads * h.head_dim;
  for (int l = 0; l < h.layers; ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    const auto part = [&](std::size_t from, std::vector<std::pair<std::size_t, int>> targets) {
      const AdapterValues &a = fused.at(layer + kAdapterModules[from] + ".lora_A"), &b = fused.at(layer + kAdapterModules[from] + ".lora_B");
      auto at = b.v.begin();
      for (const auto& [target, rows] : targets) {
        all[layer + kAdapterModules[target] + ".lora_A"] = a;
        all[layer + kAdapterModules[target] + ".lora_B"] = {rows, b.k, {at, at + rows * b.k}};
        at += rows * b.k;
      }
    };
    part(7, {{0, q}, {1, kv}, {2, kv}});
    part(8, {{4, h.ffn}, {5, h.ffn}});
  }
  return all;
}

}  // namespace

TEST_CASE("lora: GGUF adapters and fused matrices are the same bytes as a folder of their parts") {
  const Program program = compile(import::synthetic_llama(kShape, 9), {.config = "edge", .lora = 8}).program;
  const Adapter parts = random_adapter(kShape, 5, {0, 1, 2, 3, 4, 5, 6}, 3), fused = random_adapter(kShape, 5, {7, 8}, 4);
  const auto folder = pack_adapter(program, Folder(parts, adapter_config(5, 7.5)).path);
  for (const char* architecture : {"llama", "qwen2"}) {
    const GgufFile file(parts, architecture, 7.5f);
    CHECK(pack_adapter(program, file.path) == folder);
    CHECK(adapter_rank(file.path) == 5);
  }
  const auto split_folder = pack_adapter(program, Folder(split(fused, kShape), adapter_config(5, 5)).path);
  CHECK(split_folder != folder);
  CHECK(pack_adapter(program, Folder(fused, adapter_config(5, 5)).path) == split_folder);
  CHECK(pack_adapter(program, GgufFile(fused, "phi3", 5).path) == split_folder);
  // Each matrix of its own rank; alpha 0 is a scale of 1.
  Adapter ranks = random_adapter(kShape, 5, {0}, 3);
  for (const auto& [name, m] : random_adapter(kShape, 2, {6}, 4)) ranks[name] = m;
  CHECK(adapter_rank(GgufFile(ranks, "qwen2", 0).path) == 5);
  Adapter high = ranks;
  for (const auto& [name, m] : random_adapter(kShape, 40, {3}, 4)) high[name] = m;
  const auto refusal = [&](const GgufFile& file) {
    try {
      (void)pack_adapter(program, file.path);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  CHECK(refusal(GgufFile(ranks, "qwen2", 0)) == "accepted");
  CHECK(refusal(GgufFile(high, "qwen2", 4)).find("rank, found 40, expected at most 32") != std::string::npos);
  CHECK(refusal(GgufFile(ranks, "qwen2", 4, "model")).find("general.type, found model, expected adapter") != std::string::npos);
  CHECK(refusal(GgufFile(ranks, "qwen2", NAN)).find("lora_alpha") != std::string::npos);
  Adapter both = fused;
  for (const auto& [name, m] : random_adapter(kShape, 5, {1}, 4)) both[name] = m;
  CHECK(refusal(GgufFile(both, "phi3", 4)).find("two matrices for it") != std::string::npos);
  ranks.erase("layers.1.self_attn.q_proj.lora_A");
  CHECK(refusal(GgufFile(ranks, "qwen2", 4)).find("found lora_B alone") != std::string::npos);
}

TEST_CASE("lora: every target alone and all together are the merged fp32 decoder within 4 %, the same bits on two configurations and for every cut") {
  const ir::Graph graph = import::synthetic_llama(kShape, 9);
  const auto ids = some_ids(40);
  Session edge(compile(graph, {.config = "edge", .lora = 8}).program, "model"), nano(compile(graph, {.config = "nano", .lora = 8}).program, "model");
  const auto base = expected_rows(graph, ids);
  for (const std::vector<int>& modules : {std::vector<int>{0}, {1}, {2}, {3}, {4}, {5}, {6}, {0, 1, 2, 3, 4, 5, 6}}) {
    CAPTURE(modules.front());
    CAPTURE(modules.size());
    const Adapter adapter = random_adapter(kShape, 5, modules, 3);
    const Folder folder(adapter, adapter_config(5, 7.5));
    edge.load_adapter(pack_adapter(compile(graph, {.config = "edge", .lora = 8}).program, folder.path));
    nano.load_adapter(pack_adapter(compile(graph, {.config = "nano", .lora = 8}).program, folder.path));
    const auto a = edge.feed_all(ids), b = nano.feed_all(ids), expected = expected_rows(merged(graph, kShape, adapter, 1.5f), ids);
    CHECK(same_bits(a, b));
    CHECK(error(a, expected) < 0.04);
    CHECK(error(base, expected) > 0.1);  // it matters
    edge.reset();
    edge.limit_rows(3);
    CHECK(same_bits(edge.feed_all(ids), a));
    edge.limit_rows(edge.model().rows);
  }
}

TEST_CASE("lora: other formats, biases, keys in chunks, wide feed-forwards whose k is split, high ranks") {
  for (const char* format : {"int8c", "mxfp4"}) {
    CAPTURE(format);
    LlamaHyper h = kShape;
    const bool chunks = std::string(format) == "int8c";
    h.context = chunks ? 576 : 64, h.ffn = chunks ? 160 : 1600, h.layers = chunks ? 1 : 2, h.qkv_bias = h.qk_norm = !chunks;
    const ir::Graph graph = import::synthetic_llama(h, 9);
    const Adapter adapter = random_adapter(h, 48, {0, 1, 2, 3, 4, 5, 6}, 5);
    const Folder folder(adapter, adapter_config(48, 48));
    const auto ids = some_ids(60);
    const Program edge = compile(graph, {.config = "edge", .format = format, .lora = 48}).program, nano = compile(graph, {.config = "nano", .format = format, .lora = 48}).program;
    Session e(edge, "model"), n(nano, "model");
    e.load_adapter(pack_adapter(edge, folder.path));
    n.load_adapter(pack_adapter(nano, folder.path));
    const auto a = e.feed_all(ids);
    CHECK(same_bits(a, n.feed_all(ids)));
    CHECK(error(a, expected_rows(merged(graph, h, adapter, 1), ids)) < (std::string(format) == "mxfp4" ? 0.45 : 0.05));
  }
}

namespace {

struct Kind {
  const char* name;
  LlamaHyper hyper;
  std::vector<int> modules;
  double bound;
};

// Without gates, with norms behind, attention beside the feed-forward, biases at the slots' sides; experts in all layers or in some.
std::vector<Kind> kinds() {
  const auto of = [](auto&& change) {
    LlamaHyper h = kShape;
    h.head_dim = 0, h.layers = 3;
    change(h);
    return h;
  };
  const std::vector<int> all = {0, 1, 2, 3, 4, 5, 6}, no_gate = {0, 1, 2, 3, 5, 6};
  const auto gpt2 = of([](LlamaHyper& h) {
    h.layer_norm = h.positions = h.qkv_bias = h.output_bias = h.ffn_bias = true, h.gated = false, h.activation = ir::Activation::gelu_tanh;
  });
  const auto phi = of([](LlamaHyper& h) {
    h.layer_norm = h.parallel = h.qkv_bias = h.output_bias = h.ffn_bias = h.head_bias = true, h.gated = false, h.activation = ir::Activation::gelu_tanh, h.rotary_dims = 8;
  });
  const auto gemma2 = of([](LlamaHyper& h) { h.post_norm = true, h.score_cap = 5, h.logit_cap = 6, h.window = 9, h.sliding = {true, false, true}, h.activation = ir::Activation::gelu_tanh; });
  const auto gemma3 = of([](LlamaHyper& h) { h.post_norm = h.qk_norm = true, h.sliding_theta = 30, h.window = 4096, h.sliding = {true, true, false}; });
  const auto gptoss = of([](LlamaHyper& h) {
    h.qkv_bias = h.output_bias = h.sinks = h.expert_bias = true, h.mixture = {.experts = 5, .top = 2, .limit = 7, .alpha = 1.702f}, h.window = 9, h.sliding = {true, false, true};
  });
  const auto qwen2_moe = of([](LlamaHyper& h) {
    h.qkv_bias = true, h.mixture = {.experts = 5, .top = 2, .over_chosen = false}, h.expert_ffn = 64, h.shared_ffn = 128, h.shared_gate = true, h.dense = {true, false, true};
  });
  return {{"gpt2", gpt2, no_gate, 0.04}, {"phi", phi, no_gate, 0.04}, {"gemma2", gemma2, all, 0.05}, {"gemma3", gemma3, all, 0.05}, {"gpt-oss", gptoss, {0, 1, 2, 3}, 0.15},
          {"qwen2_moe", qwen2_moe, all, 0.15}};
}

}  // namespace

TEST_CASE("lora: decoders of other kinds, each like its merged fp32 decoder, none has the bits of a program without a place, engines are in order") {
  const auto ids = some_ids(30);
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    const ir::Graph graph = import::synthetic_llama(kind.hyper, 9);
    const Adapter adapter = random_adapter(kind.hyper, 5, kind.modules, 3);
    const Folder folder(adapter, adapter_config(5, 7.5));
    const auto expected = expected_rows(merged(graph, kind.hyper, adapter, 1.5f), ids);
    for (const char* format : {"int8", "int8c"}) {
      CAPTURE(format);
      const Program edge = compile(graph, {.config = "edge", .format = format, .lora = 8}).program, nano = compile(graph, {.config = "nano", .format = format, .lora = 8}).program;
      Session e(edge, "model"), n(nano, "model"), plain(compile(graph, {.config = "edge", .format = format}).program, "model");
      CHECK(same_bits(e.feed_all(ids), plain.feed_all(ids)));
      e.load_adapter(pack_adapter(edge, folder.path));
      n.load_adapter(pack_adapter(nano, folder.path));
      const auto a = e.feed_all(ids);
      CHECK(same_bits(a, n.feed_all(ids)));
      CHECK(error(a, expected) < kind.bound);
      e.reset();
      e.limit_rows(4);
      CHECK(same_bits(a, e.feed_all(ids)));
      for (const std::uint32_t with : {0u, 1u}) check_order(nano, with);
    }
    CHECK(error(expected_rows(graph, ids), expected) > 0.1);
  }
}

TEST_CASE("lora: gpt2's and phi's names for their matrices, a gate or a feed-forward where there is none is refused") {
  const std::vector<Kind> all = kinds();
  const auto pack = [](const Kind& kind, const Adapter& adapter, const char* prefix = "base_model.model.model.") {
    const Folder folder(adapter, adapter_config(4, 4), prefix);
    return pack_adapter(compile(import::synthetic_llama(kind.hyper, 9), {.config = "nano", .lora = 8}).program, folder.path);
  };
  const auto renamed = [](const Adapter& from, const std::string& layers, const std::map<std::string, std::string>& names) {
    Adapter to;
    for (const auto& [name, values] : from) {
      const auto dot = name.find('.', 7), end = name.rfind('.');
      to[layers + name.substr(7, dot - 6) + names.at(name.substr(dot + 1, end - dot - 1)) + name.substr(end)] = values;
    }
    return to;
  };
  const Adapter fused = random_adapter(all[0].hyper, 4, {3, 5, 6, 7}, 1), phi = random_adapter(all[1].hyper, 4, {0, 3, 5, 6}, 2);
  CHECK(pack(all[0], renamed(fused, "h.", {{"self_attn.qkv_proj", "attn.c_attn"}, {"self_attn.o_proj", "attn.c_proj"}, {"mlp.up_proj", "mlp.c_fc"}, {"mlp.down_proj", "mlp.c_proj"}}),
             "base_model.model.transformer.") == pack(all[0], fused));
  CHECK(pack(all[1], renamed(phi, "layers.", {{"self_attn.q_proj", "self_attn.q_proj"}, {"self_attn.o_proj", "self_attn.dense"}, {"mlp.up_proj", "mlp.fc1"}, {"mlp.down_proj", "mlp.fc2"}})) ==
        pack(all[1], phi));
  CHECK_THROWS_WITH_AS(pack(all[0], random_adapter(all[0].hyper, 4, {4}, 1)), doctest::Contains("mlp.gate_proj.lora_A.weight, found a gate, expected none"), Error);
  LlamaHyper dense = all[5].hyper;
  dense.mixture = {}, dense.dense = {};
  CHECK_THROWS_WITH_AS(pack(all[5], random_adapter(dense, 4, {6}, 1)), doctest::Contains("found a feed-forward's, expected attention's in layer 1, which has experts"), Error);
}

TEST_CASE("lora: without an adapter the bits of a program without a place for one, swapped and dropped without loading the base again") {
  const ir::Graph graph = import::synthetic_llama(kShape, 9);
  const auto ids = some_ids(30);
  const Program program = compile(graph, {.config = "edge", .lora = 16}).program;
  Session plain(compile(graph, {.config = "edge"}).program, "model"), session(program, "model");
  const auto without = plain.feed_all(ids);
  CHECK(same_bits(session.feed_all(ids), without));
  const Folder first(random_adapter(kShape, 4, {0, 2, 6}, 1), adapter_config(4, 8)), second(random_adapter(kShape, 16, {1, 3, 4, 5}, 2), adapter_config(16, 16));
  const auto one = pack_adapter(program, first.path), two = pack_adapter(program, second.path);
  CHECK(one.size() < program.window_bytes[0]);
  session.load_adapter(one);
  CHECK(session.position() == 0);
  const auto a = session.feed_all(ids);
  session.load_adapter(two);
  const auto b = session.feed_all(ids);
  CHECK_FALSE(same_bits(a, b));
  session.load_adapter(one);
  CHECK(same_bits(session.feed_all(ids), a));
  session.drop_adapter();
  CHECK(same_bits(session.feed_all(ids), without));
  CHECK_THROWS_WITH_AS(plain.load_adapter(one), doctest::Contains("--lora RANK"), Error);
  CHECK_THROWS_WITH_AS(session.load_adapter(std::span(one).first(10)), doctest::Contains("10 bytes"), Error);
  // In a batch.
  const Program several = compile(graph, {.config = "edge", .sequences = 2, .lora = 16}).program;
  BatchSession batch(several, "model");
  batch.load_adapter(pack_adapter(several, first.path));
  const int x = batch.add(), y = batch.add();
  const auto logits = batch.step({{x, {ids.begin(), ids.begin() + 5}}, {y, {ids.begin(), ids.begin() + 1}}});
  CHECK(same_bits(logits[0], std::span(a).subspan(400, 100)));
  CHECK(same_bits(logits[1], std::span(a).first(100)));
  CHECK_THROWS_WITH_AS(batch.drop_adapter(), doctest::Contains("sequences while the adapter changes"), Error);
}

TEST_CASE("lora: what does not fit is refused by name") {
  const ir::Graph graph = import::synthetic_llama(kShape, 9);
  const Program program = compile(graph, {.config = "nano", .lora = 8}).program;
  const Adapter good = random_adapter(kShape, 4, {0}, 1);
  const auto refusal = [&](const Adapter& adapter, const Json& config) {
    const Folder folder(adapter, config);
    try {
      (void)pack_adapter(program, folder.path);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  const auto with = [&](const char* key, const Json& value) {
    Json c = adapter_config(4, 8);
    c[key] = value;
    return c;
  };
  CHECK(refusal(good, adapter_config(4, 8)) == "accepted");
  CHECK(refusal(good, adapter_config(64, 8)).find("rank, found 64, expected at most 32") != std::string::npos);
  CHECK(refusal(good, adapter_config(3, 8)).find("shape of base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight, found 4 x 64, expected 3 x 64") != std::string::npos);
  CHECK(refusal(good, with("peft_type", "IA3")).find("peft_type, found IA3") != std::string::npos);
  CHECK(refusal(good, with("use_dora", true)).find("use_dora") != std::string::npos);
  CHECK(refusal(good, with("bias", "all")).find("bias, found all") != std::string::npos);
  CHECK(refusal(good, with("rank_pattern", {{"q_proj", 2}})).find("rank_pattern") != std::string::npos);
  CHECK(refusal({}, adapter_config(4, 8)).find("tensors, found none") != std::string::npos);
  Adapter other = good;
  other["layers.0.self_attn.qk_proj.lora_A"] = {1, 1, {0}};
  CHECK(refusal(other, adapter_config(4, 8)).find("layers.0.self_attn.qk_proj.lora_A.weight, found no place for it") != std::string::npos);
  other = good;
  other["layers.9.self_attn.q_proj.lora_A"] = good.at("layers.0.self_attn.q_proj.lora_A");
  CHECK(refusal(other, adapter_config(4, 8)).find("found layer 9, expected 0 to 1") != std::string::npos);
  other = good;
  other.erase("layers.1.self_attn.q_proj.lora_B");
  CHECK(refusal(other, adapter_config(4, 8)).find("layer 1 self_attn.q_proj, found lora_A alone") != std::string::npos);
  other = good;
  other.begin()->second.v.front() = NAN;
  CHECK(refusal(other, adapter_config(4, 8)).find("lora_A.weight") != std::string::npos);
  CHECK_THROWS_WITH_AS(pack_adapter(compile(graph, {.config = "nano"}).program, "."), doctest::Contains("--lora RANK"), Error);
  CHECK_THROWS_WITH_AS(compile(graph, {.config = "nano", .lora = 300}), doctest::Contains("rank of adapters"), Error);
}

TEST_CASE("lora: the RTL has the model's bits, and without an adapter nearly the cycles of a program that takes none") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  const ir::Graph graph = import::synthetic_llama(kShape, 9);
  const Program program = compile(graph, {.config = "nano", .lora = 8}).program;
  Session rtl(program, "rtl"), model(program, "model"), plain(compile(graph, {.config = "nano"}).program, "rtl");
  const auto ids = some_ids(5);
  CHECK(same_bits(rtl.feed(ids), plain.feed(ids)));
  const auto cycles = [](const Session& s) { return static_cast<double>(s.steps().back().record[spec::Counter::cycles]); };
  MESSAGE("without an adapter ", cycles(rtl), " cycles, a program that takes none ", cycles(plain));
  CHECK(cycles(rtl) < 1.06 * cycles(plain));
  const Folder folder(random_adapter(kShape, 4, {0, 1, 2, 3, 4, 5, 6}, 1), adapter_config(4, 8));
  for (Session* s : {&rtl, &model}) s->load_adapter(pack_adapter(program, folder.path));
  CHECK(same_bits(rtl.feed(ids), model.feed(ids)));
  CHECK(rtl.kv_cache() == model.kv_cache());
  MESSAGE("with one ", cycles(rtl));
  for (const Kind& kind : kinds()) {
    const std::string name = kind.name;
    if (name != "gpt2" && name != "gemma2" && name != "qwen2_moe") continue;
    CAPTURE(name);
    const Program other = compile(import::synthetic_llama(kind.hyper, 9), {.config = "nano", .lora = 8}).program;
    const Folder values(random_adapter(kind.hyper, 4, kind.modules, 1), adapter_config(4, 8));
    Session a(other, "rtl"), b(other, "model");
    for (Session* s : {&a, &b}) s->load_adapter(pack_adapter(other, values.path));
    CHECK(same_bits(a.feed(std::span(ids).first(3)), b.feed(std::span(ids).first(3))));
    CHECK(a.kv_cache() == b.kv_cache());
  }
}
