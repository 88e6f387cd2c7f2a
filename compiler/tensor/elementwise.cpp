// Element-wise operators: every operand is loaded as the result's shape, so a piece is flat.
#include "kernels.hpp"
#include "math.hpp"

namespace jogak::tensor {
namespace {

// What the operator computes from arguments already on chip.
void apply(Math& math, const Site& s, Slot out, const std::vector<Arg>& args) {
  const Op op = s.node.op;
  if (op == Op::select) return math.select(out, args[0].buffer, args[1], args[2]);
  if (op <= Op::equal) return math.binary(op, out, args[0], args[1], op == Op::div && s.output().dtype == DType::i32);
  math.unary(op, s.node.attrs.dtype, out, args[0].buffer);
}

// An operand of one element as a number or a register; buffers for the others.
struct Operands {
  std::vector<Arg> args;
  std::vector<std::size_t> loaded;  // inputs with buffers, in the walk's order behind the result
};

Operands arguments(const Site& s, Math& math, bool emit) {
  Operands o;
  for (std::size_t i = 0; i < s.node.inputs.size(); ++i) {
    const Value& v = s.input(i);
    const bool needs_buffer = s.node.op == Op::select ? i == 0 : s.node.inputs.size() == 1;
    if (elements(v.shape) > 1 || needs_buffer || elements(s.output().shape) == 1) {
      o.loaded.push_back(i);
      o.args.push_back(Arg(math.buffer()));
    } else if (v.constant()) {
      o.args.push_back(Arg(v.data->front()));
    } else if (!emit) {
      o.args.push_back(Arg::of(1));
    } else {
      load_words(s.code, s.place(s.node.inputs[i]), 1, {0});
      const Reg r = s.code.variable();
      s.code.read_word(r, 0);
      o.args.push_back(Arg::of(r));
    }
  }
  return o;
}

}  // namespace

void lower_elementwise(const Site& s) {
  Math dry;
  const Operands planned = arguments(s, dry, false);
  apply(dry, s, dry.buffer(), planned.args);
  const std::uint32_t words = s.code.vmem_words() / static_cast<std::uint32_t>(dry.most()) / s.code.lanes() * s.code.lanes();

  const Shape& shape = s.output().shape;
  std::vector<Operand> operands = {s.whole(s.node.outputs[0])};
  for (const std::size_t i : planned.loaded) operands.push_back({s.place(s.node.inputs[i]), broadcast_view(s.input(i).shape, shape)});
  Walk* walk_at = nullptr;
  Math math(s.code, 0, words, [&] { return walk_at->count(); });
  const Operands o = arguments(s, math, true);
  const Slot out = math.buffer();
  Walk walk(s.code, operands, {.words = words});
  walk_at = &walk;
  walk.run([&] {
    for (std::size_t i = 0; i < o.loaded.size(); ++i) walk.load(i + 1, math.at(o.args[o.loaded[i]].buffer));
    apply(math, s, out, o.args);
    walk.store(0, math.at(out));
  });
}

}  // namespace jogak::tensor
