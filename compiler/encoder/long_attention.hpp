// One head's attention over any number of keys: chunks of keys stream through, what is kept on chip does not grow with them.
#pragma once
#include "../emit/emitter.hpp"
#include "npu_spec.hpp"

namespace jogak::encoder {

// Window 0: q, fp32 [queries][words]; then, behind each other, K int8 [padded head / 32][keys][32], its bf16 scales [padded head / 32][keys],
// V int8 [words / C][keys][C] and V's scales, fp32 [keys]. Window 1: the result, fp32 [queries][words].
// `keys` is a multiple of `chunk`; argument 0 of a launch says how many of them there are (1 .. keys).
struct LongAttention {
  spec::Config config;
  int queries = 128, head_dim = 64, keys = 4096, chunk = 64;

  int words() const;   // of a row: head_dim padded to C
  int padded() const;  // head_dim padded to 32
  std::uint32_t at_k() const, at_ks() const, at_v() const, at_vs() const, input_bytes() const, output_bytes() const;
  // Of vector memory, whatever the number of keys.
  std::uint32_t vector_words() const;
};

// Throws jogak::Error when it does not fit.
emit::Emitter lower_attention(const LongAttention& attention);

}  // namespace jogak::encoder
