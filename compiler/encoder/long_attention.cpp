#include "long_attention.hpp"

#include <bit>
#include <cfloat>
#include <cmath>

#include "../schedule/arithmetic.hpp"
#include "error.hpp"

namespace jogak::encoder {
namespace {

using emit::Reg;
using spec::AluFn;
using spec::Bmode;
using spec::Engine;
using spec::Load;
using spec::Mm;
using spec::Qnt;
using spec::Space;
using spec::Store;
using spec::Vec;
using spec::Vfunc;
using spec::Vop;
using spec::Vred;

enum Semaphore : unsigned { kKFull, kKFree, kVFull, kVFree, kVsFull, kInput, kScores, kOperand, kAttended, kDone };

// Places on chip.
struct Places {
  explicit Places(const LongAttention& a) {
    const auto u32 = [](long long x) { return static_cast<std::uint32_t>(x); };
    const int c = static_cast<int>(a.config.cols), vector = (a.queries + c - 1) / c * c;
    scores_words = u32(static_cast<long long>(a.queries) * a.chunk);
    std::uint32_t at = 0;
    const auto take = [&](long long size) {
      const std::uint32_t here = at;
      at += u32(size);
      return here;
    };
    scores = take(2LL * scores_words), result = take(static_cast<long long>(a.queries) * a.words());
    for (std::uint32_t* v : {&state, &maxima, &sums, &part}) *v = take(vector);
    vscales = take(2LL * a.chunk);
    words = at;
    k_bytes = u32(a.chunk * a.padded()), v_bytes = u32(a.chunk * a.words());
    v_area = 2 * k_bytes;
    p_bytes = u32(static_cast<long long>(a.queries) * a.chunk);
    p = u32(static_cast<long long>(a.queries) * a.padded());
  }
  std::uint32_t scores, scores_words, result, state, maxima, sums, part, vscales, words;
  std::uint32_t k_bytes, v_bytes, v_area, p, p_bytes;
};

class Lowering : schedule::Arithmetic {
 public:
  explicit Lowering(const LongAttention& a) : Arithmetic(true), a_(a), p_(a), cols_(static_cast<int>(a.config.cols)) {}

  emit::Emitter run() {
    prologue();
    e_.label("chunks");
    e_.loop(rest_, [&] {
      e_.label("scores");
      scores(other(scores_, p_.scores, p_.scores_words));
      softmax();
      values();
      next();
      load_values();
      load_keys();
    });
    softmax();
    values();
    finish();
    e_.put(spec::Halt{});
    return std::move(e_);
  }

 private:
  Reg rows() { return k(a_.queries); }
  Reg chunk() { return k(a_.chunk); }
  // Of two places `size` apart the one that `r` is not.
  Reg other(Reg r, std::uint32_t first, std::uint32_t size) {
    const Reg o = e_.temporary();
    e_.set(o, 2 * first + size);
    e_.alu(AluFn::sub, o, o, r);
    return o;
  }

  void prologue() {
    e_.label("prologue");
    for (Reg* r : {&rest_, &base_, &scores_, &k_, &v_, &vs_, &pq_, &loaded_k_, &loaded_v_, &use_k_, &limit_}) *r = e_.variable();
    e_.signal(Engine::seq, kKFree, 2);
    e_.signal(Engine::seq, kVFree, 2);
    e_.signal(Engine::seq, kAttended);
    const int shift = std::countr_zero(static_cast<unsigned>(a_.chunk));
    e_.alui(AluFn::add, rest_, n_, u32(a_.chunk - 1));
    e_.alui(AluFn::shr, rest_, rest_, u32(shift));
    advance(rest_, -1);
    for (const Reg r : {base_, k_, loaded_k_, loaded_v_, use_k_}) e_.set(r, 0);
    e_.set(scores_, p_.scores);
    e_.set(v_, p_.v_area);
    e_.set(vs_, p_.vscales);
    e_.set(pq_, p_.p);
    const long long words = a_.words();
    e_.put(Load{.win = 0, .space = Space::vmem, .da = 0, .ca = k(p_.scores * 4LL), .len = k(a_.queries * words * 4), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kInput);
    load_keys();
    load_values();
    load_keys();
    e_.wait(Engine::ve, kInput);
    e_.put(Qnt{.dst = 0, .ds = k(a_.padded()), .a = k(p_.scores), .as = k(words), .rows = rows(), .cols = k(a_.head_dim)});
    e_.signal(Engine::ve, kOperand);
    const auto zero = [&](std::uint32_t at, Reg count) {
      e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .masked = true, .dst = k(at), .a = k(at), .rows = k(1), .cols = count});
    };
    zero(p_.result, k(a_.queries * words));
    zero(p_.sums, rows());
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .wr = true, .dst = k(p_.state), .a = k(p_.sums), .b = kf(-FLT_MAX), .s = kf(1.0f), .rows = k(1),
               .cols = rows()});
    e_.wait(Engine::mx, kOperand);
    scores(scores_);
  }

  // The next chunk of K into the buffer at k_; nothing behind the last one.
  void load_keys() {
    e_.label("keys");
    const long long keys = a_.keys;
    const Reg more = e_.temporary(), runs = e_.temporary();
    e_.alu(AluFn::ltu, more, loaded_k_, n_);
    e_.alui(AluFn::mul, runs, more, u32(a_.padded() / 32));
    const Reg codes = times(loaded_k_, 32), scales = times(loaded_k_, 2);
    e_.wait(Engine::ld, kKFree);
    e_.put(Load{.win = 0, .space = Space::wspm, .da = sum(codes, a_.at_k()), .ca = k_, .len = k(a_.chunk * 32LL), .n1 = runs, .ds1 = k(keys * 32),
                .cs1 = k(a_.chunk * 32LL), .n2 = k(1)});
    e_.put(Load{.win = 0, .space = Space::wsc, .da = sum(scales, a_.at_ks()), .ca = shifted(AluFn::shr, k_, 4), .len = k(a_.chunk * 2LL), .n1 = runs,
                .ds1 = k(keys * 2), .cs1 = k(a_.chunk * 2LL), .n2 = k(1)});
    e_.signal(Engine::ld, kKFull);
    advance(loaded_k_, a_.chunk);
    toggle(k_, 0, p_.k_bytes);
  }

  // The chunk of V that is used next, at v_ and vs_.
  void load_values() {
    e_.label("values");
    const long long keys = a_.keys;
    const Reg codes = times(loaded_v_, cols_), scales = times(loaded_v_, 4);
    e_.wait(Engine::ld, kVFree);
    e_.put(Load{.win = 0, .space = Space::wspm, .da = sum(codes, a_.at_v()), .ca = v_, .len = k(static_cast<long long>(a_.chunk) * cols_),
                .n1 = k(a_.words() / cols_), .ds1 = k(keys * cols_), .cs1 = k(static_cast<long long>(a_.chunk) * cols_), .n2 = k(1)});
    e_.put(Load{.win = 0, .space = Space::vmem, .da = sum(scales, a_.at_vs()), .ca = shifted(AluFn::shl, vs_, 2), .len = k(a_.chunk * 4LL), .n1 = k(1),
                .n2 = k(1)});
    e_.signal(Engine::ld, kVFull);
    e_.signal(Engine::ld, kVsFull);
    advance(loaded_v_, a_.chunk);
  }

  void scores(Reg out) {
    e_.wait(Engine::mx, kKFull);
    e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .colload = true, .w = use_k_,
              .ws = shifted(AluFn::shr, use_k_, 4), .wn = k(32LL * cols_), .wk = k(a_.chunk * 32LL), .a = 0, .am = k(a_.padded()), .o = out, .om = chunk(),
              .on = k(cols_), .m = rows(), .kb = k(a_.padded() / 32), .nb = k(a_.chunk / cols_)});
    e_.signal(Engine::mx, kKFree);
    e_.signal(Engine::mx, kScores);
    toggle(use_k_, 0, p_.k_bytes);
  }

  // state: the maxima so far, then exp(them - the new ones); sums and the result follow them.
  void softmax() {
    e_.label("softmax");
    const float scale = 1.0f / std::sqrt(static_cast<float>(a_.head_dim));
    e_.alu(AluFn::sub, limit_, n_, base_);
    e_.wait(Engine::ve, kScores);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .masked = true, .a = scores_, .as = chunk(), .b = kf(scale), .lim = limit_,
               .r = k(p_.maxima), .rows = rows(), .cols = chunk()});
    small(Vec{.op = Vop::max, .dst = k(p_.maxima), .a = k(p_.maxima), .b = k(p_.state)});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = Vred::sum, .wr = true, .negb = true, .masked = true, .dst = scores_,
               .ds = chunk(), .a = scores_, .as = chunk(), .b = k(p_.maxima), .bs = k(1), .s = kf(scale), .lim = limit_, .r = k(p_.part), .rows = rows(),
               .cols = chunk()});
    e_.wait(Engine::ve, kVsFull);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .masked = true, .dst = scores_, .ds = chunk(), .a = scores_, .as = chunk(), .b = vs_,
               .lim = limit_, .rows = rows(), .cols = chunk()});
    e_.put(Qnt{.dst = pq_, .ds = chunk(), .a = scores_, .as = chunk(), .rows = rows(), .cols = chunk()});
    small(Vec{.op = Vop::mad, .func = Vfunc::exp, .negb = true, .dst = k(p_.state), .a = k(p_.state), .b = k(p_.maxima), .s = kf(1.0f)});
    e_.wait(Engine::ve, kAttended);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = k(p_.result), .ds = k(a_.words()), .a = k(p_.result), .as = k(a_.words()),
               .b = k(p_.state), .bs = k(1), .rows = rows(), .cols = k(a_.head_dim)});
    e_.signal(Engine::ve, kOperand);
    small(Vec{.op = Vop::mul, .dst = k(p_.sums), .a = k(p_.sums), .b = k(p_.state)});
    small(Vec{.op = Vop::mad, .dst = k(p_.sums), .a = k(p_.sums), .b = k(p_.part), .s = kf(1.0f)});
    small(Vec{.op = Vop::max, .dst = k(p_.state), .a = k(p_.maxima), .b = k(p_.maxima)});
  }

  // A value per query.
  void small(Vec v) {
    v.bmode = Bmode::vector, v.wr = true, v.rows = k(1), v.cols = rows();
    e_.put(v);
  }

  void values() {
    e_.label("attend");
    e_.wait(Engine::mx, kOperand);
    e_.wait(Engine::mx, kVFull);
    e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::one, .ascale = spec::Ascale::bf16, .acc = true, .w = v_,
              .wn = k(static_cast<long long>(a_.chunk) * cols_), .wk = k(32LL * cols_), .a = pq_, .am = chunk(), .o = k(p_.result), .om = k(a_.words()),
              .on = k(cols_), .m = rows(), .kb = k(a_.chunk / 32), .nb = k(a_.words() / cols_)});
    e_.signal(Engine::mx, kVFree);
    e_.signal(Engine::mx, kAttended);
  }

  void next() {
    advance(base_, a_.chunk);
    toggle(scores_, p_.scores, static_cast<long long>(p_.scores) + p_.scores_words);
    toggle(pq_, p_.p, static_cast<long long>(p_.p) + p_.p_bytes);
    toggle(v_, p_.v_area, static_cast<long long>(p_.v_area) + p_.v_bytes);
    toggle(vs_, p_.vscales, static_cast<long long>(p_.vscales) + a_.chunk);
  }

  void finish() {
    e_.label("finish");
    small(Vec{.op = Vop::mul, .func = Vfunc::recip, .dst = k(p_.sums), .a = k(p_.sums), .b = ones()});
    e_.wait(Engine::ve, kAttended);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = k(p_.result), .ds = k(a_.words()), .a = k(p_.result), .as = k(a_.words()),
               .b = k(p_.sums), .bs = k(1), .rows = rows(), .cols = k(a_.head_dim)});
    e_.signal(Engine::ve, kDone);
    e_.wait(Engine::st, kDone);
    e_.put(Store{.win = 1, .space = Space::vmem, .da = 0, .ca = k(p_.result * 4LL), .len = k(a_.output_bytes()), .n1 = k(1), .n2 = k(1)});
  }
  // state, no longer needed, as ones: exp of 0.
  Reg ones() {
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .func = Vfunc::exp, .wr = true, .negb = true, .dst = k(p_.state), .a = k(p_.state), .b = k(p_.state),
               .s = kf(1.0f), .rows = k(1), .cols = rows()});
    return k(p_.state);
  }

  const LongAttention& a_;
  const Places p_;
  const int cols_;
  const Reg n_ = 1;
  Reg rest_ = 0, base_ = 0, limit_ = 0;  // chunks behind the first; first key of the chunk at hand; keys from there on
  Reg scores_ = 0, pq_ = 0, v_ = 0, vs_ = 0;  // of the chunk at hand
  Reg k_ = 0, use_k_ = 0;         // K to load, to use
  Reg loaded_k_ = 0, loaded_v_ = 0;
};

}  // namespace

int LongAttention::words() const { return (head_dim + static_cast<int>(config.cols) - 1) / static_cast<int>(config.cols) * static_cast<int>(config.cols); }
int LongAttention::padded() const { return (head_dim + 31) / 32 * 32; }
std::uint32_t LongAttention::at_k() const { return static_cast<std::uint32_t>(queries * words() * 4); }
std::uint32_t LongAttention::at_ks() const { return at_k() + static_cast<std::uint32_t>(keys * padded()); }
std::uint32_t LongAttention::at_v() const { return at_ks() + static_cast<std::uint32_t>(keys * padded() / 16); }
std::uint32_t LongAttention::at_vs() const { return at_v() + static_cast<std::uint32_t>(keys * words()); }
std::uint32_t LongAttention::input_bytes() const { return at_vs() + static_cast<std::uint32_t>(keys * 4); }
std::uint32_t LongAttention::output_bytes() const { return static_cast<std::uint32_t>(queries * words() * 4); }
std::uint32_t LongAttention::vector_words() const { return Places(*this).words; }

emit::Emitter lower_attention(const LongAttention& a) {
  const Places p(a);
  const std::string name = a.config.name;
  if (a.chunk % 32 != 0 || !std::has_single_bit(static_cast<unsigned>(a.chunk)) || a.keys % a.chunk != 0 || a.keys < a.chunk || a.queries < 1)
    throw Error("attention", "chunks", std::to_string(a.keys) + " keys by " + std::to_string(a.chunk), "a power of two from 32 that divides them");
  if (a.words() > a.chunk) throw Error("attention", "size of a head", std::to_string(a.head_dim), "at most the chunk, " + std::to_string(a.chunk));
  if (p.words * 4 > a.config.vmem_bytes || p.p + 2 * p.p_bytes > a.config.aspm_bytes || 2 * (p.k_bytes + p.v_bytes) > a.config.wspm_bytes)
    throw Error("attention", "queries at once on " + name, std::to_string(a.queries), "fewer, or smaller chunks");
  return Lowering(a).run();
}

}  // namespace jogak::encoder
