// Mixtures of experts: which experts the machine takes, what it reads for them, and that neither rows nor windows nor passes change a bit.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <unistd.h>

#include "float_llama.hpp"
#include "import/hf.hpp"
#include "import/synthetic.hpp"
#include "memory_plan.hpp"
#include "onnx/npy.hpp"
#include "shared.hpp"
#include "sim/model/machine.hpp"

using namespace jogak;
using namespace jogak::tests;

namespace {

const std::filesystem::path kFolder = "tests/models/golden";
using Choice = std::vector<std::vector<int>>;  // by layer

import::LlamaHyper mixture(int experts, int top) {
  return {.layers = 3, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 96, .context = 64, .vocab = 100, .qkv_bias = true, .output_bias = true, .sinks = true,
          .mixture = {.experts = experts, .top = top, .limit = 7, .alpha = 1.702f}, .expert_bias = true};
}

std::vector<int> few_ids(std::size_t count) {
  std::vector<int> ids;
  while (ids.size() < count) ids.push_back(static_cast<int>((1 + ids.size() * 37) % 100));
  return ids;
}

// The experts of each token, fed one by one, in those layers that have some (0: all).
std::vector<Choice> choices(Session& s, const std::vector<int>& ids, std::size_t layers = 0) {
  if (layers == 0) layers = static_cast<std::size_t>(s.model().layers);
  std::vector<Choice> all;
  for (const int id : ids) {
    (void)s.feed(std::span(&id, 1));
    const std::vector<int> flat = s.experts();
    const auto top = flat.size() / layers;
    Choice c;
    for (std::size_t l = 0; l < layers; ++l) c.emplace_back(flat.begin() + static_cast<std::ptrdiff_t>(l * top), flat.begin() + static_cast<std::ptrdiff_t>((l + 1) * top));
    all.push_back(c);
  }
  return all;
}

std::vector<int> sorted(std::vector<int> list) {
  std::sort(list.begin(), list.end());
  return list;
}

struct Agreement {
  int compared = 0, same = 0;
};

// A choice counts where every layer before it chose the same, and the reference's chosen and left logits lie `gap` apart.
Agreement agree(const std::vector<Choice>& found, const std::vector<Choice>& expected, const std::vector<std::vector<double>>& gaps, double gap) {
  Agreement a;
  for (std::size_t t = 0; t < expected.size(); ++t) {
    for (std::size_t l = 0; l < expected[t].size(); ++l) {
      const bool same = sorted(found[t][l]) == sorted(expected[t][l]);
      if (gaps[t][l] > gap) ++a.compared, a.same += same;
      if (!same) break;
    }
  }
  return a;
}

// What the golden tokens take, and by how much.
struct Routes {
  std::vector<int> ids;
  std::vector<Choice> experts;
  std::vector<std::vector<double>> gaps;
  explicit Routes(const std::string& model) {
    const auto arrays = onnx::read_arrays(kFolder / model / "golden.npz");
    const auto all = arrays.at("experts").floats(), apart = arrays.at("gaps").floats(), tokens = arrays.at("ids").floats();
    ids.assign(tokens.begin(), tokens.end());
    const auto layers = static_cast<std::size_t>(arrays.at("gaps").shape.at(1)), top = all.size() / apart.size();
    for (std::size_t t = 0; t < ids.size(); ++t) {
      experts.emplace_back(), gaps.emplace_back();
      for (std::size_t l = t * layers; l < (t + 1) * layers; ++l) {
        experts.back().emplace_back(all.begin() + static_cast<std::ptrdiff_t>(l * top), all.begin() + static_cast<std::ptrdiff_t>((l + 1) * top));
        gaps.back().push_back(static_cast<double>(apart[l]));
      }
    }
  }
};

}  // namespace

TEST_CASE("experts: the reference decoder and the machine choose those of an independent implementation") {
  for (const char* model : {"qwen3_moe", "qwen3_moe/model.gguf", "qwen3_moe_all", "qwen3_moe_some", "qwen3_moe_some/model.gguf", "qwen2_moe", "qwen2_moe/model.gguf", "qwen2_moe_all",
                            "gpt_oss", "gpt_oss/model.gguf"}) {
    CAPTURE(model);
    const Routes golden(std::string(model).substr(0, std::string(model).find('/')));
    const std::vector<int>& ids = golden.ids;
    const std::vector<Choice>& expected = golden.experts;
    const ir::Graph graph = import::read_model(kFolder / model);
    FloatLlama decoder(graph);
    for (std::size_t t = 0; t < ids.size(); ++t) {
      (void)decoder.step(ids[t]);
      std::size_t next = 0;
      for (const ir::Node& n : graph.nodes) {
        if (n.op != ir::Op::experts) continue;
        const auto& c = decoder.chosen(n.layer);
        CHECK(std::vector<int>(c.begin(), c.end()) == expected[t].at(next++));
      }
      CHECK(next == expected[t].size());
    }
    Session s(compile(graph, {.config = "nano"}).program, "model");
    const Agreement a = agree(choices(s, ids, expected.front().size()), expected, golden.gaps, graph.layers > 2 ? 1.1 : 0.7);  // errors grow with the layers
    CHECK(a.same == a.compared);
    CHECK(a.compared >= 30);
  }
}

TEST_CASE("experts: equal logits go to the lower index, negative ones are ordered too") {
  const import::LlamaHyper h = mixture(6, 3);
  ir::Graph graph = import::synthetic_llama(h, 3);
  const float bias[6] = {-5, -2, -4, -2, -3, -2};  // the router's matrix is zero: these are its logits
  for (ir::Tensor& t : graph.tensors) {
    if (t.name.ends_with("ffn_gate_inp.weight")) std::fill_n(t.data.data(), t.data.size(), std::byte{0});
    if (t.name.ends_with("ffn_gate_inp.bias")) std::memcpy(t.data.data(), bias, sizeof bias);
  }
  Session s(compile(graph, {.config = "nano"}).program, "model");
  for (const Choice& c : choices(s, few_ids(3)))
    for (const auto& layer : c) CHECK(layer == std::vector<int>{1, 3, 5});
}

TEST_CASE("experts: only the chosen ones are read, k of E") {
  for (const char* config : {"nano", "edge"}) {
    CAPTURE(config);
    std::vector<std::uint64_t> bytes;
    std::uint64_t expert = 0, all = 0;
    for (const int top : {1, 2, 4}) {
      const Program p = compile(import::synthetic_llama(mixture(8, top), 3), {.config = config}).program;
      expert = nlohmann::json::parse(p.abi).at("experts").at("bytes");
      all = p.window_bytes[3];
      Session s(p, "model");
      (void)s.feed(std::vector<int>{5});
      bytes.push_back(s.steps().back().record[spec::Counter::load_bytes]);
    }
    CHECK(all == 3 * 8 * expert);
    // Another expert in each of three layers; slots are padded to 64 bytes in DRAM, which are not read.
    CHECK(bytes[2] - bytes[1] == 2 * (bytes[1] - bytes[0]));
    const double read = static_cast<double>(bytes[1] - bytes[0]) / 3;
    CHECK(read <= static_cast<double>(expert));
    CHECK(read > 0.97 * static_cast<double>(expert));
  }
}

TEST_CASE("experts: rows of a launch, configurations, windows and passes change no bit") {
  for (const bool whole : {false, true}) {
    import::LlamaHyper h = mixture(7, 3);
    if (!whole) h.window = 8, h.sliding = {true, false, true}, h.scaling = {.kind = import::RopeScaling::Kind::yarn, .factor = 8, .original = 32};
    const ir::Graph graph = import::synthetic_llama(h, 11);
    const auto ids = few_ids(21);
    const auto run = [&](CompileOptions options, int rows) {
      Session s(compile(graph, options).program, "model");
      if (rows > 0) s.limit_rows(rows);
      return s.feed_all(ids);
    };
    const auto expected = run({.config = "nano"}, 1);
    FloatLlama decoder(graph);
    std::vector<float> exact;
    for (const int id : ids) {
      const auto row = decoder.step(id);
      exact.insert(exact.end(), row.begin(), row.end());
    }
    CHECK(error(expected, exact) < 0.1);
    const auto same = [&](const std::vector<float>& found) {
      REQUIRE(found.size() == expected.size());
      CHECK(std::memcmp(found.data(), expected.data(), expected.size() * 4) == 0);
    };
    same(run({.config = "nano"}, 0));
    same(run({.config = "nano"}, 5));
    same(run({.config = "edge"}, 0));
    same(run({.config = "nano", .disabled = {"weight-ring", "double-kv", "double-output", "hoist"}}, 0));
    const std::uint64_t layer = nlohmann::json::parse(compile(graph, {.config = "nano"}).program.abi).at("experts").at("bytes").get<std::uint64_t>() * 7;
    const Program apart = compile(graph, {.config = "nano", .expert_window = 2 * layer + 5}).program;
    CHECK(apart.window_bytes[3] == 2 * layer);
    CHECK(apart.window_bytes[4] == layer);
    same(run({.config = "nano", .expert_window = 2 * layer + 5}, 0));
    same(run({.config = "nano", .expert_window = layer}, 4));
  }
}

// The shape of Qwen3-30B-A3B's mixture: as many keys as there can be, seven bits of index in them.
TEST_CASE("experts: 8 of 128, softmax of all, on both configurations") {
  const import::LlamaHyper h{.layers = 2, .width = 64, .heads = 4, .kv_heads = 2, .ffn = 32, .context = 64, .vocab = 100, .head_dim = 32, .qk_norm = true,
                             .mixture = {.experts = 128, .top = 8, .over_chosen = false}};
  const ir::Graph graph = import::synthetic_llama(h, 4);
  const auto ids = few_ids(9);
  FloatLlama decoder(graph);
  std::vector<float> exact;
  std::vector<Choice> expected;
  for (const int id : ids) {
    const auto row = decoder.step(id);
    exact.insert(exact.end(), row.begin(), row.end());
    expected.emplace_back();
    for (const int l : {0, 1}) expected.back().emplace_back(decoder.chosen(l).begin(), decoder.chosen(l).end());
  }
  Session nano(compile(graph, {.config = "nano"}).program, "model"), edge(compile(graph, {.config = "edge"}).program, "model");
  const auto a = nano.feed_all(ids), b = edge.feed_all(ids);
  CHECK(std::memcmp(a.data(), b.data(), a.size() * 4) == 0);
  CHECK(error(a, exact) < 0.05);
  nano.reset();
  const auto found = choices(nano, ids);
  int shared = 0;  // among 128 some lie close: most must be the same
  for (std::size_t t = 0; t < ids.size(); ++t)
    for (const std::size_t l : {0u, 1u})
      for (const int e : found[t][l]) shared += std::count(expected[t][l].begin(), expected[t][l].end(), e) > 0;
  CHECK(shared >= 9 * 2 * 8 * 0.9);
}

TEST_CASE("experts: no two engines touch the same memory without order") {
  for (const bool over_chosen : {true, false}) {
    import::LlamaHyper h = mixture(5, 2);
    h.mixture.over_chosen = over_chosen;
    const Program p = compile(import::synthetic_llama(h, 3), {.config = "nano"}).program;
    const spec::Config& config = *spec::find_config("nano");
    model::Machine machine(config, {.check = true});
    model::Launch launch{.code = p.code, .args = {0, 5, 0, 5}};
    std::uint64_t at = 0;
    std::vector<std::uint64_t> base;
    for (const std::uint64_t size : p.window_bytes) base.push_back(at), at += (size + 4095) / 4096 * 4096;
    std::vector<std::uint8_t> dram(at);
    for (const Segment& s : p.segments) {
      const auto bytes = s.all();
      std::copy(bytes.begin(), bytes.end(), dram.begin() + static_cast<std::ptrdiff_t>(base[s.window] + s.offset));
    }
    machine.dram().attach(0, dram);
    for (std::size_t w = 0; w < base.size(); ++w)
      launch.windows[w] = {.base = base[w], .size = static_cast<std::uint32_t>(p.window_bytes[w]), .readable = true, .writable = w == 1 || w == 2};
    CHECK(machine.launch(launch).ok());
    for (const std::string& v : machine.violations()) FAIL_CHECK(v);
  }
}

TEST_CASE("experts: the plan of a config.json is that of the program") {
  for (const char* model : {"gpt_oss", "qwen3_moe", "llama"}) {
    CAPTURE(model);
    for (const char* format : {"int8", "int8c", "mxfp4"}) {
      const CompileOptions options{.config = "nano", .context = 64, .format = format};
      const Program p = compiled(kFolder / model, options);
      const MemoryPlan plan = plan_memory(import::read_hf_shape(kFolder / model / "config.json"), options);
      std::uint64_t regions = 0;
      for (std::size_t w = 0; w < p.window_bytes.size(); ++w) CHECK((w < plan.windows.size() ? plan.windows[w] : 0) == p.window_bytes[w]);
      for (const MemoryRegion& r : plan.regions) regions += r.bytes;
      CHECK(regions == plan.bytes());
      CHECK(plan.text().find(std::to_string(plan.bytes()) + "  in all") != std::string::npos);
    }
  }
}

// Windows are reached by 32-bit offsets: three of them hold 24 layers of experts.
TEST_CASE("experts: gpt-oss-20b with 8192 tokens of context fits 16 GB, every window below 4 GiB") {
  const MemoryPlan p = plan_memory(import::gptoss_20b(), {.config = "edge", .context = 8192, .format = "int8c"});
  CHECK(p.bytes() < 16'000'000'000u);
  CHECK(p.bytes() > 12'000'000'000u);
  REQUIRE(p.windows.size() == 6);
  for (const std::uint64_t bytes : p.windows) CHECK(bytes <= 0xffffffffu);
}

TEST_CASE("experts: what a plan cannot place is refused") {
  const auto refused = [](const import::LlamaHyper& h, const CompileOptions& options) {
    return refusal([&] { (void)compile(import::synthetic_llama(h, 3), options); });
  };
  CHECK(refused(mixture(8, 2), {.config = "nano", .expert_window = 1000}).find("experts of 3 layers, found ") != std::string::npos);
  CHECK(refused(mixture(16, 9), {.config = "nano"}).find("experts, found 9 of 16 for a token, expected 1 to 8") != std::string::npos);
  CHECK(refused(mixture(8, 2), {.config = "nano", .format_of = {"ffn_gate_inp=int8c"}}).find("format of the router in layer 0, found int8c") != std::string::npos);
}

namespace {

constexpr double kTrainedBound = 0.03;

// The trained model has a list of letters, no tokenizer.json.
std::filesystem::path with_tokenizer(const std::filesystem::path& model) {
  const auto folder = std::filesystem::temp_directory_path() / ("jogak_experts_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  for (const char* file : {"config.json", "model.safetensors"}) std::filesystem::create_symlink(std::filesystem::absolute(model / file), folder / file);
  nlohmann::json vocab = nlohmann::json::object();
  const std::vector<std::string> letters = read_json(model / "vocab.json");
  for (std::size_t i = 0; i < letters.size(); ++i) vocab[letters[i] == "\n" ? "\u010a" : letters[i] == " " ? "\u0120" : letters[i]] = i;
  const nlohmann::json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  std::ofstream(folder / "tokenizer.json") << nlohmann::json{{"added_tokens", nlohmann::json::array()}, {"pre_tokenizer", level}, {"decoder", level},
                                                             {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", nlohmann::json::array()}}}};
  return folder;
}

}  // namespace

// 200 tokens, golden logits of 64 of them. Bounds: measured, with room for a third more.
TEST_CASE("experts: a trained gpt-oss model, logits and choices of its quantised reference") {
  const auto path = shared_model("trained/gptoss_tiny");
  if (path.empty()) return;
  const auto folder = with_tokenizer(path);
  const ir::Graph graph = import::read_model(folder);
  std::filesystem::remove_all(folder);
  const auto json = read_json(path / "golden.json").at("model.safetensors");
  std::vector<int> ids = json.at("prompt_ids");
  const std::size_t prompt = ids.size();
  for (const int id : json.at("greedy_ids")) ids.push_back(id);
  const auto golden = onnx::read_arrays(path / "golden_mxfp4.npz");
  const auto logits = golden.at("logits").floats();
  const auto route = golden.at("route").integers();
  const auto vocab = static_cast<std::size_t>(graph.vocab), layers = static_cast<std::size_t>(graph.layers);
  const auto of_golden = [&](const std::vector<float>& all) { return std::span(all).subspan((prompt - 1) * vocab, 64 * vocab); };
  REQUIRE(logits.size() == 64 * vocab);

  FloatLlama decoder(graph);
  std::vector<float> exact;
  std::vector<Choice> expected;
  std::vector<std::vector<double>> gaps;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const auto row = decoder.step(ids[t]);
    exact.insert(exact.end(), row.begin(), row.end());
    expected.emplace_back(), gaps.emplace_back();
    for (std::size_t l = 0; l < layers; ++l) {
      auto router = decoder.value("blk." + std::to_string(l) + ".ffn_gate_inp");
      std::sort(router.rbegin(), router.rend());
      gaps.back().push_back(static_cast<double>(router[1] - router[2]));
      expected.back().push_back({static_cast<int>(route[(t * layers + l) * 2]), static_cast<int>(route[(t * layers + l) * 2 + 1])});
      const auto& c = decoder.chosen(static_cast<int>(l));
      if (gaps.back().back() > 1e-4) CHECK(sorted({c.begin(), c.end()}) == sorted(expected.back().back()));
    }
  }
  CHECK(error(of_golden(exact), logits) < 1e-4);

  Session s(compile(graph, {.config = "nano"}).program, "model");
  const auto found = s.feed_all(ids);
  CHECK(error(of_golden(found), logits) < kTrainedBound);
  s.reset();
  const auto chosen = choices(s, ids);
  const Agreement clear = agree(chosen, expected, gaps, 0.1), any = agree(chosen, expected, gaps, -1);
  MESSAGE("logits: error ", error(of_golden(found), logits), "; experts: ", any.same, " of ", any.compared, ", where the choice is clear ", clear.same, " of ", clear.compared);
  CHECK(clear.same == clear.compared);
  CHECK(clear.compared > 600);
  CHECK(any.same >= any.compared * 0.97);
}
