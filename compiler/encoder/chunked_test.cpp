// Contexts whose keys and values do not lie on chip as a whole.
#include <doctest/doctest.h>

#include "check.hpp"
#include "compile.hpp"
#include "plan.hpp"
#include "reference.hpp"
#include "synthetic.hpp"

using namespace jogak;
using encoder::Shape;
using spec::Counter;

namespace {

// The rows behind the last layer, checked against the reference, the same on both configurations.
std::vector<float> check(const Shape& shape, int rows, double bound, ir::Format format = ir::Format::int8) {
  const encoder::Encoder e = encoder::synthetic(shape, format, 3);
  const auto x = encoder::random_rows(rows, shape.width);
  const auto found = encoder::run_rows(encoder::compile(e, "edge"), x, rows, shape.width);
  const double off = encoder::error(found, encoder::reference(e, x, rows));
  INFO("rows " << rows << " of " << shape.context << " causal " << shape.causal << ": error " << off);
  CHECK(off <= bound);
  CHECK(found == encoder::run_rows(encoder::compile(e, "nano"), x, rows, shape.width));
  return found;
}

}  // namespace

TEST_CASE("chunks: more than a thousand rows, all keys seen or those before, within 1.5 % of the reference, no race, nano and edge the same bits") {
  for (const bool causal : {false, true})
    (void)check({.layers = 2, .width = 64, .heads = 2, .ffn = 64, .context = 1100, .norm_first = causal, .causal = causal}, 1051, 0.015);
}

TEST_CASE("chunks: few rows in a long program, one chunk and its borders, one head and heads that are no multiple of 32") {
  for (const int heads : {1, 2, 9})
    for (const bool causal : {false, true})
      for (const int rows : {1, 63, 64, 65, 130})
        (void)check({.layers = 2, .width = 72, .heads = heads, .ffn = 40, .context = 600, .norm_first = !causal, .causal = causal}, rows, 0.015,
                    heads == 2 ? ir::Format::int8c : ir::Format::int8);
}

TEST_CASE("chunks: heads above 128 take keys by 32") {
  (void)check({.layers = 1, .width = 320, .heads = 2, .ffn = 32, .context = 520, .causal = true}, 200, 0.015);
}

// What fits as a whole on edge comes in chunks on nano: close, not the same.
TEST_CASE("chunks: a short context that does not fit as a whole on nano") {
  const Shape shape{.layers = 1, .width = 256, .heads = 2, .ffn = 64, .context = 256};
  const encoder::Encoder e = encoder::synthetic(shape, ir::Format::int8, 3);
  CHECK(encoder::make_plan(e, *spec::find_config("edge")).chunk == 0);
  CHECK(encoder::make_plan(e, *spec::find_config("nano")).chunk == 64);
  const auto x = encoder::random_rows(shape.context, shape.width);
  const double off = encoder::error(encoder::run_rows(encoder::compile(e, "nano"), x, shape.context, shape.width), encoder::reference(e, x, shape.context));
  CHECK(off <= 0.015);
}

// Stores grow with the rows, not with their square; loads of K and V are once a block of rows. Room on chip does not grow.
TEST_CASE("chunks: nothing of rows times rows goes to DRAM") {
  const auto at = [](int rows) { return Shape{.layers = 1, .width = 64, .heads = 2, .ffn = 64, .context = rows}; };
  const auto counters = [&](int rows) {
    model::Counters c{};
    const auto program = encoder::compile(encoder::synthetic(at(rows), ir::Format::int8, 3), "edge");
    (void)encoder::run_rows(program, encoder::random_rows(rows, 64), rows, 64, &c);
    return c;
  };
  const auto plan = [&](int rows, const char* config) { return encoder::make_plan(encoder::synthetic(at(rows), ir::Format::int8, 3), *spec::find_config(config)); };
  const auto one = counters(1024), two = counters(2048);
  // x and quantised rows twice (the first layer's, the last one's), K, V and their scales once; per row.
  const std::uint64_t row = 2 * (64 * 4 + 64 + 64 / 16) + 64 + 64 / 16 + 64 + 2 * 4;
  CHECK(one[Counter::store_bytes] == 1024 * row);
  CHECK(two[Counter::store_bytes] == 2048 * row);
  for (const char* config : {"nano", "edge"}) {
    const auto small = plan(1024, config), large = plan(16384, config);
    // Blocks are made equal, so their number decides how many rows one has.
    CHECK(large.work_words / static_cast<std::uint32_t>(large.rows) == small.work_words / static_cast<std::uint32_t>(small.rows));
    CHECK(large.rows <= 2 * small.rows);
    CHECK(large.d_bytes <= 17 * small.d_bytes);
  }
  CHECK_THROWS_AS((void)plan(1 << 16, "edge"), Error);
}
