#include "check.hpp"

using namespace jogak;
using namespace jogak::tensor;

namespace {

// Worst error relative to the sum of the terms' magnitudes, which is about k for these operands.
double product(const Shape& a, const Shape& b, const Attrs& attrs, bool constant) {
  const Bound bound{.error = 1e-7, .floor = static_cast<double>(attrs.transpose_a ? a[a.size() - 2] : a.back())};
  CAPTURE(text(a) + " x " + text(b));
  Graph g;
  const ValueId x = g.input("a", DType::f32, a);
  const auto weights = random_values(b, 2);
  const ValueId y = constant ? g.constant("b", b, weights) : g.input("b", DType::f32, b);
  g.output("y", g.add(Op::matmul, "node", {x, y}, attrs));
  Tensors in = {{"a", random_values(a, 1)}};
  if (!constant) in["b"] = weights;
  return compare(g, in, bound);
}

}  // namespace

TEST_CASE("products of any shape, transposed, batched, with broadcasting") {
  double most = 0;
  for (const bool constant : {false, true}) {
    const auto check = [&](const Shape& a, const Shape& b, const Attrs& attrs = {}) { most = std::max(most, product(a, b, attrs, constant)); };
    check({1, 1}, {1, 1});
    check({3, 5}, {5, 7});
    check({33, 65}, {65, 17});
    check({70, 200}, {200, 90});
    check({65, 33}, {65, 17}, {.transpose_a = true});
    check({33, 65}, {17, 65}, {.transpose_b = true});
    check({65, 33}, {17, 65}, {.transpose_a = true, .transpose_b = true});
    check({2, 3, 4, 40}, {2, 3, 40, 6});
    check({2, 3, 4, 40}, {40, 6});
    check({4, 40}, {2, 3, 40, 6});
    check({2, 1, 4, 40}, {3, 40, 6});
    check({2, 3, 40, 4}, {2, 1, 40, 6}, {.transpose_a = true});
  }
  MESSAGE("matmul: worst error relative to k or the result " << most);
}

TEST_CASE("long sums") {
  const double most = product({9, 3000}, {3000, 20}, {}, true);
  MESSAGE("k = 3000: worst error relative to k or the result " << most);
  product({2, 5000}, {5000, 3}, {}, false);
}

TEST_CASE("blocks of very different size: the error is that of fp32 sums") {
  Graph g;
  const ValueId a = g.input("a", DType::f32, {4, 96}), b = g.input("b", DType::f32, {96, 5});
  g.output("y", g.add(Op::matmul, "node", {a, b}));
  Tensors in = {{"a", random_values({4, 96}, 1)}, {"b", random_values({96, 5}, 2)}};
  for (std::size_t i = 0; i < in["a"].size(); ++i) in["a"][i] *= std::pow(10.0f, static_cast<float>(i % 96 / 32) * 4 - 4);
  compare(g, in, {.error = 2e-6, .floor = 1e4});
}

TEST_CASE("integers are exact") {
  Graph g;
  const ValueId a = g.input("a", DType::i32, {5, 70}), b = g.input("b", DType::i32, {70, 9});
  g.output("y", g.add(Op::matmul, "node", {a, b}));
  Tensors in = {{"a", random_values({5, 70}, 1, -128, 127)}, {"b", random_values({70, 9}, 2, -128, 255)}};
  for (auto& [name, values] : in)
    for (float& x : values) x = std::trunc(x);
  compare(g, in, {});
}

TEST_CASE("quantised products: bounds of int8 and MXFP4 weights") {
  // Root of the mean squared error over that of the result.
  const auto noise = [](Precision p, bool constant) {
    Graph g;
    const Shape a = {40, 256}, b = {256, 48};
    const ValueId x = g.input("a", DType::f32, a), y = constant ? g.constant("b", b, random_values(b, 2)) : g.input("b", DType::f32, b);
    g.output("y", g.add(Op::matmul, "node", {x, y}, {.precision = p}));
    Tensors in = {{"a", random_values(a, 1)}};
    if (!constant) in["b"] = random_values(b, 2);
    const auto expected = evaluate(g, in).at("y");
    double worst_ratio = 0;
    for (const char* config : {"nano", "edge"}) {
      const auto found = run_checked(lower(g, {.config = config}), in).at("y");
      double error = 0, size = 0;
      for (std::size_t i = 0; i < found.size(); ++i) error += std::pow(found[i] - expected[i], 2), size += std::pow(expected[i], 2);
      worst_ratio = std::max(worst_ratio, std::sqrt(error / size));
    }
    return worst_ratio;
  };
  const double int8 = noise(Precision::int8, true), live = noise(Precision::int8, false), mxfp4 = noise(Precision::mxfp4, true),
               mxint8 = noise(Precision::mxint8, true);
  MESSAGE("relative noise: int8 " << int8 << ", int8 of a computed operand " << live << ", mxfp4 " << mxfp4 << ", mxint8 " << mxint8);
  CHECK(mxint8 < 0.012);
  CHECK(int8 < 0.008);
  CHECK(live < 0.008);
  CHECK(mxfp4 < 0.15);
}

TEST_CASE("every configuration packs and multiplies alike, 64 columns of the array too") {
  Graph g;
  const ValueId a = g.input("a", DType::f32, {2, 3, 70}), b = g.input("b", DType::f32, {2, 70, 9}), w = g.constant("w", {70, 75}, random_values({70, 75}, 3));
  g.output("constant", g.add(Op::matmul, "constant", {a, w}));
  g.output("live", g.add(Op::matmul, "live", {a, b}));
  const ValueId q = g.add(Op::reshape, "q", {a}, {.shape = {1, 2, 3, 70}});
  g.output("attention", g.add(Op::attention, "attention", {q, q, q}, {.causal = true, .value = 0.1f}));
  g.output("best", g.add_all(Op::top_k, "best", {g.add(Op::softmax, "softmax", {a}, {.axis = 1})}, {.axis = 2, .count = 2})[1]);
  const Tensors in = {{"a", random_values({2, 3, 70}, 1)}, {"b", random_values({2, 70, 9}, 2)}};
  const Tensors expected = evaluate(g, in);
  for (const spec::Config& config : spec::configs) {
    const Tensors found = run_checked(lower(g, {.config = config.name}), in);
    INFO(std::string(config.name));
    CHECK(found.at("best") == expected.at("best"));
    for (const char* name : {"constant", "live", "attention"}) CHECK(worst(found.at(name), expected.at(name), 70) < 1e-7);
  }
}

TEST_CASE("2:4 sparse weights: stored so where the array can, the product within what the format allows") {
  for (const Precision precision : {Precision::exact, Precision::int8, Precision::mxfp4, Precision::mxint8})
    for (const bool transposed : {false, true})
      for (const std::int64_t k : {64, 330}) {
        const Shape a = {2, 19, k}, b = transposed ? Shape{77, k} : Shape{k, 77};
        Graph g;
        const ValueId x = g.input("a", DType::f32, a), w = g.constant("b", b, random_values(b, 2));
        g.output("y", g.add(Op::matmul, "node", {x, w}, {.transpose_b = transposed, .precision = precision}));
        const Tensors in = {{"a", random_values(a, 1)}};
        CHECK(lower(g, {.config = "nano24"}).abi.find("two_of_four") == std::string::npos);
        CHECK(prune_two_of_four(g) == 1);
        CHECK(lower(g, {.config = "nano"}).abi.find("two_of_four") == std::string::npos);
        CHECK(lower(g, {.config = "nano24", .two_of_four = false}).abi.find("two_of_four") == std::string::npos);
        for (const char* config : {"nano24", "edge24"}) {
          CAPTURE(config);
          CAPTURE(k);
          const Program p = lower(g, {.config = config});
          CHECK(p.abi.find("\"two_of_four\":1") != std::string::npos);
          const auto off = [&](const Program& q) { return worst(run_checked(q, in).at("y"), evaluate(g, in).at("y"), static_cast<int>(k)); };
          // Of the order of what the same format costs the dense product.
          CHECK(off(p) < (precision == Precision::exact ? 1e-7 : 1.5 * off(lower(g, {.config = config, .two_of_four = false}))));
        }
      }
}

TEST_CASE("2:4 or tiles of zeros: the one that leaves fewer products") {
  auto weights = random_values({256, 64}, 2);
  for (std::int64_t i = 0; i < 256; ++i)
    for (std::int64_t j = 0; j < 64; ++j)
      if (i % 4 > 1 || i / 32 % 3 != 0) weights[static_cast<std::size_t>(i * 64 + j)] = 0;
  Graph g;
  g.output("y", g.add(Op::matmul, "node", {g.input("a", DType::f32, {19, 256}), g.constant("b", {256, 64}, weights)}));
  const std::string abi = lower(g, {.config = "nano24"}).abi;
  CHECK(abi.find("two_of_four") == std::string::npos);
  CHECK(abi.find("sparse") != std::string::npos);
}

TEST_CASE("weights with tiles of zeros: skipped, counted, and the bits of the product with all of them where that takes k at once") {
  for (const Precision precision : {Precision::exact, Precision::int8, Precision::mxfp4, Precision::mxint8})
    for (const std::int64_t k : {96, 330}) {
      const Shape a = {2, 75, k}, b = {k, 200};
      auto weights = random_values(b, 2);
      for (std::int64_t i = 0; i < k; ++i)
        for (std::int64_t j = 0; j < 200; ++j)
          if (j / 32 == 3 || (i / 32 + j / 32) % 3 != 0) weights[static_cast<std::size_t>(i * 200 + j)] = 0;
      const auto graph = [&](bool computed) {
        Graph g;
        const ValueId x = g.input("a", DType::f32, a), w = computed ? g.input("b", DType::f32, b) : g.constant("b", b, weights);
        g.output("y", g.add(Op::matmul, "node", {x, w}, {.precision = precision}));
        return g;
      };
      for (const char* config : {"nano", "edge"}) {
        CAPTURE(config);
        CAPTURE(k);
        const Tensors in = {{"a", random_values(a, 1)}};
        const Program p = lower(graph(false), {.config = config});
        CHECK(p.abi.find("\"sparse\":{\"kept\":") != std::string::npos);
        const auto found = run_checked(p, in).at("y");
        if (precision == Precision::mxfp4 || precision == Precision::mxint8) {
          CHECK(worst(found, evaluate(graph(false), in).at("y"), 330) < 0.02);
          continue;
        }
        if (precision == Precision::exact && k == 330) {  // with all tiles k goes in pieces, so sums have another order
          CHECK(worst(found, evaluate(graph(false), in).at("y"), 330) < 1e-7);
          continue;
        }
        const auto dense = run_checked(lower(graph(true), {.config = config}), {{"a", in.at("a")}, {"b", weights}}).at("y");
        std::size_t different = 0;
        for (std::size_t i = 0; i < found.size(); ++i) different += std::memcmp(&found[i], &dense[i], 4) != 0;
        CHECK(different == 0);
      }
    }
}
