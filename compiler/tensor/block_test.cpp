#include "check.hpp"

using namespace jogak;
using namespace jogak::tensor;

namespace {

// Builders of transformer blocks: names as exporters give them.
struct Net {
  Graph g;
  unsigned seed = 10;
  ValueId weights(const Shape& s, float size) {
    ++seed;
    return g.constant("w" + std::to_string(seed), s, random_values(s, seed, -size, size));
  }
  ValueId linear(const std::string& name, ValueId x, std::int64_t n) {
    const std::int64_t k = g.shape(x).back();
    const ValueId y = g.add(Op::matmul, name, {x, weights({k, n}, 1.7f / std::sqrt(static_cast<float>(k)))});
    return g.add(Op::add, name + ".bias", {y, weights({n}, 0.1f)});
  }
  ValueId norm(const std::string& name, ValueId x) {
    const std::int64_t d = g.shape(x).back();
    return g.add(Op::layer_norm, name, {x, weights({d}, 1), weights({d}, 0.2f)}, {.axis = -1, .value = 1e-5f});
  }
  ValueId heads(const std::string& name, ValueId x, std::int64_t h) {
    const Shape s = g.shape(x);
    const ValueId split = g.add(Op::reshape, name, {x}, {.shape = {s[0], s[1], h, s[2] / h}});
    return g.add(Op::transpose, name, {split}, {.axes = {0, 2, 1, 3}});
  }
  ValueId attend(const std::string& name, ValueId x, std::int64_t h, ValueId mask) {
    const Shape s = g.shape(x);
    std::vector<ValueId> in;
    for (const char* part : {".q", ".k", ".v"}) in.push_back(heads(name + part, linear(name + part, x, s[2]), h));
    if (mask >= 0) in.push_back(mask);
    const ValueId y = g.add(Op::attention, name, in, {.value = 1 / std::sqrt(static_cast<float>(s[2] / h))});
    const ValueId back = g.add(Op::transpose, name, {y}, {.axes = {0, 2, 1, 3}});
    return linear(name + ".out", g.add(Op::reshape, name, {back}, {.shape = s}), s[2]);
  }
  ValueId gelu(ValueId x) {
    const ValueId e = g.add(Op::erf, "gelu", {g.add(Op::mul, "gelu", {x, g.scalar(0.70710678f)})});
    const ValueId h = g.add(Op::mul, "gelu", {x, g.scalar(0.5f)});
    return g.add(Op::mul, "gelu", {h, g.add(Op::add, "gelu", {e, g.scalar(1)})});
  }
  ValueId mlp(const std::string& name, ValueId x, std::int64_t hidden) {
    const std::int64_t d = g.shape(x).back();
    return linear(name + ".down", gelu(linear(name + ".up", x, hidden)), d);
  }
  ValueId sum(ValueId a, ValueId b) { return g.add(Op::add, "residual", {a, b}); }
};

// Token ids and a padding mask to the states of a post-norm encoder, as BERT has them.
Graph bert() {
  Net n;
  const ValueId ids = n.g.input("input_ids", DType::i32, {1, 12}), seen = n.g.input("attention_mask", DType::boolean, {1, 1, 1, 12});
  ValueId x = n.g.add(Op::gather, "embed", {n.weights({60, 48}, 1), ids}, {.axis = 0});
  x = n.norm("embed.norm", n.sum(x, n.weights({12, 48}, 1)));
  x = n.norm("attention.norm", n.sum(x, n.attend("attention", x, 4, seen)));
  x = n.norm("output.norm", n.sum(x, n.mlp("mlp", x, 96)));
  n.g.output("last_hidden_state", x);
  return n.g;
}

// An image to class probabilities: patches by unfold, a class token, a pre-norm block, as ViT has them.
Graph vit() {
  Net n;
  const ValueId image = n.g.input("pixels", DType::f32, {1, 3, 16, 16});
  ValueId x = n.g.add(Op::unfold, "patch", {image}, {.axis = 2, .starts = {4, 4, 1}});
  x = n.g.add(Op::unfold, "patch", {x}, {.axis = 4, .starts = {4, 4, 1}});
  x = n.g.add(Op::transpose, "patch", {x}, {.axes = {0, 2, 4, 1, 3, 5}});
  x = n.linear("patch", n.g.add(Op::reshape, "patch", {x}, {.shape = {1, 16, 48}}), 40);
  x = n.sum(n.g.add(Op::concat, "tokens", {n.weights({1, 1, 40}, 1), x}, {.axis = 1}), n.weights({1, 17, 40}, 1));
  x = n.sum(x, n.attend("attention", n.norm("norm1", x), 5, -1));
  x = n.sum(x, n.mlp("mlp", n.norm("norm2", x), 80));
  x = n.g.add(Op::slice, "class", {n.norm("norm", x)}, {.shape = {1, 1, 40}, .starts = {0, 0, 0}, .steps = {1, 1, 1}});
  x = n.g.add(Op::softmax, "probabilities", {n.linear("head", x, 10)}, {.axis = -1});
  n.g.output("probabilities", x);
  n.g.output("class", n.g.add_all(Op::top_k, "best", {x}, {.axis = -1})[1]);
  return n.g;
}

Tensors bert_inputs() {
  return {{"input_ids", {3, 59, 0, 7, 7, 12, 31, 44, 2, 1, 1, 1}}, {"attention_mask", {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0}}};
}

}  // namespace

TEST_CASE("an encoder block as BERT has it, ids to hidden states") {
  const double most = compare(bert(), bert_inputs(), {.error = 2e-5, .floor = 0.1});
  MESSAGE("worst error " << most);
}

TEST_CASE("a small vision transformer, pixels to probabilities") {
  const double most = compare(vit(), {{"pixels", random_values({1, 3, 16, 16}, 3)}}, {.error = 2e-5, .floor = 1e-3});
  MESSAGE("worst error " << most);
}

TEST_CASE("a session runs it by name, again and again, and refuses what does not fit") {
  const Program p = from_bytes(to_bytes(lower(bert(), {.config = "edge"})));
  CHECK(p.launches.size() > 1);
  TensorSession session(p, "model");
  CHECK(session.inputs().size() == 2);
  CHECK_THROWS_WITH_AS(session.run(), "session: input input_ids, found nothing, expected values, by set()", Error);
  Tensors in = bert_inputs();
  session.set("attention_mask", std::span<const float>(in["attention_mask"]));
  for (int round = 0; round < 2; ++round) {
    in["input_ids"][4] = static_cast<float>(20 + round);
    const std::vector<std::int32_t> ids(in["input_ids"].begin(), in["input_ids"].end());
    session.set("input_ids", std::span<const std::int32_t>(ids));
    CHECK(session.run()[spec::Counter::macs] > 0);
    CHECK(worst(session.get("last_hidden_state"), evaluate(bert(), in).at("last_hidden_state"), 0.1) < 2e-5);
  }
  CHECK_THROWS_WITH_AS(session.get("logits"), "session: output, found logits, expected one of last_hidden_state", Error);
  const std::vector<float> bad = {1.5f}, two(12, 2.0f);
  CHECK_THROWS_WITH_AS(session.set("input_ids", std::span<const float>(bad)), "session: input input_ids, found 1 values, expected 12", Error);
  CHECK_THROWS_WITH_AS(session.set("attention_mask", std::span<const float>(two)), "session: input attention_mask, found 2.000000, expected 0 or 1", Error);
}

TEST_CASE("a whole graph in int8: close, and a sixth of the products") {
  const Program exact = lower(bert(), {.config = "nano"}), int8 = lower(bert(), {.config = "nano", .precision = Precision::int8});
  const Tensors in = bert_inputs();
  const double error = worst(run_checked(int8, in).at("last_hidden_state"), evaluate(bert(), in).at("last_hidden_state"), 1);
  MESSAGE("worst error " << error);
  CHECK(error < 0.05);
  CHECK(error > 1e-4);
  const auto products = [&](const Program& p) {
    TensorSession session(p, "model");
    for (const auto& [name, values] : in) session.set(name, std::span<const float>(values));
    return session.run()[spec::Counter::macs];
  };
  CHECK(products(int8) * 6 <= products(exact));
}

TEST_CASE("values share DRAM once they are dead") {
  Graph g;
  ValueId x = g.input("x", DType::f32, {1000});
  for (int i = 0; i < 20; ++i) x = g.add(Op::neg, "n" + std::to_string(i), {x});
  g.output("y", x);
  CHECK(lower(g, {.config = "nano"}).window_bytes[1] <= 2 * 4032);
}
