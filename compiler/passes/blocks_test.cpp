// Block formats against values of the Python package gguf (tests/models/golden/make_quants.py), bit by bit.
#include "blocks.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "error.hpp"
#include "quantize.hpp"

using namespace jogak;
using ir::DType;

namespace {

struct Golden {
  DType type;
  std::vector<std::byte> blocks;
  std::vector<float> values;
};

std::vector<std::byte> unhex(const std::string& text) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i < text.size(); i += 2) out.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

std::map<std::string, Golden> goldens() {
  const std::map<std::string, DType> types = {
      {"Q4_0", DType::q4_0}, {"Q4_1", DType::q4_1}, {"Q5_0", DType::q5_0}, {"Q5_1", DType::q5_1}, {"Q8_0", DType::q8_0}, {"Q2_K", DType::q2_k}, {"Q3_K", DType::q3_k},
      {"Q4_K", DType::q4_k}, {"Q5_K", DType::q5_k}, {"Q6_K", DType::q6_k}, {"IQ4_NL", DType::iq4_nl}, {"IQ4_XS", DType::iq4_xs}, {"MXFP4", DType::mxfp4}};
  std::ifstream in("tests/models/golden/quants.json");
  REQUIRE(in.good());
  std::map<std::string, Golden> out;
  for (const auto& e : nlohmann::json::parse(in)) {
    Golden g{types.at(e.at("type")), unhex(e.at("blocks")), {}};
    const auto bytes = unhex(e.at("values"));
    g.values.resize(bytes.size() / 4);
    std::memcpy(g.values.data(), bytes.data(), bytes.size());
    out.emplace(e.at("type"), std::move(g));
  }
  REQUIRE(out.size() == types.size());
  return out;
}

ir::Tensor row(const std::string& name, const Golden& g) { return {name, {1, static_cast<std::int64_t>(g.values.size())}, g.type, g.blocks}; }

}  // namespace

TEST_CASE("every block format gives the golden values, bit by bit") {
  for (const auto& [name, g] : goldens()) {
    CAPTURE(name);
    REQUIRE(g.values.size() == 256);
    const passes::BlockLayout* layout = passes::block_layout(g.type);
    REQUIRE(layout != nullptr);
    CHECK(g.blocks.size() == static_cast<std::size_t>(256 / layout->values * layout->bytes));
    const auto values = passes::to_float(row(name, g));
    REQUIRE(values.size() == g.values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(i);
      REQUIRE(std::memcmp(&values[i], &g.values[i], 4) == 0);
    }
  }
}

TEST_CASE("blocks of the array carry over exactly, the others are quantised anew within half a step") {
  for (const auto& [name, g] : goldens()) {
    CAPTURE(name);
    const bool kept = name == "Q8_0" || name == "Q4_0" || name == "Q5_0" || name == "IQ4_NL" || name == "MXFP4";
    const ir::QMatrix m = passes::quantize(row(name, g), ir::Format::int8);
    CHECK(m.format == (name == "MXFP4" ? ir::Format::mxfp4 : ir::Format::int8));
    const auto values = passes::dequantize(m);
    for (std::size_t b = 0; b < 256; b += 32) {
      float most = 0;
      for (std::size_t i = b; i < b + 32; ++i) most = std::max(most, std::abs(g.values[i]));
      for (std::size_t i = b; i < b + 32; ++i) {
        CAPTURE(i);
        if (kept) CHECK(values[i] == g.values[i]);
        else CHECK(std::abs(values[i] - g.values[i]) <= most / 254 * 1.002f);
      }
    }
  }
}

TEST_CASE("a block scale that is no number is refused by name") {
  for (const auto& [name, g] : goldens()) {
    ir::Tensor t = row("blk.3.ffn_up.weight", g);
    const passes::BlockLayout* layout = passes::block_layout(g.type);
    const bool k = layout->values == 256 && name != "Q4_K" && name != "Q5_K" && name != "IQ4_XS";
    const std::size_t at = name == "MXFP4" ? 0 : k ? static_cast<std::size_t>(layout->bytes) - (name == "Q2_K" ? 4 : 2) : 0;
    t.data[at] = std::byte{0xff};
    if (name != "MXFP4") t.data[at + 1] = std::byte{0x7f};
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(passes::quantize(t, ir::Format::int8), doctest::Contains("blk.3.ffn_up.weight"), Error);
  }
}
