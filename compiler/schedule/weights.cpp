#include "weights.hpp"

#include <algorithm>

namespace jogak::schedule {

using emit::Reg;
using ir::Format;
using spec::AluFn;
using spec::Engine;
using spec::Space;

std::vector<WeightLoads> weight_order(const Plan& plan) {
  std::vector<WeightLoads> order;
  const auto add = [&](std::uint32_t layer, const char* op, const MatrixPlan& m) {
    order.push_back({layer, static_cast<std::uint32_t>(m.iterations * m.slots), op});
  };
  for (std::uint32_t i = 0; i < plan.layer.size(); ++i) {
    const LayerPlan& l = plan.layer[i];
    add(i, op::q, l.q), add(i, op::k, l.k), add(i, op::v, l.v), add(i, op::o, l.o);
    if (l.routed()) add(i, op::router, l.router);
    else add(i, op::ffn, l.ffn), add(i, op::down, l.down);
    if (l.shared()) add(i, op::shared_ffn, l.shared_ffn), add(i, op::shared_down, l.shared_down);
  }
  add(kNoLayer, op::head, plan.head);
  return order;
}

Weights::Weights(const Plan& plan, emit::Emitter& emitter) : plan_(plan), emitter_(emitter) {
  const auto end_run = [&] {
    if (plan.experts()) run_end_.push_back(slots_.size());
  };
  for (const LayerPlan& l : plan.layer) {
    layer_start_.push_back(slots_.size());
    for (const MatrixPlan* m : {&l.q, &l.k, &l.v, &l.o}) add(*m);
    if (plan.some_routed()) end_run();
    feed_start_.push_back(slots_.size());
    if (l.routed()) add(l.router);
    else add(l.ffn), add(l.down);
    if (l.shared()) add(l.shared_ffn), add(l.shared_down);
    end_run();
  }
  if (plan.one_body) run_end_.push_back(slots_.size());
  layer_start_.push_back(slots_.size());
  add(plan.head);
  end_run();
  expert_start_ = slots_.size();
  if (plan.experts()) add(plan.routed_layer().ffn), add(plan.routed_layer().down);
  run_end_.push_back(slots_.size());
}

void Weights::add(const MatrixPlan& m) {
  slots_.insert(slots_.end(), static_cast<std::size_t>(m.iterations * m.slots),
                SlotSize{m.weight_bytes() + m.slot_index_bytes(), m.slot_scale_bytes(), m.slot_side_bytes(), m.stream_bytes(),
                         m.side_bytes > 0 ? static_cast<std::uint32_t>(m.kparts) : 1, m.stream_bytes(0) - m.stream_bytes(1)});
}

void Weights::start() {
  use_ = emitter_.variable(), fill_ = emitter_.variable(), from_ = emitter_.variable();
  emitter_.set(use_, 0);
  emitter_.set(fill_, 0);
  emitter_.set(from_, plan_.w_stream);
  if (plan_.scale_entries > 0) {
    for (Reg* r : {&scale_, &scale_fill_, &part_}) emitter_.set(*r = emitter_.variable(), 0);
    emitter_.signal(Engine::seq, kScaleFree, plan_.scale_entries);
  }
  if (in_runs()) emitter_.signal(Engine::seq, kSlotFree, plan_.ring_slots);
  if (plan_.one_body) emitter_.set(left_ = emitter_.variable(), static_cast<std::uint32_t>(plan_.layers) - 1);
  if (!plan_.experts()) fill_run();
}

void Weights::fill_run() {
  const std::size_t end = *std::upper_bound(run_end_.begin(), run_end_.end(), at_);
  const std::size_t last = std::min<std::size_t>(at_ + plan_.ring_slots, end);
  for (std::size_t i = at_; i < last;) {
    std::size_t same = 1;
    while (i + same < last && slots_[i + same] == slots_[i]) ++same;
    emitter_.repeat(static_cast<std::uint32_t>(same), [&] {
      if (in_runs()) emitter_.wait(Engine::ld, kSlotFree);
      load(slots_[i]);
    });
    i += same;
  }
}

void Weights::begin_expert(Reg from, Reg window) {
  expert_ = true, expert_from_ = from, window_ = window;
  at_ = expert_start_;
  fill_run();
}

bool Weights::same_layer(std::size_t a, std::size_t b) const {
  if (!(plan_.layer[a] == plan_.layer[b])) return false;
  const std::size_t from = layer_start_[a], other = layer_start_[b], size = layer_start_[a + 1] - from;
  for (std::size_t i = 0; i < size; ++i)
    if (ahead(from + i) != ahead(other + i)) return false;
  return true;
}

std::optional<SlotSize> Weights::ahead(std::size_t slot) const {
  const std::size_t i = slot + plan_.ring_slots;
  if (i >= *std::upper_bound(run_end_.begin(), run_end_.end(), slot)) return std::nullopt;
  SlotSize next = slots_[i];
  if (plan_.one_body && slot < layer_start_.back()) next.later = layer_of(i) - layer_of(slot);
  return next;
}

std::uint32_t Weights::layer_of(std::size_t slot) const {
  return static_cast<std::uint32_t>(std::upper_bound(layer_start_.begin(), layer_start_.end(), slot) - layer_start_.begin());
}

void Weights::end_layer() {
  if (plan_.one_body) emitter_.alui(AluFn::add, left_, left_, ~std::uint32_t(0));
}

Prefetch Weights::prefetch(const MatrixPlan& m, int iteration) const {
  Prefetch next;
  for (int s = 0; s < m.slots; ++s) next.push_back(ahead(at_ + static_cast<std::size_t>(iteration * m.slots + s)));
  return next;
}

void Weights::put(spec::Load load, std::optional<Reg> boxes) {
  const int windows = expert_ ? plan_.expert_windows : 1;
  for (int w = 0; w < windows; ++w) {
    load.win = expert_ ? static_cast<std::uint8_t>(kExpertWindow + w) : std::uint8_t{0};
    const Reg one = emitter_.constant(1);
    load.n1 = boxes.value_or(one), load.n2 = one;
    if (windows > 1) {
      const Reg here = emitter_.temporary();
      emitter_.alui(AluFn::eq, here, window_, static_cast<std::uint32_t>(w));
      if (boxes) emitter_.alu(AluFn::mul, here, here, *boxes);
      load.n1 = here;
    }
    emitter_.put(load);
  }
}

void Weights::load(const SlotSize& size) {
  const auto loads = [&] {
    put({.space = Space::wspm, .da = from(), .ca = fill_, .len = emitter_.constant(size.weights)});
    if (size.scales > 0) {
      const Reg scales = emitter_.temporary(), at = emitter_.temporary();
      emitter_.alui(AluFn::add, scales, from(), size.weights);
      emitter_.alui(AluFn::shr, at, fill_, 4);
      put({.space = Space::wsc, .da = scales, .ca = at, .len = emitter_.constant(size.scales)});
    }
    if (size.side == 0) return;
    const Reg side = emitter_.temporary();
    emitter_.alui(AluFn::add, side, from(), size.weights + size.scales);
    load_side(size, side);
  };
  // What an expert loads counts as its own: nobody can say ahead of time which expert comes next.
  if (expert_) loads();
  else emitter_.aside(kWeightLoads, loads);
  emitter_.signal(Engine::ld, kSlotFull);
  advance(size);
}

// The part of k a slot holds, where there are several, is counted; only the first has values at its side. Later ones load no boxes, which
// does nothing, but take a credit and give it back: so one body serves all parts.
void Weights::load_side(const SlotSize& size, Reg from) {
  const std::optional<Reg> boxes = size.parts == 1 ? std::nullopt : std::optional(first_part());
  emitter_.wait(Engine::ld, kScaleFree);
  put({.space = Space::vmem, .da = from, .ca = scale_fill_, .len = emitter_.constant(size.side)}, boxes);
}

Reg Weights::first_part() {
  const Reg first = emitter_.temporary();
  emitter_.alui(AluFn::eq, first, part_, 0);
  return first;
}

// To the next slot, stream offset and scales to fill.
void Weights::advance(const SlotSize& size) {
  const std::uint32_t entry = 4 * plan_.scale_words, entries = entry * plan_.scale_entries;
  cycle(fill_, plan_.slot_bytes, plan_.slot_bytes * plan_.ring_slots);
  emitter_.alui(AluFn::add, from(), from(), size.stream - (size.parts > 1 ? size.less : 0));
  if (size.side > 0 && size.parts == 1) cycle(scale_fill_, entry, entries);
  if (size.parts == 1) return;
  const Reg first = first_part(), step = emitter_.temporary();
  emitter_.alui(AluFn::mul, step, first, size.less);
  emitter_.alu(AluFn::add, from(), from(), step);
  emitter_.alui(AluFn::mul, step, first, entry);
  emitter_.alu(AluFn::add, scale_fill_, scale_fill_, step);
  cycle(scale_fill_, 0, entries);
  cycle(part_, 1, size.parts);
}

void Weights::use_side(spec::Vop op, Reg at, Reg stride, Reg m, int columns) {
  emitter_.put(spec::Vec{.op = op, .bmode = spec::Bmode::vector, .wr = true, .dst = at, .ds = stride, .a = at, .as = stride, .b = scale_,
                         .s = op == spec::Vop::mad ? emitter_.constant(0x3f800000u) : Reg{0}, .rows = m,
                         .cols = emitter_.constant(static_cast<std::uint32_t>(columns))});
  emitter_.signal(Engine::ve, kScaleFree);
  cycle(scale_, plan_.scale_words, plan_.scale_words * plan_.scale_entries);
}

// r = r + by, back to 0 at `end`.
void Weights::cycle(Reg r, std::uint32_t by, std::uint32_t end) {
  const Reg inside = emitter_.temporary();
  if (by != 0) emitter_.alui(AluFn::add, r, r, by);
  emitter_.alui(AluFn::ltu, inside, r, end);
  emitter_.alu(AluFn::mul, r, r, inside);
}

void Weights::consume(const MatrixPlan& m, const std::optional<SlotSize>& next, const Product& p) {
  emitter_.wait(Engine::mx, kSlotFull);
  Reg scales = 0;
  if (!m.channel()) emitter_.alui(AluFn::shr, scales = emitter_.temporary(), use_, 4);
  Reg indices = 0;
  if (m.sparse()) emitter_.alui(AluFn::add, indices = emitter_.temporary(), use_, m.weight_bytes());
  emitter_.put(spec::Mm{.wfmt = m.format == Format::mxfp4 ? spec::Wfmt::e2m1 : spec::Wfmt::int8,
                        .wscale = m.channel() ? spec::Wscale::one : m.format == Format::int8 ? spec::Wscale::fp16 : spec::Wscale::e8m0,
                        .ascale = spec::Ascale::bf16, .acc = p.acc, .w = use_, .ws = scales,
                        .wn = emitter_.constant(static_cast<std::uint32_t>(m.kbs * m.tile_bytes)),
                        .wk = emitter_.constant(static_cast<std::uint32_t>(m.tile_bytes)), .a = p.a, .am = p.am, .o = p.o, .om = p.om, .on = p.on,
                        .m = p.m, .kb = emitter_.constant(static_cast<std::uint32_t>(m.kbs)), .nb = emitter_.constant(static_cast<std::uint32_t>(m.nbs)), .sparse = m.sparse(), .wi = indices});
  emitter_.signal(Engine::mx, kSlotFree);
  cycle(use_, plan_.slot_bytes, plan_.slot_bytes * plan_.ring_slots);
  if (!next) return;
  const auto fill = [&] {
    emitter_.wait(Engine::ld, kSlotFree);
    load(*next);
  };
  if (next->later == 0) return fill();
  const Reg there = emitter_.temporary();
  emitter_.alui(AluFn::ltu, there, left_, next->later);
  emitter_.alui(AluFn::eq, there, there, 0);
  emitter_.loop(there, fill);
}

}  // namespace jogak::schedule
