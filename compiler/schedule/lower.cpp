#include "lower.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "arithmetic.hpp"
#include "weights.hpp"

namespace jogak::schedule {
namespace {

using emit::Emitter;
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

class Lowering : Arithmetic {
 public:
  explicit Lowering(const Plan& plan) : Arithmetic(plan.hoist), p_(plan), weights_(plan, e_) {}

  Emitter run() {
    prologue();
    layers();
    weights_.seek_layer(p_.layer.size());
    finish();
    e_.label("halt");
    e_.put(spec::Halt{});
    return std::move(e_);
  }

 private:
  void prologue() {
    e_.label("prologue");
    e_.signal(Engine::seq, kOutFree, p_.out_buffers);
    e_.signal(Engine::seq, kKvFree, p_.double_kv ? 2 : 1);
    e_.signal(Engine::seq, kVsFree, p_.double_kv ? 2 : 1);
    e_.signal(Engine::seq, kNormFree, 2);
    e_.signal(Engine::seq, kLogitFree, p_.out_buffers);
    e_.signal(Engine::seq, kResult);  // for the first norm: the embedding is no product
    for (Reg* r : {&keys_, &kv_, &norm_at_, &out_, &area_, &vs_, &p0_, &p1_, &p2_, &p3_, &p4_, &p5_, &layer_}) *r = e_.variable();
    const Reg t = sum(pos_, 31);
    e_.alu(AluFn::add, keys_, t, m_);
    e_.alui(AluFn::and_, keys_, keys_, ~31u);
    e_.set(kv_, 0);
    e_.set(norm_at_, p_.w_norms);
    e_.set(out_, p_.work);
    e_.set(area_, p_.kv_area);
    e_.set(vs_, p_.vscale_in);
    e_.label("embed");
    e_.put(Load{.win = 2, .space = Space::vmem, .da = k(p_.io_tokens), .ca = k(p_.ids * 4LL), .len = times(m_, 4), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kLoadLoad);
    e_.wait(Engine::ld, kLoadLoad);
    e_.put(Load{.win = 0, .space = Space::vmem, .gather = true, .da = k(p_.w_embed), .ca = k(p_.x * 4LL), .len = k(p_.dn * 4LL),
                .n1 = m_, .ds1 = k(p_.dn * 4LL), .cs1 = k(p_.dn * 4LL), .n2 = k(1), .idx = k(p_.ids)});
    const Reg len = times(m_, p_.hn * 4LL);
    const Reg row = times(pos_, p_.hn * 4LL);
    e_.put(Load{.win = 0, .space = Space::vmem, .da = sum(row, p_.w_rope), .ca = k(p_.cosines * 4LL), .len = len, .n1 = k(1), .n2 = k(1)});
    e_.put(Load{.win = 0, .space = Space::vmem, .da = sum(row, p_.w_rope + 4LL * p_.context * p_.hn), .ca = k(p_.sines * 4LL),
                .len = len, .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kInput);
    e_.wait(Engine::ve, kInput);
    weights_.fill_ring();
  }

  // Layers of a kind share their code: runs of them in a loop of their own, or, where kinds alternate, one loop over
  // all layers whose bit in a mask says which body runs.
  void layers() {
    std::vector<std::size_t> kind(p_.layer.size());  // the first layer of the same kind
    std::size_t runs = 0;
    std::vector<std::uint32_t> mask(p_.layer.size());
    for (std::size_t i = 0; i < kind.size(); ++i) {
      while (kind[i] < i && !weights_.same_layer(kind[i], i)) ++kind[i];
      runs += i == 0 || kind[i] != kind[i - 1];
      if (i < 32) mask[kind[i]] |= 1u << i;
    }
    const std::size_t kinds = kind.size() - static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 0u));
    const auto body = [&](std::size_t i, auto&& serves) {
      std::vector<std::uint32_t> passes;
      for (std::uint32_t at = 0; at < kind.size(); ++at)
        if (serves(at)) passes.push_back(at);
      e_.layers(std::move(passes));
      weights_.seek_layer(i);
      layer(p_.layer[i]);
      e_.layers({});
    };
    if (runs <= kinds || kind.size() > 32) {
      for (std::size_t first = 0, count = 1; first < kind.size(); first += count, count = 1) {
        while (first + count < kind.size() && kind[first + count] == kind[first]) ++count;
        e_.repeat(u32(static_cast<long long>(count)), [&] { body(first, [&](std::size_t at) { return at >= first && at < first + count; }); });
      }
      return;
    }
    e_.set(layer_, 0);
    e_.loop(k(static_cast<long long>(kind.size())), [&] {
      for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i] == 0) continue;
        const Reg here = e_.temporary(), set = k(mask[i]);
        e_.alu(AluFn::shr, here, set, layer_);
        e_.alui(AluFn::and_, here, here, 1);
        e_.loop(here, [&] { body(i, [&](std::size_t at) { return kind[at] == i; }); });
      }
      advance(layer_, 1);
    });
  }

  void layer(const LayerPlan& l) {
    load_norm(0);
    load_norm(1);
    norm("attn_norm", 0, k(p_.x), m_);
    projections(l);
    attention();
    residual(op::o, l.o, p_.oq, p_.heads * p_.hk);
    norm("ffn_norm", 1, k(p_.x), m_);
    feed_forward(l.ffn);
    residual(op::down, l.down, p_.hq, p_.fk);
    advance(kv_, p_.kv_layer);
  }

  void load_norm(int which) {
    e_.label("norm_weights");
    e_.wait(Engine::ld, kNormFree);
    e_.put(Load{.win = 0, .space = Space::vmem, .da = norm_at_, .ca = k((p_.norms + static_cast<long long>(which) * p_.dn) * 4),
                .len = k(p_.dn * 4LL), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kNormFull);
    advance(norm_at_, p_.dn * 4LL);
  }

  // rows of x at word address `x` -> normalised, weighted, quantised rows in xq. Waits for x's last product.
  void norm(const char* label, int which, Reg x, Reg rows) {
    e_.label(label);
    e_.wait(Engine::ve, kResult);
    const Reg dn = k(p_.dn), width = k(p_.width);
    e_.copy(p0_, x);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .a = p0_, .as = dn, .b = p0_, .bs = dn,
               .r = k(p_.sums), .rows = rows, .cols = width});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::rsqrt, .wr = true, .dst = k(p_.sums), .a = k(p_.sums),
               .b = kf(p_.eps), .s = kf(1.0f / static_cast<float>(p_.width)), .rows = k(1), .cols = rows});
    e_.wait(Engine::ve, kNormFull);
    if (p_.group >= p_.rows) {
      normalise(which, rows, k(p_.sums), k(p_.xq));
    } else {
      e_.copy(p1_, rows);
      e_.set(p2_, p_.sums);
      e_.set(p3_, p_.xq);
      const Reg up = sum(rows, p_.group - 1);
      const Reg trips = shifted(AluFn::shr, up, std::countr_zero(static_cast<unsigned>(p_.group)));
      e_.copy(p4_, trips);
      e_.loop(p4_, [&] {
        const Reg now = e_.temporary();
        e_.alui(AluFn::minu, now, p1_, u32(p_.group));
        normalise(which, now, p2_, p3_);
        advance(p0_, static_cast<long long>(p_.group) * p_.dn);
        advance(p1_, -p_.group);
        advance(p2_, p_.group);
        advance(p3_, static_cast<long long>(p_.group) * p_.dk);
      });
    }
    e_.signal(Engine::ve, kNormFree);
    e_.signal(Engine::ve, kOperand);
    e_.wait(Engine::mx, kOperand);
  }

  void normalise(int which, Reg rows, Reg scales, Reg dst) {
    const Reg dn = k(p_.dn), width = k(p_.width), work = k(p_.work);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = work, .ds = dn, .a = p0_, .as = dn, .b = scales, .bs = k(1),
               .rows = rows, .cols = width});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = work, .ds = dn, .a = work, .as = dn,
               .b = k(p_.norms + static_cast<long long>(which) * p_.dn), .rows = rows, .cols = width});
    e_.put(Qnt{.dst = dst, .ds = k(p_.dk), .a = work, .as = dn, .rows = rows, .cols = width});
  }

  void toggle_out() {
    if (p_.out_buffers == 2) toggle(out_, p_.work, static_cast<long long>(p_.work) + p_.out_words);
  }

  // One iteration of a projection: column blocks into the output buffer, slot by slot times the channel scales where the format has
  // them, then the turn of `user` (vector or store engine), which finds the output complete.
  template <class After>
  void project(const MatrixPlan& m, const Prefetch& next, Reg rows, int row_words, Engine user, After&& after) {
    const bool store = user == Engine::st;
    e_.wait(Engine::mx, store ? kLogitFree : kOutFree);
    e_.copy(p5_, out_);
    weights_.slots(next, [&](const std::optional<SlotSize>& size) {
      weights_.consume(m, size, {.a = k(p_.xq), .am = k(p_.dk), .o = p5_, .om = k(row_words), .on = k(p_.cols), .m = rows});
      if (m.channel()) scale(p5_, row_words, rows, m.nbs * p_.cols);
      if (m.slots > 1) advance(p5_, static_cast<long long>(m.nbs) * p_.cols);
    });
    if (store || !m.channel()) {
      const unsigned full = !store ? kResult : m.channel() ? kScaled : kLogits;
      e_.signal(m.channel() ? Engine::ve : Engine::mx, full);
      e_.wait(user, full);
    }
    after();
    toggle_out();
  }

  // The product the matrix engine was last given, times its channel scales.
  void scale(Reg at, int row_words, Reg rows, int columns) {
    e_.signal(Engine::mx, kResult);
    e_.wait(Engine::ve, kResult);
    weights_.scale(at, k(row_words), rows, columns);
  }

  void projections(const LayerPlan& l) {
    e_.label(op::q);
    e_.set(p0_, p_.qq);
    weights_.phase(l.q, [&](const Prefetch& next) {
      project(l.q, next, m_, p_.hn, Engine::ve, [&] {
        rope();
        e_.put(Qnt{.dst = p0_, .ds = k(p_.heads * p_.hk), .a = out_, .as = k(p_.hn), .rows = m_, .cols = k(p_.head_dim)});
        e_.signal(Engine::ve, kOutFree);
        advance(p0_, p_.hk);
      });
    });
    const int staged = p_.kv_heads * p_.hk;
    e_.label(op::k);
    e_.set(p0_, p_.kst);
    dram_at(p1_, p_.kv_k, 32);
    dram_at(p2_, p_.kv_ks, 2);
    weights_.phase(l.k, [&](const Prefetch& next) {
      project(l.k, next, m_, p_.hn, Engine::ve, [&] {
        rope();
        e_.put(Qnt{.dst = p0_, .ds = k(staged), .a = out_, .as = k(p_.hn), .rows = m_, .cols = k(p_.head_dim)});
        e_.signal(Engine::ve, kOutFree);
        e_.signal(Engine::ve, kStaged);
        e_.wait(Engine::st, kStaged);
        e_.put(Store{.win = 1, .space = Space::aspm, .da = p1_, .ca = p0_, .len = k(32), .n1 = m_, .ds1 = k(32), .cs1 = k(staged),
                     .n2 = k(p_.hk / 32), .ds2 = k(p_.context * 32LL), .cs2 = k(32)});
        e_.put(Store{.win = 1, .space = Space::asc, .da = p2_, .ca = shifted(AluFn::shr, p0_, 4), .len = k(2), .n1 = m_, .ds1 = k(2),
                     .cs1 = k(staged / 16), .n2 = k(p_.hk / 32), .ds2 = k(p_.context * 2LL), .cs2 = k(2)});
        advance(p0_, p_.hk);
        advance(p1_, static_cast<long long>(p_.context) * p_.hk);
        advance(p2_, static_cast<long long>(p_.context) * p_.hk / 16);
      });
    });
    e_.label(op::v);
    const int scales = (p_.rows + p_.cols - 1) / p_.cols * p_.cols;
    e_.set(p0_, p_.vst);
    dram_at(p1_, p_.kv_v, p_.cols);
    dram_at(p2_, p_.kv_vs, 4);
    e_.set(p3_, p_.vscale_out);
    weights_.phase(l.v, [&](const Prefetch& next) {
      project(l.v, next, m_, p_.hn, Engine::ve, [&] {
        e_.put(Qnt{.group = spec::Qgroup::row, .dst = p0_, .ds = k(staged), .a = out_, .as = k(p_.hn), .r = p3_, .rows = m_,
                   .cols = k(p_.head_dim)});
        e_.signal(Engine::ve, kOutFree);
        e_.signal(Engine::ve, kStaged);
        e_.wait(Engine::st, kStaged);
        e_.put(Store{.win = 1, .space = Space::aspm, .da = p1_, .ca = p0_, .len = k(p_.cols), .n1 = m_, .ds1 = k(p_.cols), .cs1 = k(staged),
                     .n2 = k(p_.hn / p_.cols), .ds2 = k(static_cast<long long>(p_.context) * p_.cols), .cs2 = k(p_.cols)});
        e_.put(Store{.win = 1, .space = Space::vmem, .da = p2_, .ca = shifted(AluFn::shl, p3_, 2), .len = times(m_, 4), .n1 = k(1), .n2 = k(1)});
        advance(p0_, p_.hk);
        advance(p1_, static_cast<long long>(p_.context) * p_.hn);
        advance(p2_, p_.context * 4LL);
        advance(p3_, scales);
      });
    });
    e_.signal(Engine::st, kAppended);
    e_.signal(Engine::st, kStagingFree);
  }

  // r = offset in the KV window of this layer's `region` at the launch position, `unit` bytes a token.
  void dram_at(Reg r, std::uint32_t region, int unit) {
    e_.alui(AluFn::mul, r, pos_, u32(unit));
    e_.alu(AluFn::add, r, r, kv_);
    advance(r, region);
  }

  void rope() {
    const Reg hn = k(p_.hn), cols = k(p_.head_dim), temp = k(p_.temp);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .swap = true, .dst = temp, .ds = hn, .a = out_, .as = hn, .b = k(p_.sines),
               .bs = hn, .rows = m_, .cols = cols});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = out_, .ds = hn, .a = out_, .as = hn, .b = k(p_.cosines), .bs = hn,
               .rows = m_, .cols = cols});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = out_, .ds = hn, .a = out_, .as = hn, .b = temp, .bs = hn,
               .s = kf(1.0f), .rows = m_, .cols = cols});
  }

  void attention() {
    e_.label("attention");
    e_.wait(Engine::ld, kAppended);
    e_.set(p0_, p_.qq);
    e_.set(p1_, p_.oq);
    e_.set(p2_, 0);  // kv head
    e_.repeat(u32(p_.kv_heads), [&] {
      load_kv();
      e_.wait(Engine::mx, kKvFull);
      e_.wait(Engine::ve, kVsFull);
      e_.repeat(u32(p_.heads / p_.kv_heads), [&] {
        head();
        advance(p0_, p_.hk);
        advance(p1_, p_.hk);
      });
      e_.signal(Engine::mx, kKvFree);
      e_.signal(Engine::ve, kVsFree);
      if (p_.double_kv) {
        toggle(area_, p_.kv_area, static_cast<long long>(p_.kv_area) + p_.kv_area_bytes);
        toggle(vs_, p_.vscale_in, static_cast<long long>(p_.vscale_in) + p_.context);
      }
      advance(p2_, 1);
    });
    e_.signal(Engine::ve, kOperand);
    e_.wait(Engine::mx, kOperand);
  }

  // K, its scales, V and its scales of kv head p2 for all keys, rounded up to a block.
  void load_kv() {
    const auto from = [&](std::uint32_t region, long long per_head) {
      e_.alui(AluFn::mul, p3_, p2_, u32(per_head));
      e_.alu(AluFn::add, p3_, p3_, kv_);
      advance(p3_, region);
    };
    const Reg one = k(1);
    const long long ctx = p_.context;
    e_.wait(Engine::ld, kKvFree);
    from(p_.kv_k, ctx * p_.hk);
    const Reg run = times(keys_, 32);
    e_.put(Load{.win = 1, .space = Space::wspm, .da = p3_, .ca = area_, .len = run, .n1 = k(p_.hk / 32), .ds1 = k(ctx * 32), .cs1 = run, .n2 = one});
    from(p_.kv_ks, ctx * p_.hk / 16);
    const Reg scales = times(keys_, 2);
    e_.put(Load{.win = 1, .space = Space::wsc, .da = p3_, .ca = shifted(AluFn::shr, area_, 4), .len = scales, .n1 = k(p_.hk / 32),
                .ds1 = k(ctx * 2), .cs1 = scales, .n2 = k(1)});
    from(p_.kv_v, ctx * p_.hn);
    const Reg plane = times(keys_, p_.cols);
    e_.put(Load{.win = 1, .space = Space::wspm, .da = p3_, .ca = sum(area_, ctx * p_.hk), .len = plane, .n1 = k(p_.hn / p_.cols),
                .ds1 = k(ctx * p_.cols), .cs1 = plane, .n2 = k(1)});
    e_.signal(Engine::ld, kKvFull);
    e_.wait(Engine::ld, kVsFree);
    from(p_.kv_vs, ctx * 4);
    e_.put(Load{.win = 1, .space = Space::vmem, .da = p3_, .ca = shifted(AluFn::shl, vs_, 2), .len = times(keys_, 4), .n1 = k(1), .n2 = k(1)});
    e_.signal(Engine::ld, kVsFull);
  }

  // One query head: q p0 against the area's K, softmax, the area's V, into oq at p1.
  void head() {
    const float scale = 1.0f / std::sqrt(static_cast<float>(p_.head_dim));
    const Reg limit = p4_;
    e_.alui(AluFn::add, limit, pos_, 1);
    e_.wait(Engine::mx, kOutFree, p_.out_buffers);
    e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::bf16, .ascale = spec::Ascale::bf16, .colload = true, .w = area_,
              .ws = shifted(AluFn::shr, area_, 4), .wn = k(32LL * p_.cols), .wk = times(keys_, 32), .a = p0_, .am = k(p_.heads * p_.hk),
              .o = k(p_.work), .om = keys_, .on = k(p_.cols), .m = m_, .kb = k(p_.hk / 32),
              .nb = shifted(AluFn::shr, keys_, std::countr_zero(static_cast<unsigned>(p_.cols)))});
    e_.signal(Engine::mx, kResult);
    e_.wait(Engine::ve, kResult);
    const Reg work = k(p_.work);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::max, .masked = true, .linc = true, .a = work, .as = keys_, .b = kf(scale),
               .lim = limit, .r = k(p_.maxima), .rows = m_, .cols = keys_});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::row_scalar, .func = Vfunc::exp, .red = Vred::sum, .wr = true, .negb = true, .masked = true,
               .linc = true, .dst = work, .ds = keys_, .a = work, .as = keys_, .b = k(p_.maxima), .bs = k(1), .s = kf(scale), .lim = limit,
               .r = k(p_.totals), .rows = m_, .cols = keys_});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .masked = true, .linc = true, .dst = work, .ds = keys_, .a = work, .as = keys_,
               .b = vs_, .lim = limit, .rows = m_, .cols = keys_});
    e_.put(Qnt{.dst = k(p_.pq), .ds = keys_, .a = work, .as = keys_, .rows = m_, .cols = keys_});
    e_.signal(Engine::ve, kOperand);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = k(p_.totals), .a = k(p_.totals), .b = kf(1.0f),
               .rows = k(1), .cols = m_});
    e_.wait(Engine::mx, kOperand);
    const Reg result = k(static_cast<long long>(p_.work) + static_cast<long long>(p_.rows) * p_.context), hn = k(p_.hn);
    e_.put(Mm{.wfmt = spec::Wfmt::int8, .wscale = spec::Wscale::one, .ascale = spec::Ascale::bf16,
              .w = sum(area_, static_cast<long long>(p_.context) * p_.hk), .wn = times(keys_, p_.cols), .wk = k(32LL * p_.cols), .a = k(p_.pq),
              .am = keys_, .o = result, .om = hn, .on = k(p_.cols), .m = m_, .kb = shifted(AluFn::shr, keys_, 5), .nb = k(p_.hn / p_.cols)});
    e_.signal(Engine::mx, kResult);
    e_.wait(Engine::ve, kResult);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = result, .ds = hn, .a = result, .as = hn, .b = k(p_.totals),
               .bs = k(1), .rows = m_, .cols = k(p_.head_dim)});
    e_.put(Qnt{.dst = p1_, .ds = k(p_.heads * p_.hk), .a = result, .as = hn, .rows = m_, .cols = k(p_.head_dim)});
    e_.signal(Engine::ve, kOutFree, p_.out_buffers);
  }

  // x += rows at `operand` (aspm, `stride` bytes a row) times a matrix. The next norm waits for its end.
  void residual(const char* label, const MatrixPlan& m, std::uint32_t operand, int stride) {
    e_.label(label);
    e_.set(p0_, p_.x);
    if (m.channel()) add_scaled(m, operand, stride);
    else accumulate(m, operand, stride);
    e_.signal(Engine::mx, kResult);
  }

  // Channel scales multiply the whole sum over k, so it grows in an output buffer, and the vector engine adds it to x.
  void add_scaled(const MatrixPlan& m, std::uint32_t operand, int stride) {
    const int columns = m.nbs * p_.cols;
    weights_.phase(m, [&](const Prefetch& next) {
      const auto part = [&](const std::optional<SlotSize>& size, bool acc) {
        weights_.consume(m, size, {.a = p1_, .am = k(stride), .o = out_, .om = k(columns), .on = k(p_.cols), .m = m_, .acc = acc});
      };
      e_.wait(Engine::mx, kOutFree);
      e_.set(p1_, operand);
      part(next.front(), false);
      if (m.kparts > 1) {
        weights_.slots(std::span(next).subspan(1), [&](const std::optional<SlotSize>& size) {
          advance(p1_, m.kbs * 32LL);
          part(size, true);
          e_.signal(Engine::ve, kScaleFree);  // this part came without scales
        });
      }
      scale(out_, columns, m_, columns);
      e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .ds = k(p_.dn), .a = out_, .as = k(columns), .b = p0_,
                 .bs = k(p_.dn), .s = kf(1.0f), .rows = m_, .cols = k(columns)});
      e_.signal(Engine::ve, kOutFree);
      advance(p0_, columns);
      toggle_out();
    });
  }

  // The residual is the accumulator's start.
  void accumulate(const MatrixPlan& m, std::uint32_t operand, int stride) {
    e_.set(p1_, operand);
    weights_.phase(m, [&](const Prefetch& next) {
      weights_.consume(m, next.front(), {.a = p1_, .am = k(stride), .o = p0_, .om = k(p_.dn), .on = k(p_.cols), .m = m_, .acc = true});
      if (m.kparts == 1) {
        advance(p0_, static_cast<long long>(m.nbs) * p_.cols);
        return;
      }
      advance(p1_, m.kbs * 32LL);  // next part of k; after the last one back to the first, next column block
      const Reg done = e_.temporary();
      e_.alui(AluFn::eq, done, p1_, operand + u32(static_cast<long long>(m.kparts) * m.kbs * 32));
      const Reg step = times(done, static_cast<long long>(m.nbs) * p_.cols);
      e_.alu(AluFn::add, p0_, p0_, step);
      const Reg back = times(done, static_cast<long long>(m.kparts) * m.kbs * 32);
      e_.alu(AluFn::sub, p1_, p1_, back);
    });
  }

  void feed_forward(const MatrixPlan& m) {
    e_.label(op::ffn);
    e_.wait(Engine::ve, kStagingFree);
    e_.set(p0_, p_.hq);
    weights_.phase(m, [&](const Prefetch& next) {
      project(m, next, m_, 2 * p_.fc, Engine::ve, [&] {
        swiglu();
        e_.put(Qnt{.dst = p0_, .ds = k(p_.fk), .a = k(p_.temp), .as = k(p_.fc), .rows = m_, .cols = k(p_.fc)});
        e_.signal(Engine::ve, kOutFree);
        advance(p0_, p_.fc);
      });
    });
    e_.signal(Engine::ve, kOperand);
    e_.wait(Engine::mx, kOperand);
  }

  // temp = gate * recip(1 + exp(-gate)) * up, gate and up side by side in the output buffer.
  void swiglu() {
    const Reg temp = k(p_.temp), fc = k(p_.fc), row = k(2LL * p_.fc), one = kf(1.0f);
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .func = Vfunc::exp, .wr = true, .nega = true, .dst = temp, .ds = fc, .a = out_, .as = row,
               .b = one, .rows = m_, .cols = fc});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::recip, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = one,
               .s = one, .rows = m_, .cols = fc});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = out_, .bs = row,
               .rows = m_, .cols = fc});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = temp, .ds = fc, .a = temp, .as = fc, .b = sum(out_, p_.fc), .bs = row,
               .rows = m_, .cols = fc});
  }

  // Final norm and logits of rows arg2 .. arg2 + arg3 - 1.
  void finish() {
    load_norm(0);
    const Reg row = times(first_, p_.dn);
    const Reg x = sum(row, p_.x);
    norm("output_norm", 0, x, logit_rows_);
    e_.label(op::head);
    e_.set(p0_, p_.io_logits);
    weights_.phase(p_.head, [&](const Prefetch& next) {
      project(p_.head, next, logit_rows_, p_.vocab_step, Engine::st, [&] {
        e_.put(Store{.win = 2, .space = Space::vmem, .da = p0_, .ca = shifted(AluFn::shl, out_, 2), .len = k(p_.vocab_step * 4LL),
                     .n1 = logit_rows_, .ds1 = k(p_.vocab_n * 4LL), .cs1 = k(p_.vocab_step * 4LL), .n2 = k(1)});
        e_.signal(Engine::st, kLogitFree);
        advance(p0_, p_.vocab_step * 4LL);
      });
    });
  }

  const Plan& p_;
  Weights weights_;
  const Reg pos_ = 1 + kArgPosition, m_ = 1 + kArgRows, first_ = 1 + kArgLogitRow, logit_rows_ = 1 + kArgLogitRows;
  Reg keys_ = 0;      // keys so far, rounded up to 32
  Reg kv_ = 0;        // this layer's offset in the KV window
  Reg layer_ = 0;     // where kinds alternate: index of the layer
  Reg norm_at_ = 0;   // next norm weights in the weights window
  Reg out_ = 0;       // current output buffer
  Reg area_ = 0, vs_ = 0;  // current K/V area, current V scales
  Reg p0_ = 0, p1_ = 0, p2_ = 0, p3_ = 0, p4_ = 0, p5_ = 0;  // pointers of the phase at hand
};

}  // namespace

Emitter lower(const Plan& plan) { return Lowering(plan).run(); }

}  // namespace jogak::schedule
