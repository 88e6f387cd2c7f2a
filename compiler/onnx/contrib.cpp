// Operators of ONNX Runtime's domain com.microsoft, as its optimiser leaves them in transformer models.
#include <cmath>

#include "attend.hpp"
#include "handlers.hpp"

namespace jogak::onnx {

namespace {

Val plus(Context& c, const Val& x, std::size_t i) { return c.has(i) ? c.b.add(x, c.in(i)) : x; }

// x + skip [+ bias], normalised; the sum is the fourth output.
void skip_norm(Context& c, bool simple) {
  const Val sum = plus(c, c.b.add(c.in(0), c.in(1)), simple ? 3 : 4);
  const float eps = c.number("epsilon", simple ? 1e-5f : 1e-12f);
  const Val bias = !simple && c.has(3) ? c.in(3) : Val{};
  c.out(0, simple ? rms_norm(c.b, sum, sum.rank() - 1, c.in(2), eps) : layer_norm(c.b, sum, sum.rank() - 1, c.in(2), bias, eps));
  if (c.wants(1) || c.wants(2)) c.refuse("outputs 1 and 2", "their use", "no use of mean and deviation");
  c.out(3, sum);
}

void embed_layer_norm(Context& c) {
  Build& b = c.b;
  const Val ids = c.in(0), words = c.in(2), places = c.in(3);
  const auto s = ids.shape.at(1);
  Val x = b.gather(words, ids, 0);
  const Val place = c.has(8) ? b.gather(places, c.in(8), 0) : b.part(places, 0, 0, s);
  x = b.add(x, place);
  if (c.has(1) && c.has(4)) x = b.add(x, b.gather(c.in(4), c.in(1), 0));
  c.out(0, layer_norm(b, x, 2, c.in(5), c.in(6), c.number("epsilon", 1e-12f)));
  if (c.wants(1) && c.has(7)) c.out(1, b.reduce(Op::reduce_sum, b.cast(c.in(7), Type::i32), {1}, false));
  else if (c.wants(1)) c.out(1, b.filled({ids.shape[0]}, 0, Type::i32));
  c.out(2, x);
}

// Lengths [b] or [b, 1], or one flag for each key [b, n], as a boolean mask.
Val key_mask(Context& c, const Val& mask, std::int64_t batch, std::int64_t n) {
  Build& b = c.b;
  if (mask.rank() == 1 && mask.size() == batch) {
    const Val keys = b.constant(make_array(Type::i32, {1, n}, b.integers({n}, range(0, n)).data->values()));
    return b.reshape(b.less(keys, b.reshape(b.retype(mask, Type::i32), {batch, 1})), {batch, 1, 1, n});
  }
  const Val seen = b.cast(mask, Type::boolean);
  if (mask.rank() == 2 && mask.shape == Shape{batch, n}) return b.reshape(seen, {batch, 1, 1, n});
  if (mask.rank() == 3 && mask.shape[0] == batch && mask.shape[2] == n) return b.reshape(seen, {batch, 1, mask.shape[1], n});
  c.refuse("mask", to_string(mask.shape), "[batch], [batch, keys] or [batch, queries, keys]");
}

double scale_of(Context& c, std::int64_t size) {
  const double given = c.number("scale", 0);
  return given != 0 ? given : 1 / std::sqrt(static_cast<double>(size));
}

void attention(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0), w = c.in(1);
  const auto heads = c.integer("num_heads", 0), width = w.shape.at(1);
  const auto sizes = c.integers("qkv_hidden_sizes", {width / 3, width / 3, width / 3});
  if (x.rank() != 3 || sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != width || heads < 1)
    c.refuse("input and weights", to_string(x.shape) + " and " + to_string(w.shape), "[batch, sequence, width] and [width, q + k + v]");
  if (c.integer("do_rotary", 0) != 0) c.refuse("attribute do_rotary", "1", "0: rotate with RotaryEmbedding");
  const Val qkv = plus(c, numpy_matmul(c, x, w), 2);
  Attend a;
  a.q = to_heads(c, b.part(qkv, 2, 0, sizes[0]), heads);
  a.k = to_heads(c, b.part(qkv, 2, sizes[0], sizes[0] + sizes[1]), heads);
  a.v = to_heads(c, b.part(qkv, 2, sizes[0] + sizes[1], width), heads);
  if (c.has(4)) {
    const Val past = c.in(4);
    const Shape one(past.shape.begin() + 1, past.shape.end());
    a.offset = one.at(2);
    a.k = b.concat({b.reshape(b.part(past, 0, 0, 1), one), a.k}, 2);
    a.v = b.concat({b.reshape(b.part(past, 0, 1, 2), one), a.v}, 2);
  }
  a.causal = c.integer("unidirectional", 0) != 0;
  a.scale = scale_of(c, a.q.shape[3]);
  if (c.has(3)) a.mask = key_mask(c, c.in(3), x.shape[0], a.k.shape[2]);
  if (c.has(5)) a.mask = both(b, a.mask, c.in(5));
  c.out(0, from_heads(b, attend(b, a).y));
  if (c.wants(1)) {
    Shape pair = a.k.shape;
    pair.insert(pair.begin(), 1);
    c.out(1, b.concat({b.reshape(a.k, pair), b.reshape(a.v, pair)}, 0));
  }
}

// One of the packed [b, s, heads, parts, d] as [b, heads, s, d].
Val unpacked(Build& b, const Val& x, std::int64_t part) {
  const Val one = b.part(x, 3, part, part + 1);
  return b.transpose(b.reshape(one, {x.shape[0], x.shape[1], x.shape[2], x.shape[4]}), {0, 2, 1, 3});
}

void read_heads(Context& c, Attend& a) {
  Build& b = c.b;
  const auto heads = c.integer("num_heads", 0);
  const Val q = c.in(0);
  if (q.rank() == 5) {
    a.q = unpacked(b, q, 0), a.k = unpacked(b, q, 1), a.v = unpacked(b, q, 2);
    return;
  }
  const auto wide = q.shape.at(2);
  const auto biased = [&](const Val& x, std::int64_t from) {
    return c.has(3) ? b.add(x, b.part(c.in(3), 0, from, from + x.shape[2])) : x;
  };
  a.q = to_heads(c, biased(q, 0), heads);
  if (c.in(1).rank() == 5) {
    a.k = unpacked(b, c.in(1), 0), a.v = unpacked(b, c.in(1), 1);
  } else if (c.in(1).rank() == 4) {  // the cached keys of another sequence, biased when they were made
    a.k = c.in(1), a.v = c.in(2);
  } else {
    a.k = to_heads(c, biased(c.in(1), wide), heads);
    a.v = to_heads(c, biased(c.in(2), 2 * wide), heads);
  }
}

void multi_head(Context& c) {
  Build& b = c.b;
  Attend a;
  read_heads(c, a);
  if (c.has(6)) {
    a.offset = c.in(6).shape.at(2);
    a.k = b.concat({c.in(6), a.k}, 2);
    a.v = b.concat({c.in(7), a.v}, 2);
  }
  if (c.has(8) || c.has(9)) c.refuse("inputs 8 and 9", "a shared cache buffer", "past keys and values that grow");
  a.causal = c.integer("unidirectional", 0) != 0;
  a.scale = scale_of(c, a.q.shape[3]);
  if (c.has(4)) a.mask = key_mask(c, c.in(4), a.q.shape[0], a.k.shape[2]);
  if (c.has(5)) a.mask = both(b, a.mask, c.in(5));
  const Attended r = attend(b, a, c.wants(3));
  c.out(0, from_heads(b, r.y));
  c.out(1, a.k);
  c.out(2, a.v);
  if (c.wants(3)) c.out(3, r.raw);
}

// Cosines or sines of positions past .. past + s - 1, or of those given.
Val turned_rows(Context& c, std::size_t table, std::size_t ids, std::int64_t past, std::int64_t s) {
  Build& b = c.b;
  if (c.has(ids)) return b.gather(c.in(table), c.in(ids), 0);
  const Val rows = b.part(c.in(table), 0, past, past + s);
  return b.reshape(rows, {1, s, rows.shape[1]});
}

void grouped_query(Context& c) {
  Build& b = c.b;
  const auto heads = c.integer("num_heads", 0), shared = c.integer("kv_num_heads", 0);
  if (heads < 1 || shared < 1 || heads % shared != 0) c.refuse("heads", std::to_string(heads) + " for " + std::to_string(shared), "a multiple");
  Attend a;
  if (c.has(1)) {
    a.q = to_heads(c, c.in(0), heads), a.k = to_heads(c, c.in(1), shared), a.v = to_heads(c, c.in(2), shared);
  } else {
    const Val all = to_heads(c, c.in(0), heads + 2 * shared);
    a.q = b.part(all, 1, 0, heads), a.k = b.part(all, 1, heads, heads + shared), a.v = b.part(all, 1, heads + shared, heads + 2 * shared);
  }
  const auto s = a.q.shape[2], past = c.has(3) ? c.in(3).shape.at(2) : 0;
  if (c.integer("do_rotary", 0) != 0) {
    const bool interleaved = c.integer("rotary_interleaved", 0) != 0;
    const Val cosines = turned_rows(c, 7, 9, past, s), sines = turned_rows(c, 8, 9, past, s);
    a.q = rotate(b, a.q, cosines, sines, interleaved);
    a.k = rotate(b, a.k, cosines, sines, interleaved);
  }
  if (past != 0) {
    a.k = b.concat({c.in(3), a.k}, 2);
    a.v = b.concat({c.in(4), a.v}, 2);
  }
  if (c.has(11)) c.refuse("input 11", "a sink for each head", "none");
  const auto n = past + s, window = c.integer("local_window_size", -1);
  a.causal = true;
  a.offset = past;
  a.scale = scale_of(c, a.q.shape[3]);
  a.softcap = c.number("softcap", 0);
  // seqlens_k is the last key's index in each row; queries stand behind the whole past.
  const Val last = c.in(5);
  const Val lengths = b.add(b.retype(b.reshape(last, {last.size()}), Type::i32), 1);
  const bool full = lengths.data && lengths.data->values() == std::vector<double>(static_cast<std::size_t>(lengths.size()), static_cast<double>(n));
  if (!full) a.mask = key_mask(c, lengths, a.q.shape[0], n);
  if (window > 0) a.mask = both(b, a.mask, band(b, s, n, past, window - 1, -1));
  if (c.has(10)) a.mask = both(b, a.mask, c.in(10));
  c.out(0, from_heads(b, attend(b, a).y));
  c.out(1, a.k);
  c.out(2, a.v);
}

void rotary(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0), ids = c.in(1);
  const auto heads = c.integer("num_heads", 0), partial = c.integer("rotary_embedding_dim", 0);
  const auto half = c.in(2).shape.at(1);
  Val y = x;
  if (x.rank() == 3) y = to_heads(c, x, heads != 0 ? heads : x.shape[2] / (partial != 0 ? c.in(2).shape[1] * 2 : 2 * half));
  const auto s = y.shape.at(2);
  Val places = ids;
  if (ids.size() == 1) {
    const Val steps = b.constant(make_array(ids.type, {1, s}, b.integers({s}, range(0, s)).data->values()));
    places = b.add(steps, b.reshape(ids, {1, 1}));
  }
  const Val r = rotate(b, y, b.gather(c.in(2), places, 0), b.gather(c.in(3), places, 0), c.integer("interleaved", 0) != 0);
  c.out(x.rank() == 3 ? from_heads(b, r) : r);
}

void fused_matmul(Context& c) {
  Build& b = c.b;
  if (c.integer("transBatchA", 0) != 0 || c.integer("transBatchB", 0) != 0) c.refuse("attributes transBatchA and transBatchB", "1", "0");
  const Val y = b.matmul(c.in(0), c.in(1), c.integer("transA", 0) != 0, c.integer("transB", 0) != 0);
  const float alpha = c.number("alpha", 1);
  c.out(alpha == 1 ? y : b.mul(y, alpha));
}

void bias_gelu(Context& c) { c.out(gelu(c.b, plus(c, c.in(0), 1), false)); }
void fast_gelu(Context& c) { c.out(gelu(c.b, plus(c, c.in(0), 1), true)); }
void quick_gelu(Context& c) {
  const Val x = c.in(0);
  c.out(c.b.mul(x, sigmoid(c.b, c.b.mul(x, c.number("alpha", 1.702f)))));
}

}  // namespace

void register_contrib(Registry& r) {
  const std::string ms = "com.microsoft:";
  r[ms + "Attention"] = attention;
  r[ms + "MultiHeadAttention"] = multi_head;
  r[ms + "GroupQueryAttention"] = grouped_query;
  r[ms + "RotaryEmbedding"] = rotary;
  r[ms + "SkipLayerNormalization"] = [](Context& c) { skip_norm(c, false); };
  r[ms + "SkipSimplifiedLayerNormalization"] = [](Context& c) { skip_norm(c, true); };
  r[ms + "EmbedLayerNormalization"] = embed_layer_norm;
  r[ms + "BiasGelu"] = bias_gelu;
  r[ms + "Gelu"] = bias_gelu;
  r[ms + "FastGelu"] = fast_gelu;
  r[ms + "QuickGelu"] = quick_gelu;
  r[ms + "FusedMatMul"] = fused_matmul;
}

}  // namespace jogak::onnx
