// Activation functions, each in all the spellings that models have.
#include <cmath>

#include "handlers.hpp"

namespace jogak::onnx {

Val sigmoid(Build& b, const Val& x) { return b.unary(Op::sigmoid, x); }
Val relu(Build& b, const Val& x) { return b.max(x, b.scalar(0, x.type)); }

// max(x, 0) + log(1 + exp(-|x|)): no overflow, and small results keep their digits.
Val softplus(Build& b, const Val& x) {
  const Val tail = b.unary(Op::exp, b.unary(Op::neg, b.unary(Op::abs, x)));
  return b.add(relu(b, x), b.unary(Op::log, b.add(tail, 1)));
}

Val gelu(Build& b, const Val& x, bool tanh) {
  if (!tanh) return b.mul(b.mul(x, 0.5), b.add(b.unary(Op::erf, b.mul(x, std::sqrt(0.5))), 1));
  const Val cube = b.mul(b.mul(x, x), x);
  const Val inner = b.mul(b.add(x, b.mul(cube, 0.044715)), std::sqrt(2 / std::acos(-1.0)));
  // x / (1 + exp(-2 inner)): the same function, without cancellation for negative x.
  return b.mul(x, sigmoid(b, b.mul(inner, 2)));
}

namespace {

// exp(x) - 1 for x <= 0; near 0 by its series, where the difference would lose digits.
Val exp_minus_1(Build& b, const Val& x) {
  const Val series = b.mul(x, b.add(b.mul(x, b.add(b.mul(x, b.add(b.mul(x, 1.0 / 24), 1.0 / 6)), 0.5)), 1));
  const Val far = b.add(b.unary(Op::exp, x), -1);
  return b.select(b.less(b.unary(Op::abs, x), 0.05), series, far);
}

Val elu(Build& b, const Val& x, double alpha, double beta) {
  const Val zero = b.scalar(0);
  const Val below = b.mul(exp_minus_1(b, b.mul(b.min(x, zero), 1 / beta)), alpha);
  return b.add(b.max(x, zero), below);
}

Val leaky(Build& b, const Val& x, const Val& slope) {
  const Val zero = b.scalar(0, x.type);
  return b.add(b.max(x, zero), b.mul(b.min(x, zero), slope));
}

Val hard_sigmoid(Build& b, const Val& x, double alpha, double beta) {
  return b.max(b.min(b.add(b.mul(x, alpha), beta), b.scalar(1)), b.scalar(0));
}

void shrink(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const double lambda = c.number("lambd", 0.5f), bias = c.number("bias", 0);
  const Val f = b.cast(x, Type::f32), zero = b.scalar(0);
  const Val low = b.select(b.less(f, -lambda), b.add(f, bias), zero);
  c.out(b.cast(b.select(b.less(b.scalar(lambda), f), b.add(f, -bias), low), x.type));
}

void prelu(Context& c) { c.out(leaky(c.b, c.in(0), c.in(1))); }

void thresholded(Context& c) {
  const Val x = c.in(0);
  c.out(c.b.select(c.b.less(c.b.scalar(c.number("alpha", 1)), x), x, c.b.scalar(0)));
}

void swish(Context& c) {
  const Val x = c.in(0);
  const double alpha = c.number("alpha", 1);
  c.out(c.b.mul(x, sigmoid(c.b, alpha == 1 ? x : c.b.mul(x, alpha))));
}

void mish(Context& c) { c.out(c.b.mul(c.in(0), c.b.unary(Op::tanh, softplus(c.b, c.in(0))))); }

void softsign(Context& c) { c.out(c.b.div(c.in(0), c.b.add(c.b.unary(Op::abs, c.in(0)), 1))); }

void hyperbolic(Context& c, double sign) {
  Build& b = c.b;
  const Val up = b.unary(Op::exp, c.in(0)), down = b.unary(Op::exp, b.unary(Op::neg, c.in(0)));
  c.out(b.mul(b.add(up, b.mul(down, sign)), 0.5));
}

void softmax(Context& c, bool logarithm) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto [flat, along_axis] = c.along(x);
  const Val y = b.reshape(x, flat);
  if (!logarithm) {
    // Rows of nothing but minus infinity become equal weights, which models hide afterwards, not NaN.
    c.out(b.reshape(b.softmax(b.max(y, b.scalar(lowest(Type::f32))), along_axis), x.shape));
    return;
  }
  const Val shifted = b.sub(y, b.reduce(Op::reduce_max, y, {along_axis}, true));
  const Val total = b.reduce(Op::reduce_sum, b.unary(Op::exp, shifted), {along_axis}, true);
  c.out(b.reshape(b.sub(shifted, b.unary(Op::log, total)), x.shape));
}

void gelu_node(Context& c) {
  const std::string form = c.text("approximate", "none");
  if (form != "none" && form != "tanh") c.refuse("attribute approximate", form, "none or tanh");
  c.out(gelu(c.b, c.in(0), form == "tanh"));
}

}  // namespace

void register_activations(Registry& r) {
  r[":Tanh"] = [](Context& c) { c.out(c.b.unary(Op::tanh, c.in(0))); };
  r[":Sigmoid"] = [](Context& c) { c.out(sigmoid(c.b, c.in(0))); };
  r[":Relu"] = [](Context& c) { c.out(relu(c.b, c.in(0))); };
  r[":LeakyRelu"] = [](Context& c) { c.out(leaky(c.b, c.in(0), c.b.scalar(c.number("alpha", 0.01f)))); };
  r[":PRelu"] = prelu;
  r[":ThresholdedRelu"] = thresholded;
  r[":Elu"] = [](Context& c) { c.out(elu(c.b, c.in(0), c.number("alpha", 1), 1)); };
  r[":Celu"] = [](Context& c) { c.out(elu(c.b, c.in(0), c.number("alpha", 1), c.number("alpha", 1))); };
  r[":Selu"] = [](Context& c) {
    const double gamma = c.number("gamma", 1.05070102214813232421875f);
    c.out(c.b.mul(elu(c.b, c.in(0), c.number("alpha", 1.67326319217681884765625f), 1), gamma));
  };
  r[":Softplus"] = [](Context& c) { c.out(softplus(c.b, c.in(0))); };
  r[":Softsign"] = softsign;
  r[":HardSigmoid"] = [](Context& c) { c.out(hard_sigmoid(c.b, c.in(0), c.number("alpha", 0.2f), c.number("beta", 0.5f))); };
  r[":HardSwish"] = [](Context& c) { c.out(c.b.mul(c.in(0), hard_sigmoid(c.b, c.in(0), 1.0 / 6, 0.5))); };
  r[":Swish"] = swish;
  r[":Mish"] = mish;
  r[":Gelu"] = gelu_node;
  r[":Shrink"] = shrink;
  r[":Sinh"] = [](Context& c) { hyperbolic(c, -1); };
  r[":Cosh"] = [](Context& c) { hyperbolic(c, 1); };
  r[":Softmax"] = [](Context& c) { softmax(c, false); };
  r[":LogSoftmax"] = [](Context& c) { softmax(c, true); };
}

}  // namespace jogak::onnx
