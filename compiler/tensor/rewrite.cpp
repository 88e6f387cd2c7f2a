#include "rewrite.hpp"

#include <algorithm>
#include <cmath>

#include "evaluate.hpp"
#include "kernels.hpp"

namespace jogak::tensor {
namespace {

using Ids = std::vector<ValueId>;

std::vector<bool> needed(const Graph& g) {
  std::vector<bool> need(g.values().size(), false);
  for (const Port& p : g.outputs()) need[static_cast<std::size_t>(p.value)] = true;
  for (std::size_t i = g.nodes().size(); i-- > 0;) {
    const Node& n = g.nodes()[i];
    if (std::any_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return need[static_cast<std::size_t>(v)]; }))
      for (const ValueId v : n.inputs) need[static_cast<std::size_t>(v)] = true;
  }
  return need;
}

Ids keep(Graph& to, const Node& n, const Ids& in) { return to.add_all(n.op, n.name, in, n.attrs); }

// Builders in the words of NumPy, all nodes named after the one they replace.
struct Maker {
  Graph& g;
  const std::string& name;
  ValueId operator()(Op op, const Ids& in, const Attrs& a = {}) const { return g.add(op, name, in, a); }
  ValueId number(float x) const { return g.scalar(x); }
  ValueId reshape(ValueId x, const Shape& to) const { return g.shape(x) == to ? x : g.add(Op::reshape, name, {x}, {.shape = to}); }
  ValueId reduce(Op op, ValueId x, std::vector<std::int64_t> axes) const { return g.add(op, name, {x}, {.axes = std::move(axes), .keep = true}); }
};

std::vector<std::int64_t> from_axis(std::int64_t axis, std::size_t rank) {
  std::vector<std::int64_t> axes;
  for (auto a = axis; a < static_cast<std::int64_t>(rank); ++a) axes.push_back(a);
  return axes;
}

ValueId softmax(const Maker& m, const Node& n, ValueId x) {
  const ValueId most = m.reduce(Op::reduce_max, x, {n.attrs.axis});
  const ValueId e = m(Op::exp, {m(Op::sub, {x, most})});
  return m(Op::div, {e, m.reduce(Op::reduce_sum, e, {n.attrs.axis})});
}

ValueId norm(const Maker& m, const Node& n, const Ids& in) {
  const auto axes = from_axis(n.attrs.axis, m.g.shape(in[0]).size());
  ValueId x = in[0];
  if (n.op == Op::layer_norm) x = m(Op::sub, {x, m.reduce(Op::reduce_mean, x, axes)});
  const ValueId variance = m.reduce(Op::reduce_mean, m(Op::mul, {x, x}), axes);
  x = m(Op::mul, {x, m(Op::rsqrt, {m(Op::add, {variance, m.number(n.attrs.value)})})});
  x = m(Op::mul, {x, in[1]});
  return in.size() > 2 ? m(Op::add, {x, in[2]}) : x;
}

ValueId causal_mask(const Maker& m, std::int64_t rows, std::int64_t keys, std::int64_t offset) {
  std::vector<float> mask(static_cast<std::size_t>(rows * keys), 0.0f);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = std::max<std::int64_t>(0, i + offset + 1); j < keys; ++j) mask[static_cast<std::size_t>(i * keys + j)] = -INFINITY;
  return m.g.constant(m.name + ".causal", {rows, keys}, std::move(mask));
}

ValueId attention(const Maker& m, const Node& n, const Ids& in) {
  const Shape q = m.g.shape(in[0]), k = m.g.shape(in[1]), v = m.g.shape(in[2]);
  const std::int64_t group = q[1] / k[1], rows = group * q[2], keys = k[2];
  // Query heads of one key head are one taller matrix.
  ValueId s = m(Op::matmul, {m.reshape(in[0], {q[0], k[1], rows, q[3]}), in[1]}, {.transpose_b = true, .precision = n.attrs.precision});
  s = m(Op::mul, {s, m.number(n.attrs.value)});
  if (n.attrs.softcap > 0) {
    s = m(Op::tanh, {m(Op::mul, {s, m.number(1 / n.attrs.softcap)})});
    s = m(Op::mul, {s, m.number(n.attrs.softcap)});
  }
  s = m.reshape(s, {q[0], q[1], q[2], keys});
  if (in.size() > 3) {
    const bool logic = m.g.value(in[3]).dtype == DType::boolean;
    s = logic ? m(Op::select, {in[3], s, m.number(-INFINITY)}) : m(Op::add, {s, in[3]});
  }
  if (n.attrs.causal) s = m(Op::add, {s, causal_mask(m, q[2], keys, n.attrs.offset)});
  s = m(Op::softmax, {s}, {.axis = -1});
  const ValueId out = m(Op::matmul, {m.reshape(s, {q[0], k[1], rows, keys}), in[2]}, {.precision = n.attrs.precision});
  return m.reshape(out, {q[0], q[1], q[2], v[3]});
}

Ids decomposed(Graph& to, const Node& n, const Ids& in) {
  const Maker m{to, n.name};
  switch (n.op) {
    case Op::softmax: return {softmax(m, n, in[0])};
    case Op::attention: return {attention(m, n, in)};
    default: return {norm(m, n, in)};
  }
}

// ---- what the kernels want ------------------------------------------------------------------

float neutral(Op op) { return op == Op::reduce_max ? -INFINITY : op == Op::reduce_min ? INFINITY : 0.0f; }

// One group of neighbouring axes first .. last - 1.
ValueId reduce_group(const Maker& m, Op op, ValueId x, std::int64_t first, std::int64_t last, std::int64_t most) {
  Shape s = m.g.shape(x);
  std::int64_t size = 1;
  std::vector<std::int64_t> axes;
  for (std::int64_t a = first; a < last; ++a) size *= s[static_cast<std::size_t>(a)], axes.push_back(a);
  if (size <= most) return m.reduce(op, x, axes);
  // Too long for a row: in parts, the last filled up.
  const Op part_op = op == Op::reduce_mean ? Op::reduce_sum : op;
  const std::int64_t parts = (size + most - 1) / most, part = (size + parts - 1) / parts;
  Shape flat(s.begin(), s.begin() + first);
  flat.push_back(size);
  flat.insert(flat.end(), s.begin() + last, s.end());
  x = m.reshape(x, flat);
  if (parts * part != size) {
    Attrs pad{.starts = std::vector<std::int64_t>(flat.size(), 0), .ends = std::vector<std::int64_t>(flat.size(), 0), .value = neutral(op)};
    pad.ends[static_cast<std::size_t>(first)] = parts * part - size;
    x = m(Op::pad, {x}, pad);
  }
  flat[static_cast<std::size_t>(first)] = parts;
  flat.insert(flat.begin() + first + 1, part);
  x = m.reduce(part_op, m.reshape(x, flat), {first + 1});
  x = reduce_group(m, part_op, x, first, first + 2, most);
  if (op == Op::reduce_mean) x = m(Op::mul, {x, m.number(static_cast<float>(1.0 / static_cast<double>(size)))});
  for (std::int64_t a = first; a < last; ++a) s[static_cast<std::size_t>(a)] = 1;
  return m.reshape(x, s);
}

ValueId reduce(const Maker& m, const Node& n, ValueId x, const Shape& result, std::int64_t most) {
  const auto& axes = n.attrs.axes;
  for (std::size_t i = 0; i < axes.size();) {
    std::size_t j = i + 1;
    while (j < axes.size() && axes[j] == axes[j - 1] + 1) ++j;
    x = reduce_group(m, n.op, x, axes[i], axes[j - 1] + 1, most);
    i = j;
  }
  return m.reshape(x, result);
}

bool simple(const Node& n, const Shape& shape, std::int64_t most) {
  std::int64_t size = 1;
  for (const auto a : n.attrs.axes) size *= shape[static_cast<std::size_t>(a)];
  return size <= most && (n.attrs.axes.empty() || n.attrs.axes.back() - n.attrs.axes.front() + 1 == static_cast<std::int64_t>(n.attrs.axes.size()));
}

std::int64_t row_length(const Node& n, const Shape& s) {
  if (n.op == Op::softmax) return s[static_cast<std::size_t>(n.attrs.axis)];
  return elements({s.begin() + n.attrs.axis, s.end()});
}

// The best of each part, then the best of those: equal values keep the order of their indices.
Ids long_top_k(const Maker& m, const Node& n, ValueId x, std::int64_t most) {
  const Shape s = m.g.shape(x);
  const auto axis = static_cast<std::size_t>(n.attrs.axis);
  const std::int64_t parts = (s[axis] + most - 1) / most;
  if (n.attrs.count * parts >= s[axis])
    throw Error("tensor", "node " + n.name + " (top_k): axis and count", std::to_string(s[axis]) + " and " + std::to_string(n.attrs.count),
                "an axis of at most " + std::to_string(most) + ", or a smaller count");
  Ids values, indices;
  for (std::int64_t at = 0; at < s[axis]; at += most) {
    Attrs cut{.shape = s, .starts = std::vector<std::int64_t>(s.size(), 0), .steps = std::vector<std::int64_t>(s.size(), 1)};
    cut.starts[axis] = at;
    cut.shape[axis] = std::min(most, s[axis] - at);
    Attrs part = n.attrs;
    part.count = std::min(part.count, cut.shape[axis]);
    const Ids best = m.g.add_all(Op::top_k, m.name, {m(Op::slice, {x}, cut)}, part);
    values.push_back(best[0]);
    indices.push_back(m(Op::add, {best[1], m.g.constant("", {}, {static_cast<float>(at)}, DType::i32)}));
  }
  const ValueId candidates = m(Op::concat, values, {.axis = n.attrs.axis}), places = m(Op::concat, indices, {.axis = n.attrs.axis});
  const Ids best = m.g.add_all(Op::top_k, m.name, {candidates}, n.attrs);
  // The place of candidate j, where j is the one chosen, summed over all j.
  const Shape have = m.g.shape(places);
  Shape ramp(s.size() + 1, 1), chosen = m.g.shape(best[1]), wide = have;
  ramp[axis + 1] = have[axis];
  chosen.insert(chosen.begin() + n.attrs.axis + 1, 1);
  wide.insert(wide.begin() + n.attrs.axis, 1);
  std::vector<float> numbers(static_cast<std::size_t>(have[axis]));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  const ValueId hit = m(Op::equal, {m.reshape(best[1], chosen), m.g.constant("", ramp, std::move(numbers), DType::i32)});
  const ValueId picked = m(Op::mul, {m(Op::cast, {hit}, {.dtype = DType::i32}), m.reshape(places, wide)});
  return {best[0], m.g.add(Op::reduce_sum, m.name, {picked}, {.axes = {n.attrs.axis + 1}})};
}

Ids legal(Graph& to, const Node& n, const Ids& in, const spec::Config& config) {
  const Maker m{to, n.name};
  const std::int64_t most = longest_row(config);
  const Shape shape = to.shape(in[0]);
  if (n.op == Op::attention && in.size() > 3 && to.value(in[3]).dtype == DType::boolean) {
    Ids additive = in;
    additive[3] = m(Op::select, {in[3], m.number(0), m.number(-INFINITY)});
    return keep(to, n, additive);
  }
  if (n.op == Op::attention) {
    Node now = n;
    now.inputs = in;
    return attention_fits(to, now, config) ? keep(to, n, in) : decomposed(to, n, in);
  }
  if (n.op >= Op::softmax && row_length(n, shape) > most) return decomposed(to, n, in);
  if (n.op == Op::layer_norm || n.op == Op::rms_norm) {
    Ids full = in;
    const Shape tail(shape.begin() + n.attrs.axis, shape.end());
    for (std::size_t i = 1; i < in.size(); ++i)
      if (elements(to.shape(in[i])) != elements(tail)) full[i] = m(Op::expand, {in[i]}, {.shape = tail});
    return keep(to, n, full);
  }
  if (n.op >= Op::reduce_sum && n.op <= Op::reduce_mean && !(n.attrs.axes.empty() || simple(n, shape, most))) {
    Node copy = n;
    const Shape result = infer(copy, {&to.value(in[0])}).front().shape;
    return {reduce(m, n, in[0], result, most)};
  }
  if (n.op >= Op::reduce_sum && n.op <= Op::reduce_mean && n.attrs.axes.empty()) return {in[0]};
  if (n.op == Op::top_k && shape[static_cast<std::size_t>(n.attrs.axis)] > longest_top_k(config)) return long_top_k(m, n, in[0], longest_top_k(config));
  return keep(to, n, in);
}

}  // namespace

Graph rewrite(const Graph& from, const Replace& replace) {
  const std::vector<bool> need = needed(from);
  Graph to;
  to.title = from.title;
  Ids now(from.values().size(), -1);
  for (const Port& p : from.inputs()) now[static_cast<std::size_t>(p.value)] = to.input(p.name, from.value(p.value).dtype, from.shape(p.value));
  const auto get = [&](ValueId id) {
    ValueId& to_id = now[static_cast<std::size_t>(id)];
    if (to_id < 0) to_id = to.share(from.value(id));
    return to_id;
  };
  for (const Node& n : from.nodes()) {
    if (std::none_of(n.outputs.begin(), n.outputs.end(), [&](ValueId v) { return need[static_cast<std::size_t>(v)]; })) continue;
    Ids in;
    for (const ValueId id : n.inputs) in.push_back(get(id));
    const Ids out = replace(to, n, in);
    for (std::size_t i = 0; i < out.size(); ++i) now[static_cast<std::size_t>(n.outputs[i])] = out[i];
  }
  for (const Port& p : from.outputs()) to.output(p.name, get(p.value));
  return to;
}

Graph decompose(const Graph& graph, const std::vector<Op>& which) {
  return rewrite(graph, [&](Graph& to, const Node& n, const Ids& in) {
    const bool now = n.op >= Op::softmax && std::find(which.begin(), which.end(), n.op) != which.end();
    return now ? decomposed(to, n, in) : keep(to, n, in);
  });
}

Graph fold_constants(const Graph& graph) {
  return rewrite(graph, [&](Graph& to, const Node& n, const Ids& in) {
    if (!std::all_of(in.begin(), in.end(), [&](ValueId id) { return to.value(id).constant(); })) return keep(to, n, in);
    Node copy = n;
    Graph alone;  // the node by itself, to be evaluated
    Ids inputs;
    std::vector<const std::vector<float>*> data;
    for (const ValueId id : in) {
      inputs.push_back(alone.share(to.value(id)));
      data.push_back(to.value(id).data.get());
    }
    copy.outputs = alone.add_all(n.op, n.name, inputs, n.attrs);
    copy.inputs = inputs;
    Ids out;
    auto results = evaluate(alone, alone.nodes().back(), data);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Value& v = alone.value(copy.outputs[i]);
      out.push_back(to.constant(v.name, v.shape, std::move(results[i]), v.dtype));
    }
    return out;
  });
}

Graph legalize(const Graph& graph, const spec::Config& config) {
  const auto pass = [&](Graph& to, const Node& n, const Ids& in) { return legal(to, n, in, config); };
  // A mask becomes numbers, attention leaves softmax, long softmax long reductions: what one round makes the next one sees.
  Graph g = fold_constants(graph);
  for (int round = 0; round < 5; ++round) g = rewrite(g, pass);
  return fold_constants(g);
}

}  // namespace jogak::tensor
