// Tiny random encoders as PyTorch and transformers save and compute them (golden/make_tiny_encoders.py): the meaning in double, then the machine.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "encoder/check.hpp"
#include "encoder/compile.hpp"
#include "encoder/reference.hpp"
#include "encoder_session.hpp"
#include "import/encoder_hf.hpp"
#include "onnx/npy.hpp"
#include "shared.hpp"

using namespace jogak;
using nlohmann::json;
using tests::error;

namespace {

const std::filesystem::path kFolder = "tests/models/golden";

struct Case {
  const char *folder, *tower, *layers, *result;  // arrays of the golden file; no result: the last layer's rows
  double bound;                                  // of the machine's error; rows are short here, so roundings to int8 show
};
constexpr Case kCases[] = {{"bert_classes", "", "layers", "logits", 0.04}, {"bert_plain", "", "layers", "", 0.04}, {"bert_plain/model.gguf", "", "layers", "", 0.04}, {"vit_random", "", "layers", "logits", 0.08},
                           {"clip", "vision", "vision_layers", "image", 0.04}, {"clip", "text", "text_layers", "text", 0.04}};

std::vector<float> mean_of(const std::vector<float>& rows, std::size_t width) {
  std::vector<double> sum(width);
  for (std::size_t i = 0; i < rows.size(); ++i) sum[i % width] += static_cast<double>(rows[i]) * static_cast<double>(width) / static_cast<double>(rows.size());
  return {sum.begin(), sum.end()};
}

struct Golden {
  EncoderInput input;
  std::vector<std::vector<float>> layers;
  std::vector<float> result;

  explicit Golden(const Case& c) {
    const auto arrays = onnx::read_arrays(kFolder / std::string(c.folder).substr(0, std::string(c.folder).find('/')) / "golden.npz");
    const auto ints = [&](const char* name) {
      const auto x = arrays.at(name).integers();
      return std::vector<std::int32_t>(x.begin(), x.end());
    };
    const bool image = arrays.contains("pixel_values") && std::string(c.tower) != "text";
    if (image) input.pixels = arrays.at("pixel_values").floats();
    else input.ids = ints("input_ids");
    if (arrays.contains("token_type_ids")) input.types = ints("token_type_ids");
    const auto all = arrays.at(c.layers).floats();
    const auto count = static_cast<std::size_t>(arrays.at(c.layers).shape.at(1)), each = all.size() / count;
    for (std::size_t l = 0; l < count; ++l)
      layers.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(l * each), all.begin() + static_cast<std::ptrdiff_t>((l + 1) * each));
    result = *c.result != 0 ? arrays.at(c.result).floats() : layers.back();
    if (std::string(c.folder).ends_with(".gguf")) result = mean_of(result, layers.back().size() / input.ids.size());  // as its pooling type says
  }
};

encoder::Encoder read(const Case& c) { return import::read_encoder(kFolder / c.folder, {}, c.tower); }

encoder::Encoder first_layers(encoder::Encoder e, std::size_t count) {
  e.layers.resize(count);
  e.head = {};
  return e;
}

std::vector<float> meaning(const encoder::Encoder& model, const EncoderInput& in) {
  const auto y = encoder::reference(model, {.ids = {in.ids.begin(), in.ids.end()}, .types = {in.types.begin(), in.types.end()}, .pixels = in.pixels});
  return {y.begin(), y.end()};
}

// The same bits whatever the memories held before, in any order of the engines that semaphores allow.
void check_races(const Program& p, const encoder::Encoder& model, const EncoderInput& in, const EncoderSession& session, const EncoderResult& r) {
  std::map<std::string, encoder::Bytes> inputs;
  if (!in.pixels.empty()) inputs["input/pixel_values"] = encoder::bytes(in.pixels);
  if (!in.ids.empty()) inputs["input/input_ids"] = encoder::bytes(in.ids);
  if (model.embedding.type_count > 0)
    inputs["input/token_type_ids"] = encoder::bytes(in.types.empty() ? std::vector<std::int32_t>(in.ids.size()) : in.types);
  const auto rows = static_cast<std::uint32_t>(in.pixels.empty() ? in.ids.size() : session.context());
  const auto found = encoder::checked_run(p, rows, inputs, "output/" + session.output());
  CHECK(std::memcmp(found.data(), r.values.data(), r.columns * 4) == 0);
}

// A copy of a golden folder with another configuration; gone with its object.
struct Copy {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("jogak_encoder_" + std::to_string(::getpid()));
  template <class Edit>
  Copy(const std::string& of, const Edit& edit) {
    std::filesystem::create_directories(path);
    std::filesystem::copy(kFolder / of, path, std::filesystem::copy_options::recursive);
    json config = tests::read_json(path / "config.json");
    edit(config);
    std::ofstream(path / "config.json") << config.dump();
  }
  ~Copy() { std::filesystem::remove_all(path); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
};

}  // namespace

TEST_CASE("golden encoders: every layer and the result of the meaning in double within 1e-4 of the reference") {
  for (const Case& c : kCases) {
    CAPTURE(std::string(c.folder) + " " + c.tower);
    const Golden g(c);
    const encoder::Encoder model = read(c);
    REQUIRE(model.layers.size() == g.layers.size());
    for (std::size_t l = 0; l < g.layers.size(); ++l) CHECK(error(meaning(first_layers(model, l + 1), g.input), g.layers[l]) < 1e-4);
    CHECK(error(meaning(model, g.input), g.result) < 1e-4);
  }
}

TEST_CASE("golden encoders: the machine within its bound of the reference, layer by layer, no race, the same bits on nano and edge") {
  for (const Case& c : kCases) {
    CAPTURE(std::string(c.folder) + " " + c.tower);
    const Golden g(c);
    const encoder::Encoder model = read(c);
    std::vector<float> other;
    for (const char* config : {"edge", "nano"}) {
      const Program p = encoder::compile(model, config);
      EncoderSession session(p, "model");
      const EncoderResult r = session.run(g.input);
      INFO(config << ": error " << error(r.values, g.result));
      CHECK(error(r.values, g.result) <= c.bound);
      if (!other.empty()) CHECK(other == r.values);
      other = r.values;
      check_races(p, model, g.input, session, r);
    }
    if (model.norm_first) continue;  // whose rows leave the machine through a head only
    for (std::size_t l = 0; l < g.layers.size(); ++l) {
      EncoderSession session(encoder::compile(first_layers(model, l + 1), "nano"), "model");
      CHECK(error(session.run(g.input).values, g.layers[l]) <= c.bound);
    }
  }
}

TEST_CASE("golden encoders on the RTL, nano: the model's bits and counters") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  for (const std::size_t i : {2u, 4u, 5u}) {  // bert from GGUF, both towers of clip
    const Case& c = kCases[i];
    CAPTURE(std::string(c.folder) + " " + c.tower);
    const Golden g(c);
    const Program p = encoder::compile(read(c), "nano");
    EncoderSession rtl(p, "rtl"), model(p, "model");
    CHECK(rtl.run(g.input).values == model.run(g.input).values);
    for (const spec::CounterInfo& counter : spec::counters) {
      CAPTURE(counter.name);
      if (counter.exact) CHECK(rtl.record().counters[counter.index] == model.record().counters[counter.index]);
    }
  }
}

TEST_CASE("encoders: a shorter context, texts of other lengths, refusals by name") {
  const Golden g(kCases[0]);
  auto model = read(kCases[0]);
  encoder::shorten(model, 43);
  CHECK(error(EncoderSession(encoder::compile(model, "nano"), "model").run(g.input).values, g.result) <= kCases[0].bound);
  encoder::shorten(model, 42);
  EncoderSession session(encoder::compile(model, "nano"), "model");
  CHECK_THROWS_WITH_AS((void)session.run(g.input), "session: text, found 43 tokens, expected 1 to 42", Error);
  const auto text = read(kCases[5]);
  EncoderSession words(encoder::compile(text, "nano"), "model");
  for (const std::size_t tokens : {1, 77}) {
    EncoderInput in;
    for (std::size_t i = 0; i < tokens; ++i) in.ids.push_back(static_cast<std::int32_t>(i * 7 % 50));
    CHECK(error(words.run(in).values, meaning(text, in)) <= kCases[5].bound);
  }
  CHECK_THROWS_WITH_AS((void)import::read_encoder(kFolder / "clip", {}), "compile: tower of a clip model, found none, expected text or vision", Error);
  CHECK_THROWS_WITH_AS((void)import::read_encoder(kFolder / "bert_plain/model.gguf", {}, "text"), "compile: tower, found text, expected none: this model has one", Error);
  const auto refusal = [](const auto& edit) {
    const Copy copy("bert_plain", edit);
    try {
      (void)import::read_encoder(copy.path, {});
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(refusal([](json& j) { j["num_hidden_layers"] = 1; }) ==
        "model: tensor encoder.layer.1.attention.output.LayerNorm.bias, found one without a place in this encoder, expected no such tensor");
  CHECK(refusal([](json& j) { j["position_embedding_type"] = "relative_key"; }).find("absolute") != std::string::npos);
}
