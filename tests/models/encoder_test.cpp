// Whole encoders from Hugging Face folders, against what the reference implementation made of the same inputs in fp32.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "encoder/check.hpp"
#include "encoder/compile.hpp"
#include "encoder_session.hpp"
#include "import/encoder_hf.hpp"
#include "onnx/npy.hpp"
#include "shared.hpp"

using namespace jogak;
using tests::error;

namespace {

const std::filesystem::path kFolder = "tests/models/golden";  // tests run in the project's root

struct Golden {
  std::map<std::string, onnx::Array> arrays;
  explicit Golden(const std::string& model) : arrays(onnx::read_arrays(kFolder / model / "golden.npz")) {}
  // Row i of an array, as if its first dimension were `of`.
  std::vector<float> row(const std::string& name, std::size_t i, std::size_t of) const {
    const auto all = arrays.at(name).floats();
    const std::size_t n = all.size() / of;
    return {all.begin() + static_cast<std::ptrdiff_t>(i * n), all.begin() + static_cast<std::ptrdiff_t>((i + 1) * n)};
  }
};

std::size_t largest(std::span<const float> x) { return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin()); }

std::vector<std::int32_t> ids(const Golden& g, std::size_t i) {
  const auto row = g.row("input_ids", i, 64);
  return {row.begin(), row.end()};
}
// As the model was trained: 0 .. 16 becomes -1 .. 1.
std::vector<float> image(const Golden& g, std::size_t i) {
  auto x = g.row("x", i, 256);
  for (float& p : x) p = p / 8 - 1;
  return x;
}

encoder::Encoder first_layers(encoder::Encoder e, std::size_t count) {
  e.layers.resize(count);
  e.head = {};
  return e;
}

}  // namespace

TEST_CASE("bert: letters of masked places as fp32 says, logits within 1.5 %, on two configurations the same bits") {
  const Golden g("bert");
  const auto model = import::read_encoder(kFolder / "bert", {});
  std::vector<float> other;
  for (const char* config : {"edge", "nano"}) {
    EncoderSession session(encoder::compile(model, config), "model");
    std::vector<float> all;
    std::size_t same = 0, masked = 0, right = 0;
    for (std::size_t i = 0; i < (other.empty() ? 64u : 2u); ++i) {
      const EncoderResult r = session.run({.ids = ids(g, i)});
      REQUIRE(r.rows == 64);
      REQUIRE(r.columns == 69);
      if (i < 2) {
        const double off = error(r.values, g.row("logits4", i, 2));
        INFO(config << " sequence " << i << ": error " << off);
        CHECK(off <= 0.015);
        all.insert(all.end(), r.values.begin(), r.values.end());
      }
      const auto mask = g.row("mask", i, 64), pred = g.row("pred", i, 64), labels = g.row("labels", i, 64);
      for (std::size_t t = 0; t < 64; ++t) {
        if (mask[t] == 0) continue;
        const std::size_t best = largest(std::span(r.values).subspan(t * 69, 69));
        ++masked, same += best == static_cast<std::size_t>(pred[t]), right += best == static_cast<std::size_t>(labels[t]);
      }
    }
    INFO(config << ": " << same << " of " << masked << " as fp32, " << right << " right");
    if (other.empty()) {
      CHECK(same * 100 >= masked * 97);
      CHECK(right * 1000 >= masked * 555);  // fp32: 56.3 %
      other = all;
    } else {
      CHECK(all == other);
    }
  }
}

TEST_CASE("bert: every layer within 2 %, formats, shorter texts see nothing behind their end") {
  const Golden g("bert");
  for (std::size_t layers = 1; layers <= 3; ++layers) {
    EncoderSession session(encoder::compile(first_layers(import::read_encoder(kFolder / "bert", {}), layers), "edge"), "model");
    const double off = error(session.run({.ids = ids(g, 0)}).values, g.row("trace4", layers, 4));
    INFO("layer " << layers << ": error " << off);
    CHECK(off <= 0.02);
  }
  const auto logits = [&](ir::Format f, std::size_t tokens, std::int32_t before) {
    EncoderSession session(encoder::compile(import::read_encoder(kFolder / "bert", {.standard = f}), "edge"), "model");
    if (before >= 0) (void)session.run({.ids = std::vector<std::int32_t>(64, before)});
    auto text = ids(g, 0);
    text.resize(tokens);
    return session.run({.ids = text}).values;
  };
  CHECK(error(logits(ir::Format::int8c, 64, -1), g.row("logits4", 0, 2)) <= 0.02);
  CHECK(error(logits(ir::Format::mxfp4, 64, -1), g.row("logits4", 0, 2)) <= 0.18);
  CHECK(logits(ir::Format::int8, 21, -1) == logits(ir::Format::int8, 21, 7));
}

// Of 17 rows 15, 13, 11 and 9 are left behind the layers.
TEST_CASE("vit: with two rows merged in each layer nearly all digits stay what they are") {
  const Golden g("vit");
  auto model = import::read_encoder(kFolder / "vit", {});
  EncoderSession whole(encoder::compile(model, "edge"), "model");
  model.merge = 2;
  EncoderSession merged(encoder::compile(model, "edge"), "model"), nano(encoder::compile(model, "nano"), "model");
  int same = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    const auto found = merged.run({.pixels = image(g, i)}).values;
    same += largest(found) == largest(whole.run({.pixels = image(g, i)}).values);
    if (i < 20) CHECK(found == nano.run({.pixels = image(g, i)}).values);
  }
  MESSAGE(same << " of 256 digits as without merging");
  CHECK(same >= 235);
  CHECK(merged.record()[spec::Counter::macs] < whole.record()[spec::Counter::macs]);
}

TEST_CASE("vit: digits as fp32 sees them, logits within 2 %") {
  const Golden g("vit");
  const auto model = import::read_encoder(kFolder / "vit", {});
  const auto labels = g.arrays.at("y").floats();
  std::vector<float> other;
  for (const char* config : {"edge", "nano"}) {
    EncoderSession session(encoder::compile(model, config), "model");
    std::vector<float> all;
    std::size_t right = 0, of_fp32 = 0;
    for (std::size_t i = 0; i < (other.empty() ? 256u : 16u); ++i) {
      const EncoderResult r = session.run({.pixels = image(g, i)});
      REQUIRE(r.rows == 1);
      if (i < 16) all.insert(all.end(), r.values.begin(), r.values.end());
      right += largest(r.values) == static_cast<std::size_t>(labels[i]);
      of_fp32 += largest(g.row("logits", i, 256)) == static_cast<std::size_t>(labels[i]);
    }
    const auto golden = g.row("logits", 0, 16);
    const double off = error(all, golden);
    INFO(config << ": error " << off << ", right " << right << ", fp32 " << of_fp32);
    CHECK(off <= 0.02);
    if (other.empty()) {
      CHECK(right + 2 >= of_fp32);
      other = all;
    } else {
      CHECK(all == other);
    }
  }
}

TEST_CASE("whole encoders: no race, whatever the memories hold at the start") {
  const Golden b("bert"), v("vit");
  for (const char* config : {"edge", "nano"}) {
    for (const std::size_t tokens : {1, 40, 64}) {
      const Program p = encoder::compile(import::read_encoder(kFolder / "bert", {}), config);
      EncoderSession session(p, "model");
      auto text = ids(b, 3);
      text.resize(tokens);
      const auto found = encoder::checked_run(p, static_cast<std::uint32_t>(tokens),
                                              {{"input/input_ids", encoder::bytes(text)}, {"input/token_type_ids", encoder::Bytes(tokens * 4)}}, "output/logits");
      const auto expected = session.run({.ids = text}).values;
      CHECK(std::memcmp(found.data(), expected.data(), 69 * 4) == 0);
    }
    const Program p = encoder::compile(import::read_encoder(kFolder / "vit", {}), config);
    EncoderSession session(p, "model");
    const auto found = encoder::checked_run(p, 17, {{"input/pixel_values", encoder::bytes(image(v, 0))}}, "output/logits");
    const auto expected = session.run({.pixels = image(v, 0)}).values;
    CHECK(std::memcmp(found.data(), expected.data(), 40) == 0);
  }
}

TEST_CASE("whole encoders on the RTL: the model's bits and counters") {
  const auto names = driver::backends();
  if (std::find(names.begin(), names.end(), "rtl") == names.end()) {
    MESSAGE("SKIPPED: this build has no RTL (verilator is missing)");
    return;
  }
  const auto compare = [](const std::string& folder, const char* config, const EncoderInput& input) {
    const Program p = encoder::compile(import::read_encoder(kFolder / folder, {}), config);
    EncoderSession rtl(p, "rtl"), model(p, "model");
    CHECK(rtl.run(input).values == model.run(input).values);
    for (const spec::CounterInfo& c : spec::counters) {
      CAPTURE(c.name);
      if (c.exact) CHECK(rtl.record().counters[c.index] == model.record().counters[c.index]);
    }
    CHECK(rtl.record()[spec::Counter::cycles] > 0);
  };
  compare("vit", "nano", {.pixels = image(Golden("vit"), 5)});
  compare("vit", "edge", {.pixels = image(Golden("vit"), 6)});
  auto text = ids(Golden("bert"), 5);
  text.resize(19);
  compare("bert", "edge", {.ids = text});
}

TEST_CASE("encoders: bad input is refused by name") {
  EncoderSession bert(encoder::compile(import::read_encoder(kFolder / "bert", {}), "nano"), "model");
  CHECK_THROWS_WITH_AS(bert.run({}), "session: text, found 0 tokens, expected 1 to 64", Error);
  CHECK_THROWS_WITH_AS(bert.run({.ids = {3, 69}}), "session: token id, found 69, expected 0 to 68", Error);
  CHECK_THROWS_WITH_AS(bert.run({.ids = {3, 4}, .types = {0, 2}}), "session: token type, found 2, expected 0 to 1", Error);
  CHECK_THROWS_WITH_AS(bert.run({.ids = {3, 4}, .types = {0}}), "session: token types, found 1, expected 2, one an id", Error);
  EncoderSession vit(encoder::compile(import::read_encoder(kFolder / "vit", {}), "nano"), "model");
  CHECK_THROWS_WITH_AS(vit.run({.pixels = {1, 2}}), "session: image, found 2 values, expected 64", Error);
  CHECK_THROWS_AS(vit.run({.pixels = std::vector<float>(64, NAN)}), Error);
  CHECK_THROWS_AS((void)import::read_encoder(kFolder / "llama", {}), Error);
  CHECK_THROWS_AS((void)import::read_encoder(kFolder / "vit", {}, "text"), Error);
  CHECK_THROWS_AS((void)import::read_encoder(kFolder / "vit", {.rules = {{"nothing", ir::Format::int8}}}), Error);
}
