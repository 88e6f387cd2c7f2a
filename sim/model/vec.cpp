// vec: combine, function, mask, then write and reduce, one row after the other.
#include <span>

#include "execute.hpp"
#include "functions_fast.hpp"
#include "lanes.hpp"
#include "numerics.hpp"

namespace jogak::model {

using spec::Bmode;
using spec::Counter;
using spec::Fault;
using spec::Vred;

namespace {

Fault check_align(const VecCmd& c, u32 cols) {
  if (misaligned(cols, c.a, c.as)) return Fault::align;
  if (c.bmode == Bmode::vector && misaligned(cols, c.b, c.bs)) return Fault::align;
  return c.wr && misaligned(cols, c.dst, c.ds) ? Fault::align : Fault::none;
}

bool shape_ok(const VecCmd& c) {
  if (c.rows > spec::limit::count_max || c.cols > spec::limit::count_max) return false;
  return !c.swap || c.cols % 2 == 0;
}

bool on_chip(const VecCmd& c, u64 words) {
  const u64 last = c.rows - 1;
  if (c.a + last * c.as + c.cols > words) return false;
  if (c.reads_b() && c.b + last * c.bs + c.b_cols() > words) return false;
  if (c.wr && c.dst + last * c.ds + c.cols > words) return false;
  return !c.reduces() || u64(c.r) + c.rows <= words;
}

u32 operand_a(const VecCmd& c, const u32* row, u64 column) {
  u32 x = row[c.swap ? column ^ 1 : column];
  if (c.absa) x = num::fabs(x);
  return c.nega ? num::fneg(x) : x;
}

u32 combine(const VecCmd& c, u32 x, u32 y) {
  switch (c.op) {
    case spec::Vop::mul: return num::fmul(x, y);
    case spec::Vop::mad: return num::ffma(x, c.s, y);
    case spec::Vop::max: return num::fmax(x, y);
    case spec::Vop::min: break;
  }
  return num::fmin(x, y);
}

// The first masked column of a row; columns at and past it give the fixed value.
u64 limit(const VecCmd& c, u64 row) {
  if (!c.masked) return c.cols;
  return std::min<u64>(c.cols, u64(c.lim) + (c.linc ? row : 0));
}

u32 reduce(const VecCmd& c, std::span<const u32> values) {
  if (c.red == Vred::sum) return num::tree_sum(values.data(), c.cols);
  u32 largest = num::kLowest;
  for (const u32 v : values) largest = num::fmax(largest, v);
  return largest;
}

u32 operand_b(const VecCmd& c, const std::vector<u32>& vmem, u64 row, u64 column) {
  u32 y = c.b;
  if (c.bmode == Bmode::vector) y = vmem[c.b + row * c.bs + column];
  if (c.bmode == Bmode::row_scalar) y = vmem[c.b + row * c.bs];
  return c.negb ? num::fneg(y) : y;
}

// Whether rows of dst may be made where they are to lie: each is the operand's row itself, or no row of it touches any of the other.
bool apart(const VecCmd& c, u64 at, u64 stride) {
  if (at == c.dst && stride == c.ds) return !c.swap;
  const u64 last = c.rows - 1;
  return at + last * stride + c.cols <= c.dst || c.dst + last * c.ds + c.cols <= at;
}

void row_exact(const VecCmd& c, const std::vector<u32>& vmem, u64 row, std::span<u32> out) {
  const u32* a = &vmem[c.a + row * c.as];
  const u64 open = limit(c, row);
  const u32 fixed = c.red == Vred::max ? num::kLowest : 0;
  for (u64 j = 0; j < c.cols; ++j) {
    out[j] = fixed;
    if (j < open) {
      out[j] = apply_function(c.func, combine(c, operand_a(c, a, j), operand_b(c, vmem, row, j)));
    }
  }
}

}  // namespace

Fault check(const VecCmd& c, const Env& env) {
  const Fault align = check_align(c, env.config.cols);
  if (align != Fault::none) return align;
  if (!shape_ok(c)) return Fault::shape;
  return c.empty() || on_chip(c, env.memories.vmem.size()) ? Fault::none : Fault::onchip;
}

EngineFault execute(const VecCmd& c, Env& env) {
  ++env.counters[Counter::cmd_vec];
  env.counters[Counter::vec_elems] += u64(c.rows) * c.cols;
  if (c.empty()) return {};
  std::vector<u32>& vmem = env.memories.vmem;
  Lanes lanes(c, !env.exact);
  const bool in_place = c.wr && !env.exact && apart(c, c.a, c.as) && (c.bmode != Bmode::vector || apart(c, c.b, c.bs));
  std::vector<u32> scratch(in_place ? 0 : c.cols);
  for (u64 row = 0; row < c.rows; ++row) {
    u32* const dst = c.wr ? &vmem[c.dst + row * c.ds] : nullptr;
    const std::span<u32> out(in_place ? dst : scratch.data(), c.cols);
    const bool fast = lanes.run(vmem, row, limit(c, row), out);
    if (!fast) row_exact(c, vmem, row, out);
    if (c.wr && !in_place) std::copy(out.begin(), out.end(), dst);
    if (c.reduces()) vmem[c.r + row] = fast ? lanes.reduce(out) : reduce(c, out);
  }
  return {};
}

}  // namespace jogak::model
