#include "pack.hpp"

#include <cstring>

#include "../schedule/tile.hpp"

namespace jogak::encoder {
namespace {

class Packer {
 public:
  Packer(const Plan& plan, std::vector<std::uint8_t>& out) : p_(plan), out_(out) {}
  void seek(std::size_t at) { at_ = at; }

  // `row(j)`: the matrix' row of padded column j, or -1.
  template <class Row>
  void matrix(const MatrixPlan& m, const Dense& d, const Row& row) {
    const int columns = m.nbs * p_.cols;
    for (int i = 0; i < m.iterations; ++i)
      for (int s = 0; s < m.slots; ++s) {
        const int first = m.kparts > 1 ? i * columns : (i * m.slots + s) * columns;
        slot(m, d, m.kparts > 1 ? s : 0, [&](int j) { return row(first + j); });
      }
  }
  void heads(const MatrixPlan& m, const Dense& d) {
    matrix(m, d, [&](int j) { return j % p_.hn < p_.head_dim ? j / p_.hn * p_.head_dim + j % p_.hn : -1; });
  }
  void plain(const MatrixPlan& m, const Dense& d) {
    matrix(m, d, [&](int j) { return j < d.w->n ? j : -1; });
  }

 private:
  template <class Row>
  void slot(const MatrixPlan& m, const Dense& d, int part, const Row& row) {
    auto* tile = reinterpret_cast<std::byte*>(out_.data() + at_);
    std::byte* scale = tile + p_.slot.weight_bytes;
    std::byte* params = scale + p_.slot.scale_bytes;
    for (int nb = 0; nb < m.nbs; ++nb)
      for (int kb = 0; kb < m.kbs; ++kb, tile += m.tile_bytes, scale += m.scale_bytes)
        for (int c = 0; c < p_.cols; ++c) schedule::put_column(*d.w, row(nb * p_.cols + c), part * m.kbs + kb, c, p_.cols, tile, scale);
    for (int j = 0; j < m.nbs * p_.cols; ++j) {
      const int n = row(j);
      if (n < 0) continue;
      put(params, j, d.bias.empty() ? 0 : d.bias[static_cast<std::size_t>(n)]);
      if (m.channel()) put(params, static_cast<int>(p_.slot.columns) + j, d.w->channel[static_cast<std::size_t>(n)]);
    }
    at_ += p_.slot.stride;
  }
  static void put(std::byte* at, int index, float x) { std::memcpy(at + 4 * index, &x, sizeof x); }

  const Plan& p_;
  std::vector<std::uint8_t>& out_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<std::uint8_t> pack_weights(const Encoder& model, const Plan& p) {
  std::vector<std::uint8_t> out(p.w_bytes);
  Packer packer(p, out);
  if (p.source == Source::patches) packer.seek(p.w_patch), packer.plain(p.patch, model.embedding.patch);
  packer.seek(p.w_stream);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& l = model.layers[i];
    const LayerPlan& lp = p.layer[i];
    packer.heads(lp.k, l.k), packer.heads(lp.v, l.v), packer.heads(lp.q, l.q);
    packer.plain(lp.o, l.o), packer.plain(lp.up, l.up), packer.plain(lp.down, l.down);
  }
  packer.seek(p.w_head);
  for (std::size_t i = 0; i < p.head.size(); ++i) packer.plain(p.head[i], model.head.steps[i].dense);
  std::size_t at = p.w_norms;
  const auto norm = [&](const Norm& n) {
    for (const auto* values : {&n.weight, &n.bias}) {
      std::memcpy(out.data() + at, values->data(), values->size() * 4);
      at += static_cast<std::size_t>(p.dn) * 4;
    }
  };
  if (model.embedding.normed) norm(model.embedding.norm);
  if (model.norm_first) norm(model.first);
  for (const Layer& l : model.layers) norm(l.middle), norm(l.end);
  for (const HeadStep& step : model.head.steps)
    if (step.normed) norm(step.norm);
  const auto table = [&](std::size_t to, const std::vector<float>& values) {
    const auto width = static_cast<std::size_t>(p.width), dn = static_cast<std::size_t>(p.dn);
    for (std::size_t r = 0; r * width < values.size(); ++r) std::memcpy(out.data() + to + r * dn * 4, values.data() + r * width, width * 4);
  };
  table(p.w_words, model.embedding.words), table(p.w_types, model.embedding.types), table(p.w_positions, model.embedding.positions);
  for (std::uint32_t i = 0; p.merge > 0 && i < static_cast<std::uint32_t>(p.pairs()); ++i) {
    const float number = static_cast<float>(i) * 0x1p-22f;
    std::memcpy(out.data() + p.w_numbers + 4 * i, &number, 4);
  }
  for (std::uint32_t i = 0; p.merge > 0 && i <= static_cast<std::uint32_t>(p.keys); ++i) std::memcpy(out.data() + p.w_rows + 4 * i, &i, 4);
  return out;
}

}  // namespace jogak::encoder
