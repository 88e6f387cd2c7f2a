#include "weights.hpp"

#include <algorithm>

namespace jogak::schedule {

using emit::Reg;
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
    add(i, op::q, l.q), add(i, op::k, l.k), add(i, op::v, l.v), add(i, op::o, l.o), add(i, op::ffn, l.ffn), add(i, op::down, l.down);
  }
  add(kNoLayer, op::head, plan.head);
  return order;
}

Weights::Weights(const Plan& plan, emit::Emitter& emitter) : plan_(plan), emitter_(emitter) {
  const auto add = [&](const MatrixPlan& m) {
    slots_.insert(slots_.end(), static_cast<std::size_t>(m.iterations * m.slots),
                  SlotSize{m.weight_bytes(), m.slot_scale_bytes(), m.stream_bytes()});
  };
  for (const LayerPlan& l : plan.layer) {
    layer_start_.push_back(slots_.size());
    for (const MatrixPlan* m : {&l.q, &l.k, &l.v, &l.o, &l.ffn, &l.down}) add(*m);
  }
  layer_start_.push_back(slots_.size());
  add(plan.head);
}

void Weights::fill_ring() {
  use_ = emitter_.variable(), fill_ = emitter_.variable(), from_ = emitter_.variable();
  emitter_.set(use_, 0);
  emitter_.set(fill_, 0);
  emitter_.set(from_, plan_.w_stream);
  const std::size_t count = std::min<std::size_t>(plan_.ring_slots, slots_.size());
  for (std::size_t i = 0; i < count;) {
    std::size_t same = 1;
    while (i + same < count && slots_[i + same] == slots_[i]) ++same;
    emitter_.repeat(static_cast<std::uint32_t>(same), [&] { load(slots_[i]); });
    i += same;
  }
}

bool Weights::same_layer(std::size_t a, std::size_t b) const {
  if (!(plan_.layer[a] == plan_.layer[b])) return false;
  const auto ahead = [&](std::size_t slot) {
    const std::size_t i = slot + plan_.ring_slots;
    return i < slots_.size() ? slots_[i] : SlotSize{};
  };
  const std::size_t from = layer_start_[a], other = layer_start_[b], size = layer_start_[a + 1] - from;
  for (std::size_t i = 0; i < size; ++i)
    if (ahead(from + i) != ahead(other + i)) return false;
  return true;
}

Prefetch Weights::prefetch(const MatrixPlan& m, int iteration) const {
  Prefetch next;
  for (int s = 0; s < m.slots; ++s) {
    const std::size_t i = at_ + static_cast<std::size_t>(iteration * m.slots + s) + plan_.ring_slots;
    next.push_back(i < slots_.size() ? std::optional(slots_[i]) : std::nullopt);
  }
  return next;
}

void Weights::load(const SlotSize& size) {
  emitter_.aside(kWeightLoads, [&] {
    const Reg one = emitter_.constant(1);
    emitter_.put(spec::Load{.win = 0, .space = Space::wspm, .da = from_, .ca = fill_, .len = emitter_.constant(size.weights), .n1 = one, .n2 = one});
    const Reg scales = emitter_.temporary(), at = emitter_.temporary();
    emitter_.alui(AluFn::add, scales, from_, size.weights);
    emitter_.alui(AluFn::shr, at, fill_, 4);
    emitter_.put(spec::Load{.win = 0, .space = Space::wsc, .da = scales, .ca = at, .len = emitter_.constant(size.scales),
                            .n1 = emitter_.constant(1), .n2 = emitter_.constant(1)});
  });
  emitter_.signal(Engine::ld, kSlotFull);
  emitter_.alui(AluFn::add, from_, from_, size.stream);
  step(fill_);
}

void Weights::step(Reg slot) {
  const Reg inside = emitter_.temporary();
  emitter_.alui(AluFn::add, slot, slot, plan_.slot_bytes);
  emitter_.alui(AluFn::ltu, inside, slot, plan_.slot_bytes * plan_.ring_slots);
  emitter_.alu(AluFn::mul, slot, slot, inside);
}

void Weights::consume(const MatrixPlan& m, const std::optional<SlotSize>& next, const Product& p) {
  const bool int8 = m.tile_bytes == 32 * plan_.cols;
  emitter_.wait(Engine::mx, kSlotFull);
  const Reg scales = emitter_.temporary();
  emitter_.alui(AluFn::shr, scales, use_, 4);
  emitter_.put(spec::Mm{.wfmt = int8 ? spec::Wfmt::int8 : spec::Wfmt::e2m1, .wscale = int8 ? spec::Wscale::fp16 : spec::Wscale::e8m0,
                        .ascale = spec::Ascale::bf16, .acc = p.acc, .w = use_, .ws = scales,
                        .wn = emitter_.constant(static_cast<std::uint32_t>(m.kbs * m.tile_bytes)),
                        .wk = emitter_.constant(static_cast<std::uint32_t>(m.tile_bytes)), .a = p.a, .am = p.am, .o = p.o, .om = p.om, .on = p.on,
                        .m = p.m, .kb = emitter_.constant(static_cast<std::uint32_t>(m.kbs)), .nb = emitter_.constant(static_cast<std::uint32_t>(m.nbs))});
  emitter_.signal(Engine::mx, kSlotFree);
  step(use_);
  if (!next) return;
  emitter_.wait(Engine::ld, kSlotFree);
  load(*next);
}

}  // namespace jogak::schedule
