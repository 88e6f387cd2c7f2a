#include "plan.hpp"

#include <algorithm>
#include <cstring>

namespace jogak::tensor {
namespace {

constexpr std::uint64_t kLine = 64;  // what the machine orders accesses by
constexpr std::uint64_t kWindowMost = 0xffffffc0;

std::uint64_t lines(std::uint64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// First fit among the gaps between what is alive.
class Arena {
 public:
  std::uint64_t take(std::uint64_t bytes) {
    bytes = lines(std::max<std::uint64_t>(bytes, 1));
    std::uint64_t from = 0;
    auto next = used_.begin();
    for (; next != used_.end() && next->first - from < bytes; ++next) from = next->first + next->second;
    used_.insert(next, {from, bytes});
    most_ = std::max(most_, from + bytes);
    return from;
  }
  void give(std::uint64_t from) {
    used_.erase(std::find_if(used_.begin(), used_.end(), [&](const auto& u) { return u.first == from; }));
  }
  std::uint64_t most() const { return most_; }

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> used_;  // place and size, ascending
  std::uint64_t most_ = 0;
};

class Planner {
 public:
  Planner(const Graph& g, const std::vector<std::size_t>& units, const spec::Config& config, bool two_of_four)
      : g_(g), units_(units), config_(config), two_of_four_(two_of_four) {}

  Plan run() {
    plan_.values.resize(g_.values().size());
    plan_.scratch.resize(g_.nodes().size());
    roots();
    ports();
    constants();
    arena();
    for (std::size_t i = 0; i < g_.values().size(); ++i) plan_.values[i] = plan_.values[at(root_[i])];
    for (const std::uint64_t bytes : plan_.window_bytes)
      if (bytes > kWindowMost) throw Error("tensor", "memory of graph " + g_.title, std::to_string(bytes) + " bytes in one window", "less than 4 GB");
    return std::move(plan_);
  }

 private:
  std::uint64_t bytes(ValueId id) const { return static_cast<std::uint64_t>(elements(g_.shape(id))) * 4; }
  Place take(std::uint32_t window, std::uint64_t size) {
    const Place p{window, plan_.window_bytes[window]};
    plan_.window_bytes[window] += lines(size);
    return p;
  }
  Place keep(std::vector<std::uint8_t> data) {
    const Place p = take(kConstants, data.size());
    plan_.segments.push_back({p.window, p.offset, std::move(data)});
    return p;
  }

  void table(const std::string& name) {
    if (!plan_.tables.count(name)) plan_.tables[name] = keep(table_bytes(name, config_));
  }
  std::uint64_t scratch(const Node& n) const {
    return n.op == Op::matmul ? matmul_scratch(g_, n, config_, plan_.two_of_four.count({n.inputs[1], how(n)}) > 0) : n.op == Op::attention ? attention_scratch(g_, n, config_) : 0;
  }

  void roots() {
    for (std::size_t i = 0; i < g_.values().size(); ++i) root_.push_back(static_cast<ValueId>(i));
    for (const Node& n : g_.nodes())
      if (n.op == Op::reshape) root_[at(n.outputs[0])] = root_[at(n.inputs[0])];
  }

  void ports() {
    placed_.assign(g_.values().size(), false);
    for (const Port& p : g_.inputs()) {
      plan_.inputs.push_back(take(kPorts, bytes(p.value)));
      plan_.values[at(p.value)] = plan_.inputs.back();
      placed_[at(p.value)] = true;
    }
    for (const Port& p : g_.outputs()) {
      plan_.outputs.push_back(take(kPorts, bytes(p.value)));
      const ValueId root = root_[at(p.value)];
      if (placed_[at(root)] || g_.value(root).constant()) {
        plan_.copies.push_back(plan_.outputs.size() - 1);
      } else {
        plan_.values[at(root)] = plan_.outputs.back();
        placed_[at(root)] = true;
      }
    }
  }

  void constants() {
    std::vector<bool> plain(g_.values().size(), false);
    for (const Port& p : g_.outputs()) plain[at(root_[at(p.value)])] = true;
    for (const Node& n : g_.nodes()) {
      for (std::size_t i = 0; i < n.inputs.size(); ++i) {
        const bool packs = n.op == Op::matmul && i == 1 && g_.value(n.inputs[1]).constant();
        if (!packs) plain[at(root_[at(n.inputs[i])])] = true;
        const auto key = std::pair(n.inputs[i], how(n));
        if (packs && !plan_.packed.count(key)) pack(n, key);
      }
      if (n.op == Op::matmul || n.op == Op::attention) table("identity");
      if (n.op == Op::top_k || n.op == Op::attention) table("ramp");
    }
    for (std::size_t i = 0; i < g_.values().size(); ++i) {
      if (!plain[i] || !g_.values()[i].constant()) continue;
      const auto& data = *g_.values()[i].data;
      std::vector<std::uint8_t> raw(data.size() * 4);
      std::memcpy(raw.data(), data.data(), raw.size());
      plan_.values[i] = keep(std::move(raw));
      placed_[i] = true;
    }
  }

  // Tiles of zeros are left out, or a 2:4 pattern used, where all nodes that take the operand in this form can do so. Both at once is not: the one
  // that leaves fewer products is taken, of equals the tiles, since what is not there is not loaded either.
  void pack(const Node& n, const std::pair<ValueId, int>& key) {
    std::vector<std::uint8_t> packed = pack_constant(g_, n, config_);
    const auto all = [&](const auto& may) {
      return std::all_of(g_.nodes().begin(), g_.nodes().end(), [&](const Node& other) {
        return other.op != Op::matmul || other.inputs[1] != key.first || how(other) != key.second || may(g_, other, config_);
      });
    };
    auto sparse = all(may_be_sparse) ? sparse_constant(g_, n, config_, packed) : std::nullopt;
    const bool few = sparse && sparse->form.kept * 2 <= sparse->form.all;
    if (auto pairs = two_of_four_ && !few && all(may_be_two_of_four) ? pack_two_of_four(g_, n, config_) : std::nullopt) {
      plan_.two_of_four.insert(key);
      packed = std::move(*pairs);
    } else if (sparse) {
      plan_.sparse[key] = sparse->form;
      packed = std::move(sparse->bytes);
    }
    plan_.packed[key] = keep(std::move(packed));
  }

  void arena() {
    std::vector<std::size_t> last(g_.values().size(), 0);
    for (std::size_t i = 0; i < g_.nodes().size(); ++i) {
      for (const ValueId v : g_.nodes()[i].inputs) last[at(root_[at(v)])] = std::max(last[at(root_[at(v)])], units_[i]);
      for (const ValueId v : g_.nodes()[i].outputs) last[at(root_[at(v)])] = std::max(last[at(root_[at(v)])], i);
    }
    Arena arena;
    std::vector<std::vector<std::uint64_t>> ends(g_.nodes().size());
    for (std::size_t i = 0; i < g_.nodes().size(); ++i) {
      const Node& n = g_.nodes()[i];
      if (units_[i] != i) continue;
      for (const ValueId v : n.outputs) {
        if (root_[at(v)] != v || placed_[at(v)]) continue;
        plan_.values[at(v)] = {kArena, arena.take(bytes(v))};
        placed_[at(v)] = true;
        ends[last[at(v)]].push_back(plan_.values[at(v)].offset);
      }
      if (const std::uint64_t own = scratch(n); own > 0) {
        plan_.scratch[i] = {kArena, arena.take(own)};
        ends[i].push_back(plan_.scratch[i].offset);
      }
      for (const std::uint64_t from : ends[i]) arena.give(from);
    }
    plan_.window_bytes[kArena] = arena.most();
  }

  const Graph& g_;
  const std::vector<std::size_t>& units_;
  const spec::Config& config_;
  const bool two_of_four_;
  Plan plan_;
  std::vector<ValueId> root_;
  std::vector<bool> placed_;
};

}  // namespace

int how(const Node& n) { return static_cast<int>(n.attrs.precision) * 2 + (n.attrs.transpose_b ? 1 : 0); }

Plan make_plan(const Graph& graph, const std::vector<std::size_t>& units, const spec::Config& config, bool two_of_four) {
  return Planner(graph, units, config, two_of_four).run();
}

}  // namespace jogak::tensor
