// ONNX's own Attention and RotaryEmbedding.
#include <cmath>

#include "attend.hpp"
#include "handlers.hpp"

namespace jogak::onnx {

namespace {

Val padded_mask(Build& b, Val mask, std::int64_t n) {
  if (mask.rank() == 0) return mask;
  const auto missing = n - mask.shape.back();
  if (missing <= 0) return mask;
  Shape shape = mask.shape;
  shape.back() = missing;
  const Val hidden = mask.type == Type::boolean ? b.filled(shape, 0, Type::boolean) : b.filled(shape, -INFINITY);
  return b.concat({b.cast(mask, hidden.type), hidden}, mask.rank() - 1);
}

// Key positions as [1, 1, 1, n], query positions as [1, 1, m, 1], both as integers.
Val positions(Build& b, std::int64_t n, bool queries) {
  return b.integers(queries ? Shape{1, 1, n, 1} : Shape{1, 1, 1, n}, range(0, n));
}

// What an external cache adds: keys below the length, the causal border and the window counted from it.
Val cache_mask(Context& c, const Val& lengths, std::int64_t m, std::int64_t n, bool causal, std::int64_t left, std::int64_t right) {
  Build& b = c.b;
  const Val length = b.retype(b.reshape(lengths, {lengths.size(), 1, 1, 1}), Type::i64), j = positions(b, n, false);
  Val mask = b.less(j, length);
  const Val place = b.add(b.add(positions(b, m, true), length), static_cast<double>(-m));
  if (causal) mask = both(b, mask, b.op(Op::less_equal, {j, place}));
  if (left >= 0) mask = both(b, mask, b.op(Op::less_equal, {b.add(place, static_cast<double>(-left)), j}));
  if (right >= 0) mask = both(b, mask, b.op(Op::less_equal, {j, b.add(place, static_cast<double>(right))}));
  return mask;
}

void scores_out(Context& c, const Attended& r) {
  const Val all[] = {r.raw, r.capped, r.biased, r.weights};
  const auto mode = c.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) c.refuse("attribute qk_matmul_output_mode", std::to_string(mode), "0 to 3");
  const Val y = all[mode];
  // Hidden scores are minus infinity in ONNX.
  c.out(3, mode == 2 ? c.b.select(c.b.less(y, -1e29), c.b.scalar(-INFINITY), y) : y);
}

void attention(Context& c) {
  Build& b = c.b;
  Attend a;
  a.q = c.in(0), a.k = c.in(1), a.v = c.in(2);
  const bool flat = a.q.rank() == 3;
  if (flat) {
    const auto heads = c.integer("q_num_heads", 0), shared = c.integer("kv_num_heads", 0);
    a.q = to_heads(c, a.q, heads);
    a.k = to_heads(c, a.k, shared);
    a.v = to_heads(c, a.v, shared);
  }
  std::int64_t past = 0;
  if (c.has(4)) {
    past = c.in(4).shape.at(2);
    a.k = b.concat({c.in(4), a.k}, 2);
    a.v = b.concat({c.in(5), a.v}, 2);
  }
  const auto m = a.q.shape.at(2), n = a.k.shape.at(2);
  a.scale = c.number("scale", static_cast<float>(1 / std::sqrt(static_cast<double>(a.q.shape.at(3)))));
  a.softcap = c.number("softcap", 0);
  a.causal = c.integer("is_causal", 0) != 0;
  a.offset = past;
  const auto left = c.integer("left_window_size", -1), right = c.integer("right_window_size", -1);
  if (c.has(3)) a.mask = padded_mask(b, c.in(3), n);
  if (c.has(6)) {
    a.mask = both(b, a.mask, cache_mask(c, c.in(6), m, n, a.causal, left, right));
    a.causal = false;
  } else if (left >= 0 || right >= 0) {
    a.mask = both(b, a.mask, band(b, m, n, past, left, right));
  }
  const Attended r = attend(b, a, c.wants(3));
  c.out(0, flat ? from_heads(b, r.y) : r.y);
  c.out(1, a.k);
  c.out(2, a.v);
  if (c.wants(3)) scores_out(c, r);
}

void rotary(Context& c) {
  Build& b = c.b;
  const Val x = c.in(0);
  const auto heads = c.integer("num_heads", 0);
  const Val y = x.rank() == 3 ? to_heads(c, x, heads) : x;
  Val cosines = c.in(1), sines = c.in(2);
  if (cosines.rank() < 2 || cosines.shape != sines.shape) c.refuse("cosines and sines", to_string(cosines.shape) + " and " + to_string(sines.shape), "equal shapes of rank 2 or 3");
  if (c.has(3)) {
    cosines = b.gather(cosines, c.in(3), 0);
    sines = b.gather(sines, c.in(3), 0);
  }
  const auto size = c.integer("rotary_embedding_dim", 0), turned = size == 0 ? y.shape.at(3) : size;
  if (cosines.shape.back() * 2 != turned) c.refuse("cosines", to_string(cosines.shape), std::to_string(turned / 2) + " for each position");
  const Val r = rotate(b, y, cosines, sines, c.integer("interleaved", 0) != 0);
  c.out(x.rank() == 3 ? from_heads(b, r) : r);
}

}  // namespace

void register_attention(Registry& r) {
  r[":Attention"] = attention;
  r[":RotaryEmbedding"] = rotary;
}

}  // namespace jogak::onnx
