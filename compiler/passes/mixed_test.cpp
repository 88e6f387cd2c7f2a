// Choosing formats within budgets, on costs made up for it.
#include "mixed.hpp"

#include <doctest/doctest.h>

#include "error.hpp"

using namespace jogak;
using namespace jogak::passes;
using ir::Format;

namespace {

Choice choice(int layer, const std::string& role, std::uint64_t size, double weight) {
  return {"blk." + std::to_string(layer) + "." + role, {"blk." + std::to_string(layer) + "." + role}, layer, role,
          {{Format::int8, 34 * size, weight * 0.01}, {Format::int8c, 32 * size, weight * 0.02}, {Format::mxfp4, 17 * size, weight}}};
}
Format format(const std::vector<Choice>& c, const Mixture& m, std::size_t i) { return c[i].candidates[m.picked[i]].format; }

}  // namespace

TEST_CASE("mixed formats: bytes go where they take away most error") {
  const std::vector<Choice> c = {choice(0, "attn_q", 1, 1), choice(0, "ffn_down", 1, 50), choice(1, "attn_q", 4, 60), choice(1, "ffn_down", 1, 0.1)};
  const Mixture least = choose_formats(c, {.bytes = 17 * 7});
  CHECK(least.bytes == 17 * 7);
  CHECK(least.error == doctest::Approx(111.1));
  const Mixture one = choose_formats(c, {.bytes = 17 * 7 + 15});
  CHECK(format(c, one, 1) == Format::int8c);  // 49 for 15 bytes is better than 58.8 for 60
  CHECK(format(c, one, 2) == Format::mxfp4);
  const Mixture all = choose_formats(c, {.bytes = 34 * 7});
  CHECK(all.bytes == 34 * 7);
  CHECK(all.error == doctest::Approx(1.111));
  double before = 1e9;
  for (std::uint64_t budget = 17 * 7; budget <= 34 * 7; ++budget) {
    const Mixture m = choose_formats(c, {.bytes = budget});
    CHECK(m.bytes <= budget);
    CHECK(m.error <= before * 1.0001);
    before = m.error;
  }
  CHECK_THROWS_WITH_AS(choose_formats(c, {.bytes = 118}), doctest::Contains("at least 119"), Error);
}

TEST_CASE("mixed formats: an error budget is met with few bytes") {
  const std::vector<Choice> c = {choice(0, "attn_q", 1, 1), choice(0, "ffn_down", 1, 50), choice(1, "attn_q", 4, 60), choice(1, "ffn_down", 1, 0.1)};
  const Mixture m = choose_formats(c, {.error = 2.5});
  CHECK(m.error <= 2.5);
  CHECK(format(c, m, 3) == Format::mxfp4);
  CHECK(m.bytes < 34 * 7);
  CHECK(choose_formats(c, {.error = 1000}).bytes == 17 * 7);
  CHECK_THROWS_WITH_AS(choose_formats(c, {.error = 1}), doctest::Contains("budget of error"), Error);
  CHECK_THROWS_WITH_AS(choose_formats(c, {}), doctest::Contains("one of bytes and error"), Error);
}

TEST_CASE("mixed formats: layers of a kind share a body, roles share a format when they must") {
  std::vector<Choice> c;
  for (int l = 0; l < 6; ++l) c.push_back(choice(l, "attn_q", 1, 1)), c.push_back(choice(l, "ffn_down", 1, 2));
  Mixture m;
  m.picked.assign(12, 0);
  CHECK(bodies(c, m) == 2);  // the last layer has the head behind it
  m.picked[4] = 2;           // layer 2: another kind, and the layer before it loads it ahead
  CHECK(bodies(c, m) == 5);
  const auto merged = merge_layers(c);
  REQUIRE(merged.size() == 2);
  CHECK(merged[1].matrices.size() == 6);
  CHECK(merged[1].candidates[2].bytes == 17 * 6);
  CHECK(merged[1].candidates[2].error == doctest::Approx(12));
  const Mixture both = choose_formats(merged, {.bytes = 17 * 6 + 34 * 6});
  CHECK(format_rules(merged, both).front() == "blk.0.attn_q=mxfp4");
  CHECK(format_rules(merged, both).back() == "blk.5.ffn_down=int8");
}

TEST_CASE("mixed formats: bytes of a matrix") {
  CHECK(format_bytes(Format::int8, 10, 40) == 10 * 2 * 34);
  CHECK(format_bytes(Format::int8c, 10, 40) == 10 * 2 * 32 + 40);
  CHECK(format_bytes(Format::mxint8, 10, 64) == 10 * 2 * 33);
  CHECK(format_bytes(Format::mxfp4, 10, 64) == 10 * 2 * 17);
}
