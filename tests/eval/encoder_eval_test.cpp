// Encoders in each format against themselves in fp32, and formats within a budget.
#include "tools/eval/encoders.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "encoder/compile.hpp"
#include "error.hpp"
#include "onnx/npy.hpp"

using namespace jogak;

namespace {

const std::filesystem::path kFolder = "tests/models/golden";  // tests run in the project's root

eval::ReadEncoder reader(const char* folder, const char* tower = "") {
  return [=](const import::EncoderFormats& f) { return import::read_encoder(kFolder / folder, f, tower); };
}
std::vector<eval::NamedFormats> formats(const std::vector<std::string>& names) {
  std::vector<eval::NamedFormats> all;
  for (const auto& n : names) all.push_back({n, eval::with_rules(ir::format_named(n), {})});
  return all;
}
// Digits as the model was trained: 0 .. 16 becomes -1 .. 1.
eval::Labelled digits(std::size_t count) {
  const auto arrays = onnx::read_arrays(kFolder / "vit" / "golden.npz");
  eval::Labelled d{.features = 64, .values = arrays.at("x").floats()};
  d.values.resize(count * 64);
  for (float& x : d.values) x = x / 8 - 1;
  for (const auto y : arrays.at("y").integers()) d.classes.push_back(static_cast<int>(y));
  d.classes.resize(count);
  return d;
}
// Masked letters: rows that are not masked have no class.
eval::Labelled letters(std::size_t count) {
  const auto arrays = onnx::read_arrays(kFolder / "bert" / "golden.npz");
  eval::Labelled d{.features = 64, .values = arrays.at("input_ids").floats(), .classes = {}, .each = 64};
  const auto mask = arrays.at("mask").floats(), labels = arrays.at("labels").floats();
  for (std::size_t i = 0; i < count * 64; ++i) d.classes.push_back(mask[i] == 0 ? -100 : static_cast<int>(labels[i]));
  d.values.resize(count * 64);
  return d;
}

}  // namespace

TEST_CASE("eval: a vision transformer's digits in fp32 and on the machine, the error behind each layer, the worst by name") {
  const auto data = digits(64);
  const auto r = eval::evaluate_encoder(reader("vit"), data, formats({"int8", "mxfp4"}), {.layer_examples = 8});
  REQUIRE(r.size() == 3);
  CHECK(r[0].format == "fp32");
  CHECK(r[0].judged == 64);
  CHECK(r[0].right >= 0.9);
  CHECK(r[0].error == 0);
  CHECK(r[1].same >= 0.98);
  CHECK(r[1].error < 0.02);
  CHECK(r[2].error > 2 * r[1].error);
  REQUIRE(r[1].layers.size() == 4);
  CHECK(r[1].layers[0].error > 0);
  CHECK(r[1].layers[3].error < 0.02);
  CHECK(r[2].layers[3].error > r[1].layers[3].error);
  CHECK(eval::worst(r[1].layers)->name.starts_with("layer."));
}

TEST_CASE("eval: masked letters, judged where there is a class, texts end with a negative id") {
  auto data = letters(4);
  const auto r = eval::evaluate_encoder(reader("bert"), data, formats({"int8"}), {.layer_examples = 1});
  CHECK(r[0].judged > 20);
  CHECK(r[0].judged < 60);
  CHECK(std::fabs(r[1].right - r[0].right) < 0.1);
  CHECK(r[1].same > 0.9);
  CHECK(r[1].error < 0.02);
  data.values[20] = -1;
  const auto inputs = eval::inputs_of(import::read_encoder(kFolder / "bert", {}), data);
  CHECK(inputs[0].ids.size() == 20);
  CHECK(inputs[1].ids.size() == 64);
  data.values[0] = 69;
  CHECK_THROWS_WITH_AS((void)eval::inputs_of(import::read_encoder(kFolder / "bert", {}), data), doctest::Contains("below 69"), Error);
}

TEST_CASE("mixed encoders: bytes and errors stay within their budgets, by measured divergence, the program holds the formats") {
  const auto data = digits(16);
  const auto read = reader("vit");
  const auto model = read({});
  const std::uint64_t all = eval::int8_bytes(model);
  const eval::Mixed small = eval::mix_encoder(read, data, {all * 7 / 10, 0}, "edge");
  CHECK(small.picked.bytes <= all * 7 / 10);
  CHECK(!small.by_layer);  // instruction memory holds one kind of layers of this size
  CHECK(small.choices.size() == 6 + 2);
  const auto of = [&](const char* format) {
    passes::Mixture m{{}, 0, 0};
    for (const auto& c : small.choices)
      for (std::size_t i = 0; i < c.candidates.size(); ++i)
        if (ir::name(c.candidates[i].format) == std::string(format)) m.picked.push_back(i), m.error += c.candidates[i].error;
    return m;
  };
  // Fewer bytes than int8 cost less than mxfp4 everywhere does.
  CHECK(small.picked.error < of("mxfp4").error / 2);
  CHECK(small.picked.error > of("int8").error);
  const eval::Mixed good = eval::mix_encoder(read, data, {0, small.measured / 4}, "edge");
  CHECK(good.measured <= small.measured / 4);
  CHECK(good.picked.bytes > small.picked.bytes);
  const auto rules = eval::with_rules(ir::Format::int8, passes::format_rules(small.choices, small.picked));
  const auto r = eval::evaluate_encoder(read, data, {{"mixed", rules}, formats({"mxfp4"})[0]}, {.layer_examples = 0});
  CHECK(r[1].error < r[2].error);
  const std::string abi = encoder::compile(read(rules), "edge").abi;
  CHECK(abi.find("\"format_of\"") != std::string::npos);
  CHECK_THROWS_WITH_AS((void)eval::mix_encoder(read, data, {all / 4, 0}, "edge"), doctest::Contains("at least"), Error);
}

TEST_CASE("mixed encoders: without logits the error is that of the result") {
  const auto read = reader("clip", "vision");
  const auto model = read({});
  CHECK(!eval::has_logits(model));
  const auto shape = eval::example_shape(model);
  eval::Labelled data{.features = shape[0] * shape[1] * shape[2], .values = {}};
  for (int i = 0; i < 3 * data.features; ++i) data.values.push_back(static_cast<float>(i * 7919 % 255) / 128 - 1);
  const eval::Mixed m = eval::mix_encoder(read, data, {0, 0.05 * 0.05}, "edge");
  CHECK(m.measured <= 0.05 * 0.05);
  CHECK(m.measured > 0);
  CHECK(m.choices.size() == 6 + 2);
}

TEST_CASE("eval: texts by the model's own word pieces, every seventh piece is hidden where the model says words") {
  const auto plain = import::read_encoder(kFolder / "bert_plain", {});
  const auto lines = eval::text_examples(plain, "the cat\nthe dogs sat on a mat\n", true, 0);
  CHECK(lines.size() == 2);
  CHECK(lines.classes.empty());
  const auto inputs = eval::inputs_of(plain, lines);
  CHECK(inputs[0].ids == std::vector<int>{2, 5, 6, 3});
  CHECK(inputs[1].ids == std::vector<int>{2, 5, 7, 13, 8, 9, 10, 11, 3});
  std::string words;
  for (int i = 0; i < 100; ++i) words += "cat ";
  const auto cut = eval::inputs_of(plain, eval::text_examples(plain, words, false, 0));  // 48 pieces and the two around them, twice; then the rest
  REQUIRE(cut.size() == 3);
  CHECK(cut[1].ids.size() == 50);
  CHECK(cut[2].ids.size() == 6);
  CHECK(eval::text_examples(plain, words, false, 2).size() == 2);
  auto tight = plain;
  for (const int context : {1, 2}) {
    tight.context = context;
    CHECK_THROWS_WITH_AS((void)eval::text_examples(tight, words, false, 0), doctest::Contains("expected more than the 2 tokens around it"), Error);
  }

  auto model = import::read_encoder(kFolder / "bert", {});
  CHECK_THROWS_WITH_AS((void)eval::text_examples(model, "abc", false, 0), doctest::Contains("tokenizer of bert"), Error);
  model.words = {.tokens = {"[UNK]", "[MASK]", "a", "b", "##b"}, .refused = {}, .unk = 0, .mask = 1};
  const auto hidden = eval::text_examples(model, "a b ab b a b a b", false, 0);
  CHECK(hidden.each == 64);
  CHECK(eval::inputs_of(model, hidden)[0].ids == std::vector<int>{2, 3, 2, 1, 3, 2, 3, 2, 3});
  CHECK(hidden.classes[3] == 4);
  CHECK(std::count(hidden.classes.begin(), hidden.classes.end(), -100) == 63);
}

TEST_CASE("examples: arrays by name, lines with and without a class, images, refusals") {
  const auto folder = std::filesystem::temp_directory_path() / ("jogak_examples_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto read = [&](const std::string& name, const std::vector<std::int64_t>& shape) { return eval::read_examples(folder / name, {"pixels"}, shape, 0.5, 1, 2); };
  onnx::write_npy(folder / "three.npy", onnx::make_floats({3, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  const eval::Labelled d = read("three.npy", {4});
  CHECK(d.size() == 2);
  CHECK(d.values == std::vector<float>{1, 1.5f, 2, 2.5f, 3, 3.5f, 4, 4.5f});
  CHECK(read("three.npy", {}).features == 4);
  CHECK_THROWS_WITH_AS((void)read("three.npy", {5}), doctest::Contains("found 4, expected 5"), Error);
  std::ofstream(folder / "with.csv") << "a,b,class\n2,4,7\n6,8,1\n";
  CHECK(read("with.csv", {2}).values == std::vector<float>{2, 3, 4, 5});
  CHECK(read("with.csv", {3}).values == std::vector<float>{2, 3, 4.5f, 4, 5, 1.5f});
  std::ofstream(folder / "not.png") << "no image";
  CHECK_THROWS_WITH_AS((void)read("not.png", {1, 2, 2}), doctest::Contains("not.png"), Error);
  CHECK_THROWS_WITH_AS((void)read("not.png", {4}), doctest::Contains("[channels, height, width]"), Error);
  CHECK_THROWS_WITH_AS((void)read("text.txt", {4}), doctest::Contains(".npy, .npz, .csv, .png"), Error);
#ifdef JOGAK_HAS_PNG
  // Two rows of red and blue, white and black.
  const unsigned char png[] = {
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02,
      0x08, 0x02, 0x00, 0x00, 0x00, 0xfd, 0xd4, 0x9a, 0x73, 0x00, 0x00, 0x00, 0x12, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0x00, 0x04,
      0xff, 0x19, 0xfe, 0xff, 0x07, 0x31, 0x00, 0x23, 0xea, 0x04, 0xfc, 0x5e, 0x3d, 0x73, 0xb7, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
      0x42, 0x60, 0x82};
  std::ofstream(folder / "four.png", std::ios::binary).write(reinterpret_cast<const char*>(png), sizeof png);
  CHECK(eval::read_examples(folder / "four.png", {}, {3, 2, 2}, 1, 0, 0).values == std::vector<float>{255, 0, 255, 0, 0, 0, 255, 0, 0, 255, 255, 0});
  CHECK(eval::read_examples(folder, {}, {3, 2, 2}, 1, 0, 1).size() == 1);
  CHECK_THROWS_WITH_AS((void)eval::read_examples(folder / "four.png", {}, {3, 2, 3}, 1, 0, 0), doctest::Contains("found 2 x 2"), Error);
#endif
  std::filesystem::remove_all(folder);
}
