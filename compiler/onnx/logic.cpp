// Comparison, logic and choice.
#include "handlers.hpp"

namespace jogak::onnx {

namespace {

void equal(Context& c) { c.out(c.b.equal(c.in(0), c.in(1))); }
void less(Context& c) { c.out(c.b.less(c.in(0), c.in(1))); }
void greater(Context& c) { c.out(c.b.less(c.in(1), c.in(0))); }
void less_equal(Context& c) { c.out(c.b.op(Op::less_equal, {c.in(0), c.in(1)})); }
void greater_equal(Context& c) { c.out(c.b.op(Op::less_equal, {c.in(1), c.in(0)})); }

void logical_and(Context& c) { c.out(c.b.select(c.in(0), c.in(1), c.b.scalar(0, Type::boolean))); }
void logical_or(Context& c) { c.out(c.b.select(c.in(0), c.b.scalar(1, Type::boolean), c.in(1))); }
void logical_xor(Context& c) { c.out(c.b.logical_not(c.b.equal(c.in(0), c.in(1)))); }

}  // namespace

void register_logic(Registry& r) {
  r[":Equal"] = equal;
  r[":Less"] = less;
  r[":Greater"] = greater;
  r[":LessOrEqual"] = less_equal;
  r[":GreaterOrEqual"] = greater_equal;
  r[":And"] = logical_and;
  r[":Or"] = logical_or;
  r[":Xor"] = logical_xor;
  r[":Not"] = [](Context& c) { c.out(c.b.logical_not(c.in(0))); };
  r[":Where"] = [](Context& c) { c.out(c.b.select(c.in(0), c.in(1), c.in(2))); };
}

}  // namespace jogak::onnx
