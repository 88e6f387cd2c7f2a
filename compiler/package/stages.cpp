#include <algorithm>

#include "../schedule/sizes.hpp"
#include "parts.hpp"

namespace jogak::package {

using schedule::Llama;
using schedule::LlamaLayer;
using schedule::Matrix;

namespace {

// The same shapes, all zeros: matrices without rows.
LlamaLayer nothing(LlamaLayer l) {
  for (Matrix* m : {&l.q, &l.k, &l.v, &l.o, &l.gate, &l.up, &l.down}) {
    if (!*m) continue;
    ir::QMatrix none;
    none.format = (*m)->format, none.k = (*m)->k;
    *m = std::make_shared<const ir::QMatrix>(std::move(none));
  }
  for (auto* v : {&l.o_bias, &l.sinks, &l.attn_norm, &l.ffn_norm, &l.attn_norm_bias, &l.ffn_norm_bias, &l.post_attn, &l.post_ffn, &l.up_bias, &l.down_bias, &l.q_bias,
                  &l.k_bias, &l.v_bias, &l.q_norm, &l.k_norm})
    std::fill(v->begin(), v->end(), 0.0f);
  return l;
}

}  // namespace

// The first dies have the ones that do not divide.
int first_layer(int layers, int dies, int die) { return die * (layers / dies) + std::min(die, layers % dies); }

std::vector<Llama> stages(const Llama& model, int dies) {
  const int layers = static_cast<int>(model.layers.size()), most = schedule::share(layers, dies);
  std::vector<Llama> list;
  for (int die = 0; die < dies; ++die) {
    const int first = first_layer(layers, dies, die), end = first_layer(layers, dies, die + 1);
    Llama stage = model;
    stage.layers.assign(model.layers.begin() + first, model.layers.begin() + end);
    while (static_cast<int>(stage.layers.size()) < most) stage.layers.push_back(nothing(model.layers[static_cast<std::size_t>(first)]));
    list.push_back(std::move(stage));
  }
  return list;
}

}  // namespace jogak::package
