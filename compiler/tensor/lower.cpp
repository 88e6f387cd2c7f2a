#include "lower.hpp"

#include <nlohmann/json.hpp>

#include "plan.hpp"
#include "rewrite.hpp"

namespace jogak::tensor {
namespace {

void emit(const Site& s, const std::vector<const Node*>& unit) {
  const Op op = s.node.op;
  if (op < Op::reduce_sum) return lower_elementwise(s, unit);
  switch (op) {
    case Op::reduce_sum:
    case Op::reduce_max:
    case Op::reduce_min:
    case Op::reduce_mean: return lower_reduce(s);
    case Op::matmul: return lower_matmul(s);
    case Op::attention: return lower_attention(s);
    case Op::gather: return lower_gather(s);
    case Op::top_k: return lower_top_k(s);
    case Op::softmax: return lower_softmax(s);
    case Op::layer_norm:
    case Op::rms_norm: return lower_norm(s);
    default: return lower_move(s);
  }
}

// Joins operators into launches that fit the instruction memory, each ended by a halt.
class Linker {
 public:
  explicit Linker(const spec::Config& config) : most_(config.imem_words) {}

  void add(const std::string& what, const std::vector<spec::Insn>& code) {
    if (code.size() + 1 > most_)
      throw Error("tensor", "node " + what, std::to_string(code.size()) + " instructions", "at most " + std::to_string(most_ - 1));
    if (code_.size() - start_ + code.size() + 1 > most_) close();
    const auto base = static_cast<std::uint32_t>(code_.size() - start_);
    const auto first = static_cast<std::uint32_t>(code_.size());
    for (spec::Insn i : code) {
      if ((i.lo & 0xff) == static_cast<std::uint64_t>(spec::Op::loop)) {
        auto loop = spec::decode<spec::Loop>(i);
        loop.end = static_cast<std::uint16_t>(loop.end + base);
        i = spec::encode(loop);
      }
      code_.push_back(i);
    }
    if (!code.empty()) map_.push_back({first, static_cast<std::uint32_t>(code_.size()) - 1, what, {}});
  }

  void finish(Program& p) {
    close();
    p.code = std::move(code_);
    p.map = std::move(map_);
    if (launches_.size() > 1) p.launches = std::move(launches_);
  }

 private:
  void close() {
    code_.push_back(spec::encode(spec::Halt{}));
    launches_.push_back({static_cast<std::uint32_t>(start_), static_cast<std::uint32_t>(code_.size() - start_)});
    while (code_.size() % 4 != 0) code_.push_back(spec::encode(spec::Halt{}));
    start_ = code_.size();
  }

  std::size_t most_, start_ = 0;
  std::vector<spec::Insn> code_;
  std::vector<MapEntry> map_;
  std::vector<CodePart> launches_;
};

Symbol symbol(const std::string& prefix, const Port& port, const Place& place, const Graph& g) {
  const Value& v = g.value(port.value);
  Symbol s{prefix + port.name, place.window, place.offset, static_cast<std::uint64_t>(elements(v.shape)) * 4, name(v.dtype), {}};
  for (const auto d : v.shape) s.shape.push_back(static_cast<std::uint64_t>(d));
  return s;
}

// Products with constant matrices in each format that is not exact; with several formats, that of each product.
void tell_formats(nlohmann::json& abi, const Graph& g) {
  constexpr const char* kNames[] = {"exact", "int8", "mxfp4", "mxint8"};
  nlohmann::json used = nlohmann::json::object(), of = nlohmann::json::object();
  for (const Node& n : g.nodes()) {
    if (n.op != Op::matmul || !g.value(n.inputs[1]).constant()) continue;
    const char* format = kNames[static_cast<int>(n.attrs.precision)];
    used[format] = used.value(format, 0) + 1;
    of[n.name] = format;
  }
  if (used.empty() || (used.size() == 1 && used.contains("exact"))) return;
  abi["formats"] = used;
  if (used.size() > 1) abi["format_of"] = of;
}

}  // namespace

Program lower(const Graph& source, const LowerOptions& options) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (!config) throw Error("tensor", "configuration", options.config, "one of spec/configs");
  Graph g = legalize(source, *config);
  if (options.precision) g.set_precision(*options.precision);
  const std::vector<std::size_t> units = fuse(g);
  Plan plan = make_plan(g, units, *config, options.two_of_four);
  Linker linker(*config);
  const auto place = [&](ValueId id) { return plan.values[static_cast<std::size_t>(id)]; };
  for (std::size_t i = 0; i < g.nodes().size(); ++i) {
    const Node& n = g.nodes()[i];
    if (n.op == Op::reshape || units[i] != i) continue;
    std::vector<const Node*> unit;
    for (std::size_t j = 0; j <= i; ++j)
      if (units[j] == i) unit.push_back(&g.nodes()[j]);
    Code code(*config);
    emit({g, n, code, place, [&](const std::string& t) { return plan.tables.at(t); }, [&] { return plan.scratch[i]; },
          [&](ValueId id) { return plan.packed.at({id, how(n)}); },
          [&](ValueId id) -> const Sparse* {
            const auto found = plan.sparse.find({id, how(n)});
            return found == plan.sparse.end() ? nullptr : &found->second;
          },
          [&](ValueId id) { return plan.two_of_four.count({id, how(n)}) > 0; }},
         unit);
    code.finish();
    linker.add(n.name.empty() ? name(n.op) : n.name, code.instructions());
  }
  for (const std::size_t o : plan.copies) {
    const Port& p = g.outputs()[o];
    Code code(*config);
    const View view = row_major(g.shape(p.value));
    lower_copy(code, {place(p.value), view}, {plan.outputs[o], view});
    code.finish();
    linker.add("output " + p.name, code.instructions());
  }

  Program program = make_program(*config);
  linker.finish(program);
  program.window_bytes = plan.window_bytes;
  program.segments = std::move(plan.segments);
  for (std::size_t i = 0; i < g.inputs().size(); ++i) program.symbols.push_back(symbol("input/", g.inputs()[i], plan.inputs[i], g));
  for (std::size_t i = 0; i < g.outputs().size(); ++i) program.symbols.push_back(symbol("output/", g.outputs()[i], plan.outputs[i], g));
  nlohmann::json abi = {{"kind", "tensor_graph"}, {"name", g.title}, {"nodes", g.nodes().size()}};
  std::int64_t kept = 0, all = 0;
  for (const auto& [key, form] : plan.sparse) kept += form.kept, all += form.all;
  if (!plan.sparse.empty()) abi["sparse"] = {{"matrices", plan.sparse.size()}, {"tiles", all}, {"kept", kept}};
  if (!plan.two_of_four.empty()) abi["two_of_four"] = plan.two_of_four.size();
  tell_formats(abi, g);
  program.abi = abi.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  verify(program);
  return program;
}

}  // namespace jogak::tensor
