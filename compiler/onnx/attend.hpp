// Scaled dot-product attention as ONNX's several operators need it.
#pragma once
#include "context.hpp"

namespace jogak::onnx {

struct Attend {
  Val q, k, v;        // [b, heads, m, d], [b, kv heads, n, d], [b, kv heads, n, e]
  Val mask;           // broadcasts to [b, heads, m, n]: boolean (1: seen) or added; may be absent
  bool causal = false;
  std::int64_t offset = 0;  // causal: query i sees keys up to i + offset
  double scale = 1;
  double softcap = 0;
};

struct Attended {
  Val y;              // [b, heads, m, e]
  Val raw, capped, biased, weights;  // scores [b, heads, m, n], with `scores` only
};

// A query that sees no key gives zeros.
Attended attend(Build& b, const Attend& a, bool scores = false);

// Both masks hold; either may be absent.
Val both(Build& b, const Val& x, const Val& y);
// [m, n]: query i, which stands at i + offset, sees keys from i + offset - left to i + offset + right; -1: no bound.
Val band(Build& b, std::int64_t m, std::int64_t n, std::int64_t offset, std::int64_t left, std::int64_t right);

// [b, s, heads * d] to [b, heads, s, d] and back.
Val to_heads(Context& c, const Val& x, std::int64_t heads);
Val from_heads(Build& b, const Val& x);

// x [b, heads, s, d], cosines and sines [b or 1, s, half]; the first 2 * half values of every head turn.
Val rotate(Build& b, const Val& x, const Val& cosines, const Val& sines, bool interleaved);

}  // namespace jogak::onnx
