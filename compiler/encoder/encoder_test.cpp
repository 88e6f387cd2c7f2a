#include <doctest/doctest.h>

#include "check.hpp"
#include "compile.hpp"
#include "reference.hpp"
#include "synthetic.hpp"

using namespace jogak;
using encoder::Shape;

namespace {

void check(const Shape& shape, int rows, ir::Format format, const char* config, double bound) {
  const encoder::Encoder e = encoder::synthetic(shape, format, 3);
  const auto x = encoder::random_rows(rows, shape.width);
  const auto found = encoder::run_rows(encoder::compile(e, config), x, rows, shape.width);
  const double off = encoder::error(found, encoder::reference(e, x, rows));
  INFO(config << " rows " << rows << " format " << ir::name(format) << " norm first " << shape.norm_first << ": error " << off);
  CHECK(off <= bound);
}

}  // namespace

// Activations are int8 with a scale per 32: half a step of 127 each, so a few tenths of a percent an operand.
TEST_CASE("encoder: two layers within 1.5 % of the reference with the same weights, any number of rows, no race") {
  for (const char* config : {"nano", "edge"})
    for (const bool norm_first : {false, true})
      for (const int rows : {1, 5, 32, 77, 96}) {
        const Shape shape{.layers = 2, .width = 128, .heads = 4, .ffn = 256, .context = 96, .norm_first = norm_first};
        check(shape, rows, ir::Format::int8, config, 0.015);
      }
}

TEST_CASE("encoder: many blocks of rows whose scales do not end with a line of DRAM") {
  for (const char* config : {"nano", "edge"})
    for (const bool norm_first : {false, true}) {
      check({.layers = 1, .width = 352, .heads = 11, .ffn = 352, .context = 150, .norm_first = norm_first}, 150, ir::Format::int8, config, 0.015);
      check({.layers = 1, .width = 360, .heads = 5, .ffn = 96, .context = 111, .norm_first = norm_first}, 110, ir::Format::int8, config, 0.015);
    }
}

TEST_CASE("encoder: slots of one tile") {
  for (const char* config : {"nano", "edge"})
    check({.layers = 1, .width = 24, .heads = 6, .ffn = 222, .context = 78, .norm_first = true}, 2, ir::Format::mxfp4, config, 0.015);
}

TEST_CASE("encoder: formats, activations, causal order, heads that are no multiple of 32") {
  for (const char* config : {"nano", "edge"}) {
    const Shape plain{.layers = 3, .width = 96, .heads = 6, .ffn = 160, .context = 40};
    for (const ir::Format f : {ir::Format::int8, ir::Format::int8c, ir::Format::mxfp4}) check(plain, 37, f, config, 0.015);
    for (const auto a : {encoder::Activation::gelu_tanh, encoder::Activation::gelu_quick}) {
      Shape s = plain;
      s.activation = a, s.norm_first = s.causal = true;
      check(s, 40, ir::Format::int8, config, 0.015);
    }
  }
}
