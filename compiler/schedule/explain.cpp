#include "explain.hpp"

#include <algorithm>
#include <cstdio>

namespace jogak::schedule {
namespace {

struct Cycles {
  long long port, one, most;
};

// Port: bytes over port width. Array: a tile takes the longer of its load and its rows.
Cycles cycles(const Plan& p, const MatrixPlan& m) {
  const long long slots = 1LL * m.iterations * m.slots, tiles = slots * m.nbs * m.kbs;
  const int slices = std::max(1, 32 / static_cast<int>(p.config.rows));
  const int load = m.tile_bytes / (2 * p.cols);
  const auto array = [&](int rows) { return tiles * std::max(load, rows * slices); };
  return {slots * m.stream_bytes() / p.config.port_bytes, array(1), array(p.rows)};
}

void line(std::string& out, const Plan& p, const char* name, const MatrixPlan& m) {
  const Cycles c = cycles(p, m);
  char text[200];
  std::snprintf(text, sizeof text, "  %-8s %9lld bytes  port %8lld  array %8lld (1 row, %s)  %9lld (%d rows, %s)\n", name,
                c.port * p.config.port_bytes, c.port, c.one, c.one > c.port ? "array bound" : "memory bound", c.most, p.rows,
                c.most > c.port ? "array bound" : "memory bound");
  out += text;
}

}  // namespace

std::string explain(const Plan& p) {
  char text[400];
  std::snprintf(text, sizeof text,
                "%s: %d rows a launch, context %d, %u weight slots of %u bytes, %s K/V area of %u bytes, vector memory %u of %u words\n",
                p.config.name, p.rows, p.context, p.ring_slots, p.slot_bytes, p.double_kv ? "double" : "single", p.kv_area_bytes,
                p.work + p.work_words, p.config.vmem_bytes / 4);
  std::string out = text;
  for (std::size_t first = 0; first < p.layer.size();) {
    std::size_t last = first;
    while (last + 1 < p.layer.size() && p.layer[last + 1] == p.layer[first]) ++last;
    out += "layers " + std::to_string(first) + " to " + std::to_string(last) + ", cycles of one:\n";
    const LayerPlan& l = p.layer[first];
    line(out, p, "q", l.q), line(out, p, "k", l.k), line(out, p, "v", l.v), line(out, p, "o", l.o);
    line(out, p, "gate_up", l.ffn), line(out, p, "down", l.down);
    first = last + 1;
  }
  out += "output:\n";
  line(out, p, "logits", p.head);
  return out;
}

}  // namespace jogak::schedule
