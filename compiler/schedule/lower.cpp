#include <algorithm>
#include <bit>

#include "error.hpp"
#include "lowering.hpp"

namespace jogak::schedule {

emit::Emitter Lowering::run() {
  prologue();
  layers();
  pass_on();
  finish();
  e_.label("halt");
  e_.put(spec::Halt{});
  return std::move(e_);
}

void Lowering::prologue() {
  e_.label("prologue");
  e_.signal(Engine::seq, kOutFree, p_.out_buffers);
  e_.signal(Engine::seq, kKvFree, p_.double_kv ? 2 : 1);
  e_.signal(Engine::seq, kVsFree, p_.double_kv ? 2 : 1);
  e_.signal(Engine::seq, kNormFree, 2);
  if (p_.extra_words > 0) e_.signal(Engine::seq, kExtraFree);
  e_.signal(Engine::seq, kLogitFree, p_.out_buffers);
  if (!p_.post_norm) e_.signal(Engine::seq, kResult);  // for the first norm: the embedding is no product
  argument_variables();
  for (Reg* r : {&keys_, &kv_, &norm_at_, &out_, &area_, &vs_, &p0_, &p1_, &p2_, &p3_, &p4_, &p5_, &layer_}) *r = e_.variable();
  if (p_.chunk > 0) {
    base_ = layer_;  // kinds do not alternate then
    m_state_ = p3_;
    for (Reg* r : {&chunk_keys_, &seeing_, &o_, &window_}) *r = e_.variable();
    e_.set(window_, p_.window_mask);
    if (p_.ring_varies()) ring_ = e_.variable();
  } else if (p_.kinds_turn()) {
    e_.set(window_ = e_.variable(), p_.window_mask);
  }
  if (p_.experts()) expert_variables();
  if (p_.paged()) load_table();
  else round_keys();
  e_.set(kv_, 0);
  e_.set(norm_at_, p_.w_norms);
  e_.set(out_, p_.work);
  e_.set(area_, p_.kv_area);
  e_.set(vs_, p_.vscale_in);
  e_.label("embed");
  e_.put(Load{.win = 2, .space = Space::vmem, .da = k(p_.io_tokens), .ca = k(p_.ids * 4LL), .len = times(m_, 4), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kLoadLoad);
  e_.wait(Engine::ld, kLoadLoad);
  if (p_.stages == 1) embed();
  load_rotary();
  e_.signal(Engine::ld, kInput);
  e_.wait(Engine::ve, kInput);
  if (p_.stages > 1) take_over();
  else add_positions();
  weights_.start();
}

void Lowering::embed() {
  e_.put(Load{.win = tables(), .space = Space::vmem, .gather = true, .da = k(p_.w_embed), .ca = k(p_.x * 4LL), .len = k(p_.dn * 4LL),
              .n1 = m_, .ds1 = k(p_.dn * 4LL), .cs1 = k(p_.dn * 4LL), .n2 = k(1), .idx = k(p_.ids)});
}

void Lowering::add_positions() {
  if (!p_.positions) return;
  const Reg x = k(p_.x), dn = k(p_.dn);
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = x, .ds = dn, .a = x, .as = dn, .b = k(p_.position_rows), .bs = dn, .s = kf(1.0f),
             .rows = m_, .cols = k(p_.width)});
}

// Keys of experts may take the place of what attention alone needs.
unsigned Lowering::variables(const Plan& plan) {
  const unsigned plain = emit::Emitter::kVariables + (plan.paged() ? 1 : 0) + (plan.ring_varies() ? 1 : 0) + (plan.adapter.rank > 0 ? 3 : 0) + (plan.package_dies() > 1 ? 1 : 0) + (plan.stages > 1 ? 1 : 0) +
                         (plan.one_body ? 1 : 0);
  if (!plan.experts()) return plain;
  return plain + 5 + (plan.feed_period > 0 ? 1 : 0) + (plan.dies > 1 ? 1 : 0) + (plan.spread ? 1 : 0) + static_cast<unsigned>(std::max(0, plan.mixture.top - (plan.chunk > 0 ? 4 : 0)));
}

void Lowering::expert_variables() {
  if (p_.chunk > 0) keys_of_ = {base_, chunk_keys_, seeing_, o_};
  keys_of_.resize(static_cast<std::size_t>(p_.mixture.top), 0);
  for (Reg& r : keys_of_)
    if (r == 0) r = e_.variable();
  if (p_.feed_period > 0) feed_ = e_.variable();
  for (Reg* r : {&share_, &expert_from_, &experts_at_, &expert_window_, &chosen_at_}) *r = e_.variable();
  if (p_.spread) own_at_ = e_.variable(), waiting_ = e_.variable();
  else if (p_.dies > 1) e_.set(hidden_ = e_.variable(), p_.hq);
  e_.signal(Engine::seq, kChosenFree);
  e_.set(experts_at_, 0);
  e_.set(expert_window_, 0);
  e_.set(chosen_at_, p_.io_chosen);
}

void Lowering::layers() {
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
  if (p_.one_body) {
    e_.repeat(u32(static_cast<long long>(kind.size())), [&] { body(0, [](std::size_t) { return true; }); });
    return;
  }
  if (p_.feed_period > 0) {
    e_.set(feed_, p_.feed_mask);
    e_.repeat(u32(static_cast<long long>(kind.size())), [&] { body(0, [](std::size_t) { return true; }); });
    return;
  }
  if (runs <= kinds || kind.size() > 32 || p_.chunk > 0 || p_.experts()) {
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

void Lowering::layer(const LayerPlan& l) {
  e_.label("norm_weights");
  if (p_.experts()) weights_.fill_run();
  choose_ring();
  load_norm(0);
  if (!p_.parallel) load_norm(1);
  load_extra();
  const auto bias = [&](bool there, std::uint32_t at) { return there ? std::optional(p_.extra + at) : std::nullopt; };
  norm("attn_norm", 0, k(p_.x), m_, bias(p_.parallel && p_.o_bias, p_.at_o_bias));
  projections(l);
  if (!late_extra()) release_extra();
  attention();
  if (p_.post_norm) residual_normed(op::o, l.o, p_.oq, p_.all_heads * p_.hk, AdapterGroup::o);
  else residual(op::o, l.o, p_.oq, p_.all_heads * p_.hk, AdapterGroup::o);
  if (p_.parallel) e_.wait(Engine::ve, kResult);
  else norm("ffn_norm", 1, k(p_.x), m_, bias(p_.ffn_bias, p_.at_down_bias));
  feed(l);
  advance_cache(kv_, p_.kv_layer / u32(p_.kv_tokens()));
  turn_window();
  weights_.end_layer();
}

void Lowering::load_norm(int which) {
  e_.label("norm_weights");
  e_.wait(Engine::ld, kNormFree);
  e_.put(Load{.win = tables(), .space = Space::vmem, .da = norm_at_, .ca = k((p_.norms + static_cast<long long>(which) * p_.norm_words) * 4),
              .len = k(p_.norm_words * 4LL), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kNormFull);
  advance(norm_at_, p_.norm_words * 4LL);
}

void Lowering::load_extra() {
  if (p_.extra_words == 0) return;
  e_.wait(Engine::ld, kExtraFree);
  e_.put(Load{.win = tables(), .space = Space::vmem, .da = norm_at_, .ca = k(p_.extra * 4LL), .len = k(p_.extra_words * 4LL), .n1 = k(1), .n2 = k(1)});
  e_.signal(Engine::ld, kExtraFull);
  advance(norm_at_, p_.extra_words * 4LL);
}

void Lowering::release_extra() {
  if (p_.extra_words > 0) e_.signal(Engine::ve, kExtraFree);
}

void Lowering::norm(const char* label, int which, Reg x, Reg rows, std::optional<std::uint32_t> bias) {
  e_.label(label);
  if (!p_.post_norm) e_.wait(Engine::ve, kResult);  // else the vector engine itself has added to x
  const Reg dn = k(p_.dn), width = k(p_.width);
  e_.copy(p0_, x);
  if (which == 1 && p_.o_bias)
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = p0_, .ds = dn, .a = p0_, .as = dn, .b = k(p_.extra + p_.at_o_bias), .s = kf(1.0f),
               .rows = rows, .cols = width});
  if (p_.layer_norm) {  // sums are the means
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .red = Vred::sum, .a = p0_, .as = dn, .b = kf(1.0f), .r = k(p_.sums), .rows = rows, .cols = width});
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::scalar, .wr = true, .dst = k(p_.sums), .a = k(p_.sums), .b = kf(1.0f / static_cast<float>(p_.width)), .rows = k(1),
               .cols = rows});
  } else {
    e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .a = p0_, .as = dn, .b = p0_, .bs = dn,
               .r = k(p_.sums), .rows = rows, .cols = width});
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::rsqrt, .wr = true, .dst = k(p_.sums), .a = k(p_.sums),
               .b = kf(p_.eps), .s = kf(1.0f / static_cast<float>(p_.width)), .rows = k(1), .cols = rows});
  }
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
  if (bias) {
    if (p_.parallel) e_.wait(Engine::ve, kExtraFull);
    const Reg all = k(p_.x), row = k(p_.dn);
    e_.put(Vec{.op = Vop::mad, .bmode = Bmode::vector, .wr = true, .dst = all, .ds = row, .a = all, .as = row, .b = k(*bias), .s = kf(1.0f), .rows = rows,
               .cols = k(p_.width)});
  }
  e_.signal(Engine::ve, kNormFree);
  e_.signal(Engine::ve, kOperand);
  e_.wait(Engine::mx, kOperand);
}

void Lowering::normalise(int which, Reg rows, Reg scales, Reg dst) {
  if (p_.layer_norm) return normalise_centred(which, rows, scales, dst);
  const Reg dn = k(p_.dn), width = k(p_.width), work = k(p_.work);
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::row_scalar, .wr = true, .dst = work, .ds = dn, .a = p0_, .as = dn, .b = scales, .bs = k(1),
             .rows = rows, .cols = width});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .wr = true, .dst = work, .ds = dn, .a = work, .as = dn,
             .b = k(p_.norms + static_cast<long long>(which) * p_.dn), .rows = rows, .cols = width});
  e_.put(Qnt{.group = blocks(p_.pair_x), .dst = dst, .ds = k(p_.dk), .a = work, .as = dn, .rows = rows, .cols = width});
}

void Lowering::normalise_centred(int which, Reg rows, Reg means, Reg dst) {
  const long long weights = p_.norms + static_cast<long long>(which) * p_.norm_words;
  const auto work = [&](Vec v) {
    v.wr = true, v.dst = k(p_.work), v.ds = k(p_.dn), v.as = k(p_.dn), v.rows = rows, v.cols = k(p_.width);
    e_.put(v);
  };
  const auto deviation = [&] { return k(p_.totals); };
  work({.op = Vop::mad, .bmode = Bmode::row_scalar, .negb = true, .a = p0_, .b = means, .bs = k(1), .s = kf(1.0f)});
  e_.put(Vec{.op = Vop::mul, .bmode = Bmode::vector, .red = Vred::sum, .a = k(p_.work), .as = k(p_.dn), .b = k(p_.work), .bs = k(p_.dn), .r = deviation(), .rows = rows,
             .cols = k(p_.width)});
  e_.put(Vec{.op = Vop::mad, .bmode = Bmode::scalar, .func = Vfunc::rsqrt, .wr = true, .dst = deviation(), .a = deviation(), .b = kf(p_.eps),
             .s = kf(1.0f / static_cast<float>(p_.width)), .rows = k(1), .cols = rows});
  work({.op = Vop::mul, .bmode = Bmode::row_scalar, .a = k(p_.work), .b = deviation(), .bs = k(1)});
  work({.op = Vop::mul, .bmode = Bmode::vector, .a = k(p_.work), .b = k(weights)});
  work({.op = Vop::mad, .bmode = Bmode::vector, .a = k(p_.work), .b = k(weights + p_.dn), .s = kf(1.0f)});
  e_.put(Qnt{.group = blocks(p_.pair_x), .dst = dst, .ds = k(p_.dk), .a = k(p_.work), .as = k(p_.dn), .rows = rows, .cols = k(p_.width)});
}

void Lowering::finish() {
  if (p_.stages == 1) return last_norm_and_head();
  wanted(p0_);
  e_.loop(p0_, [&] { last_norm_and_head(); });
}

void Lowering::last_norm_and_head() {
  weights_.seek_layer(p_.layer.size());
  e_.label("norm_weights");
  if (p_.experts() || p_.one_body) weights_.fill_run();
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

emit::Emitter lower(const Plan& plan) { return Lowering(plan).run(); }

emit::Emitter lower_to_fit(Plan& plan) {
  const auto length = [](const emit::Emitter& code) { return code.program().code().size(); };
  emit::Emitter code = lower(plan);
  if (length(code) > plan.config.imem_words && !plan.one_body && plan.can_share()) {
    plan.one_body = true;
    code = lower(plan);
  }
  if (length(code) > plan.config.imem_words)
    throw Error("compile", "program", std::to_string(length(code)) + " instructions", "at most " + std::to_string(plan.config.imem_words) + " on " + plan.config.name);
  return code;
}

}  // namespace jogak::schedule
