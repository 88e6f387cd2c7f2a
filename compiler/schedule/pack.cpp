#include "pack.hpp"

#include <cmath>
#include <cstring>

#include "tile.hpp"

namespace jogak::schedule {
namespace {

using ir::QMatrix;

// Which rows of which matrix one slot's column blocks come from: n = -1 is a column of zeros.
struct Column {
  const QMatrix* matrix = nullptr;
  std::int64_t n = -1;
};

class Stream {
 public:
  Stream(std::vector<std::byte>& out, std::size_t at, int cols) : out_(out), at_(at), cols_(cols) {}

  // One slot: `columns` (nbs * C of them) times k blocks part * kbs .. (part + 1) * kbs - 1.
  void slot(const MatrixPlan& plan, const std::vector<Column>& columns, int part) {
    const int kb0 = part * plan.kbs;
    std::byte* tile = out_.data() + at_;
    std::byte* scale = tile + plan.weight_bytes();
    for (int nb = 0; nb < plan.nbs; ++nb) {
      for (int kb = 0; kb < plan.kbs; ++kb) {
        for (int c = 0; c < cols_; ++c) {
          const Column& from = columns[static_cast<std::size_t>(nb * cols_ + c)];
          if (from.n >= 0) put_column(*from.matrix, from.n, kb0 + kb, c, cols_, tile, scale);
        }
        tile += plan.tile_bytes;
        if (!plan.channel()) scale += plan.scale_bytes;
      }
    }
    if (plan.channel() && part == 0) put_channel(columns, scale);
    at_ += plan.stream_bytes(part);
  }

 private:
  // fp32 scale of each column, 0 for columns of zeros.
  static void put_channel(const std::vector<Column>& columns, std::byte* at) {
    for (const Column& c : columns) {
      const float s = c.n >= 0 && c.n < c.matrix->n ? c.matrix->channel[static_cast<std::size_t>(c.n)] : 0;
      std::memcpy(at, &s, sizeof s);
      at += sizeof s;
    }
  }

  std::vector<std::byte>& out_;
  std::size_t at_;
  int cols_;
};

// Columns first .. first + count - 1 of an iteration's padded columns; `map` gives the matrix row of each.
template <class Map>
std::vector<Column> columns(int count, const Map& map) {
  std::vector<Column> list(static_cast<std::size_t>(count));
  for (int j = 0; j < count; ++j) list[static_cast<std::size_t>(j)] = map(j);
  return list;
}

template <class Map>
void whole_k(Stream& out, const MatrixPlan& p, int cols, const Map& map) {
  const int width = p.nbs * cols;
  for (int it = 0; it < p.iterations; ++it)
    for (int s = 0; s < p.slots; ++s)
      out.slot(p, columns(width, [&](int j) { return map(it, s * width + j); }), 0);
}

void accumulating(Stream& out, const MatrixPlan& p, int cols, const QMatrix& m) {
  for (int slot = 0; slot < p.iterations * p.slots; ++slot) {
    const int first = slot / p.kparts * p.nbs * cols;
    out.slot(p, columns(p.nbs * cols, [&](int j) { return Column{&m, first + j}; }), slot % p.kparts);
  }
}

void layer(Stream& out, const Plan& p, const LlamaLayer& l, const LayerPlan& lp) {
  const auto head = [&](const QMatrix& m) {
    return [&](int it, int j) { return Column{&m, j < p.head_dim ? it * p.head_dim + j : -1}; };
  };
  whole_k(out, lp.q, p.cols, head(*l.q));
  whole_k(out, lp.k, p.cols, head(*l.k));
  whole_k(out, lp.v, p.cols, head(*l.v));
  accumulating(out, lp.o, p.cols, *l.o);
  whole_k(out, lp.ffn, p.cols, [&](int it, int j) {
    const QMatrix& m = j < p.fc ? *l.gate : *l.up;
    const std::int64_t n = it * p.fc + j % p.fc;
    return Column{&m, n < m.n ? n : -1};
  });
  accumulating(out, lp.down, p.cols, *l.down);
}

void put(std::vector<std::byte>& out, std::size_t at, const float* values, std::size_t count) {
  std::memcpy(out.data() + at, values, count * sizeof(float));
}

// Rotary tables: for pair i of position t the angle t * frequency[i]; cosine twice, then -sine and +sine; behind the last pair 1 and 0.
void rotary(std::vector<std::byte>& out, const Plan& p, const ir::Rotary& r) {
  std::vector<float> row(static_cast<std::size_t>(p.hn));
  const auto fill = [&](std::uint32_t base, bool sine) {
    for (int t = 0; t < p.context; ++t) {
      for (std::size_t j = 0; j < static_cast<std::size_t>(p.head_dim); ++j) {
        const bool turns = j / 2 < r.frequency.size();
        const double angle = turns ? t * r.frequency[j / 2] : 0;
        const double value = sine ? (j % 2 == 0 ? -std::sin(angle) : std::sin(angle)) : std::cos(angle);
        row[j] = static_cast<float>(turns ? r.magnitude * value : sine ? 0 : 1);
      }
      put(out, base + std::size_t(t) * static_cast<std::size_t>(p.hn) * 4, row.data(), row.size());
    }
  };
  fill(p.w_rope, false);
  fill(p.w_rope + static_cast<std::uint32_t>(p.context * p.hn * 4), true);
}

// A layer's norms, then its biases head by head (each padded to hn), then its QK norms.
void norms(std::vector<std::byte>& out, const Plan& p, std::size_t at, const LlamaLayer& l) {
  const auto width = static_cast<std::size_t>(p.width), head = static_cast<std::size_t>(p.head_dim);
  const auto next = [&](const float* values, std::size_t count, int words) {
    put(out, at, values, count);
    at += static_cast<std::size_t>(words) * 4;
  };
  next(l.attn_norm.data(), width, p.dn), next(l.ffn_norm.data(), width, p.dn);
  for (const auto* bias : {&l.q_bias, &l.k_bias, &l.v_bias})
    for (std::size_t i = 0; i < bias->size(); i += head) next(bias->data() + i, head, p.hn);
  for (const auto* weights : {&l.q_norm, &l.k_norm})
    if (!weights->empty()) next(weights->data(), head, p.hn);
}

}  // namespace

std::vector<std::byte> pack_weights(const Llama& model, const Plan& p) {
  std::vector<std::byte> out(p.w_bytes);
  Stream stream(out, p.w_stream, p.cols);
  for (std::size_t i = 0; i < model.layers.size(); ++i) layer(stream, p, model.layers[i], p.layer[i]);
  whole_k(stream, p.head, p.cols, [&](int it, int j) {
    const std::int64_t n = it * p.vocab_step + j;
    return Column{model.head.get(), n < model.head->n ? n : -1};
  });
  const std::size_t norm = static_cast<std::size_t>(p.dn) * 4, width = static_cast<std::size_t>(p.width);
  for (std::size_t i = 0; i < model.layers.size(); ++i) norms(out, p, p.w_norms + i * p.norm_bytes(), model.layers[i]);
  put(out, p.w_norms + model.layers.size() * p.norm_bytes(), model.final_norm.data(), width);
  for (std::size_t t = 0; t < static_cast<std::size_t>(p.vocab); ++t)
    put(out, p.w_embed + t * norm, model.embedding.data() + t * width, width);
  rotary(out, p, model.rotary);
  return out;
}

}  // namespace jogak::schedule
