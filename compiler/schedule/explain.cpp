#include "explain.hpp"

#include <algorithm>
#include <cstdio>

#include "../package/load.hpp"
#include "weights.hpp"

namespace jogak::schedule {
namespace {

Bound rates(const Plan& p, std::uint32_t first, std::uint32_t last, const char* name, int tile_bytes) {
  return {.first = first, .last = last, .op = name, .port_bytes = p.config.port_bytes,
          .tile_load = static_cast<std::uint64_t>(tile_bytes / (2 * p.cols)),
          .slices = static_cast<std::uint64_t>(std::max(1, 32 / static_cast<int>(p.config.rows)))};
}

Bound matrix(const Plan& p, std::uint32_t first, std::uint32_t last, const char* name, const MatrixPlan& m) {
  Bound b = rates(p, first, last, name, m.tile_bytes);
  const auto slots = static_cast<std::uint64_t>(m.iterations) * static_cast<std::uint64_t>(m.slots);
  b.bytes = m.total_bytes();
  b.tiles = slots * static_cast<std::uint64_t>(m.nbs * m.kbs);
  return b;
}

// K and V with their scales, once per KV head; the products with them, once per head.
Bound attention(const Plan& p, std::uint32_t first, std::uint32_t last) {
  Bound b = rates(p, first, last, "attention", 32 * p.cols);
  b.bytes_per_block = static_cast<std::uint64_t>(p.kv_heads * 32 * (p.hk + p.hk / 16 + p.hn + 4));
  b.tiles_per_block = static_cast<std::uint64_t>(p.heads * (p.hk / p.cols + p.hn / p.cols));
  return b;
}

// Of one row: more rows may take other experts. Where they lie whole on the dies, of the die that has most to do.
Bound experts(const Plan& p, std::uint32_t first, std::uint32_t last, const LayerPlan& l) {
  Bound b = matrix(p, first, last, op::experts, l.ffn);
  const double turns = package::expert_turns(p, 1);
  const auto all = [&](std::uint64_t one) { return static_cast<std::uint64_t>(turns * static_cast<double>(one)); };
  b.tiles = all(b.tiles + matrix(p, first, last, op::experts, l.down).tiles);
  b.bytes = all(p.expert_bytes);
  return b;
}

void line(std::string& out, const Plan& p, const Bound& b) {
  const auto side = [&](std::uint64_t array, std::uint64_t port) { return array > port ? "array bound" : "memory bound"; };
  const auto rows = static_cast<std::uint64_t>(p.rows);
  const std::uint64_t port = b.port(1), one = b.array(1, 1), most = b.array(rows, rows);
  char text[200];
  std::snprintf(text, sizeof text, "  %-12s %9llu bytes  port %8llu  array %8llu (1 row, %s)  %9llu (%d rows, %s)\n", b.op.c_str(),
                static_cast<unsigned long long>(b.bytes + b.bytes_per_block), static_cast<unsigned long long>(port),
                static_cast<unsigned long long>(one), side(one, port), static_cast<unsigned long long>(most), p.rows, side(most, b.port(rows)));
  out += text;
}

}  // namespace

std::vector<Bound> bounds(const Plan& p) {
  std::vector<Bound> out;
  for (std::uint32_t first = 0; first < p.layer.size();) {
    std::uint32_t last = first;
    while (last + 1 < p.layer.size() && p.layer[last + 1] == p.layer[first]) ++last;
    const LayerPlan& l = p.layer[first];
    out.push_back(matrix(p, first, last, op::q, l.q));
    out.push_back(matrix(p, first, last, op::k, l.k));
    out.push_back(matrix(p, first, last, op::v, l.v));
    out.push_back(attention(p, first, last));
    out.push_back(matrix(p, first, last, op::o, l.o));
    if (l.routed()) {
      out.push_back(matrix(p, first, last, op::router, l.router));
      if (l.shared()) out.push_back(matrix(p, first, last, op::shared_ffn, l.shared_ffn)), out.push_back(matrix(p, first, last, op::shared_down, l.shared_down));
      out.push_back(experts(p, first, last, l));
    } else {
      out.push_back(matrix(p, first, last, op::ffn, l.ffn));
      out.push_back(matrix(p, first, last, op::down, l.down));
    }
    first = last + 1;
  }
  out.push_back(matrix(p, kNoLayer, kNoLayer, op::head, p.head));
  return out;
}

std::string explain(const Plan& p) {
  char text[400];
  std::snprintf(text, sizeof text,
                "%s: %d rows a launch, context %d, %u weight slots of %u bytes, %s K/V area of %u bytes, vector memory %u of %u words\n",
                p.config.name, p.rows, p.context, p.ring_slots, p.slot_bytes, p.double_kv ? "double" : "single", p.kv_area_bytes,
                p.work + p.work_words, p.config.vmem_bytes / 4);
  std::string out = text;
  for (const Bound& b : bounds(p)) {
    if (b.first == kNoLayer) out += "output:\n";
    else if (b.op == op::q)
      out += "layers " + std::to_string(b.first) + " to " + std::to_string(b.last) + ", cycles of one (attention: with as many keys as rows):\n";
    line(out, p, b);
  }
  return out;
}

}  // namespace jogak::schedule
