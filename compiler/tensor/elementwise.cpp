// Element-wise operators: every operand is loaded as the result's shape, so a piece is flat. Neighbours run on a piece together.
#include <algorithm>
#include <map>

#include "kernels.hpp"
#include "math.hpp"

namespace jogak::tensor {
namespace {

class Fused {
 public:
  Fused(const Site& s, const std::vector<const Node*>& nodes) : s_(s), nodes_(nodes), result_(nodes.back()->outputs[0]) {
    for (const Node* n : nodes_) made_.push_back(n->outputs[0]);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for (std::size_t j = 0; j < nodes_[i]->inputs.size(); ++j) use(i, j);
  }

  void run() {
    Math dry;
    body(dry, nullptr);
    const std::uint32_t words = s_.code.vmem_words() / static_cast<std::uint32_t>(dry.most()) / s_.code.lanes() * s_.code.lanes();
    read_scalars();
    const Shape& shape = s_.graph.shape(result_);
    std::vector<Operand> operands = {s_.whole(result_)};
    for (const ValueId id : loaded_) operands.push_back({s_.place(id), broadcast_view(s_.graph.shape(id), shape)});
    Walk walk(s_.code, operands, {.words = words});
    Math math(s_.code, 0, words, [&] { return walk.count(); });
    walk.run([&] { body(math, &walk); });
  }

 private:
  void use(std::size_t node, std::size_t input) {
    const ValueId id = nodes_[node]->inputs[input];
    last_[id] = node;
    if (std::find(made_.begin(), made_.end(), id) != made_.end()) return;
    const Op op = nodes_[node]->op;
    const bool buffer = elements(s_.graph.shape(id)) > 1 || elements(s_.graph.shape(result_)) == 1 || (op == Op::select && input == 0) || nodes_[node]->inputs.size() == 1;
    auto& list = buffer ? loaded_ : scalars_;
    if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
    if (const auto both = std::find(scalars_.begin(), scalars_.end(), id); buffer && both != scalars_.end()) scalars_.erase(both);
    if (!buffer && std::find(loaded_.begin(), loaded_.end(), id) != loaded_.end()) scalars_.pop_back();
  }

  // Operands of one element that the compiler does not know: into registers.
  void read_scalars() {
    for (const ValueId id : scalars_) {
      if (s_.graph.value(id).constant()) continue;
      load_words(s_.code, s_.place(id), 1, {0});
      registers_[id] = s_.code.variable();
      s_.code.read_word(registers_[id], 0);
    }
  }

  Arg argument(ValueId id, Math& math, Walk* walk, std::map<ValueId, Slot>& slots) {
    if (std::find(scalars_.begin(), scalars_.end(), id) != scalars_.end()) {
      const Value& v = s_.graph.value(id);
      return v.constant() ? Arg(v.data->front()) : Arg::of(registers_[id]);
    }
    const auto found = slots.find(id);
    if (found != slots.end()) return Arg(found->second);
    const Slot slot = slots[id] = math.buffer();
    const auto at = std::find(loaded_.begin(), loaded_.end(), id) - loaded_.begin();
    if (walk) walk->load(static_cast<std::size_t>(at) + 1, math.at(slot));
    return Arg(slot);
  }

  void body(Math& math, Walk* walk) {
    std::map<ValueId, Slot> slots;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node& n = *nodes_[i];
      std::vector<Arg> args;
      for (const ValueId id : n.inputs) args.push_back(argument(id, math, walk, slots));
      const Slot out = slots[n.outputs[0]] = math.buffer();
      apply(math, n, out, args);
      for (const ValueId id : n.inputs) {
        const auto slot = slots.find(id);
        if (slot == slots.end() || last_.at(id) != i) continue;
        math.release(slot->second);
        slots.erase(slot);
      }
    }
    if (walk) walk->store(0, math.at(slots.at(result_)));
    for (const auto& [id, slot] : slots) math.release(slot);
  }

  void apply(Math& math, const Node& n, Slot out, const std::vector<Arg>& args) {
    if (n.op == Op::select) return math.select(out, args[0].buffer, args[1], args[2]);
    if (n.op <= Op::equal) return math.binary(n.op, out, args[0], args[1], n.op == Op::div && s_.graph.value(n.outputs[0]).dtype == DType::i32);
    math.unary(n.op, n.attrs.dtype, out, args[0].buffer);
  }

  const Site& s_;
  const std::vector<const Node*>& nodes_;
  const ValueId result_;
  std::vector<ValueId> made_, loaded_, scalars_;  // by the nodes; from DRAM into buffers (in the walk's order behind the result); numbers
  std::map<ValueId, std::size_t> last_;           // node of the last use
  std::map<ValueId, Reg> registers_;
};

}  // namespace

void lower_elementwise(const Site& s, const std::vector<const Node*>& nodes) { Fused(s, nodes).run(); }

namespace {

constexpr std::size_t kMostNodes = 12, kMostOperands = 6;

bool elementwise(const Node& n) { return n.op < Op::reduce_sum; }

struct Uses {
  std::vector<std::vector<std::size_t>> nodes;  // by value
  std::vector<bool> output;
};

Uses uses(const Graph& g) {
  Uses u{std::vector<std::vector<std::size_t>>(g.values().size()), std::vector<bool>(g.values().size(), false)};
  for (std::size_t i = 0; i < g.nodes().size(); ++i)
    for (const ValueId id : g.nodes()[i].inputs) u.nodes[static_cast<std::size_t>(id)].push_back(i);
  for (const Port& p : g.outputs()) u.output[static_cast<std::size_t>(p.value)] = true;
  return u;
}

// Values that a group would read from outside of it.
std::size_t operands(const Graph& g, const std::vector<std::size_t>& unit, std::size_t root, std::size_t extra) {
  std::vector<ValueId> made, read;
  for (std::size_t i = 0; i <= root; ++i) {
    if (unit[i] != root && i != extra) continue;
    made.push_back(g.nodes()[i].outputs[0]);
    for (const ValueId id : g.nodes()[i].inputs)
      if (std::find(made.begin(), made.end(), id) == made.end() && std::find(read.begin(), read.end(), id) == read.end() && elements(g.shape(id)) > 1) read.push_back(id);
  }
  return read.size();
}

}  // namespace

std::vector<std::size_t> fuse(const Graph& g) {
  const Uses u = uses(g);
  const auto& nodes = g.nodes();
  std::vector<std::size_t> unit(nodes.size()), members(nodes.size(), 1);
  for (std::size_t i = 0; i < nodes.size(); ++i) unit[i] = i;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (!elementwise(nodes[i])) continue;
    const ValueId made = nodes[i].outputs[0];
    const auto& readers = u.nodes[static_cast<std::size_t>(made)];
    if (u.output[static_cast<std::size_t>(made)] || readers.empty()) continue;
    const std::size_t root = unit[readers.front()];
    const bool together = std::all_of(readers.begin(), readers.end(), [&](std::size_t r) { return unit[r] == root && elementwise(nodes[r]); });
    if (!together || g.shape(nodes[root].outputs[0]) != g.shape(made) || members[root] == kMostNodes || operands(g, unit, root, i) > kMostOperands) continue;
    unit[i] = root;
    ++members[root];
  }
  return unit;
}

}  // namespace jogak::tensor
