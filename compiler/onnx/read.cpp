#include <algorithm>
#include <fstream>
#include <set>

#include "error.hpp"
#include "model.hpp"
#include "order.hpp"
#include "tensors.hpp"

namespace jogak::onnx {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kOldest = 1, kNewest = 28;

Graph read_graph(const pb::Graph& g, const fs::path& folder);

Attribute read_attribute(const pb::Attribute& a, const std::string& title, const fs::path& folder) {
  if (!a.ref_attr_name().empty())
    throw Error("onnx: " + title, "attribute " + a.name(), "a reference to a function's attribute", "a value");
  Attribute out;
  out.f = a.f();
  out.i = a.i();
  out.s = a.s();
  out.floats.assign(a.floats().begin(), a.floats().end());
  out.ints.assign(a.ints().begin(), a.ints().end());
  out.strings.assign(a.strings().begin(), a.strings().end());
  switch (a.type()) {
    case 1: out.kind = Attribute::Kind::number; break;
    case 2: out.kind = Attribute::Kind::integer; break;
    case 3: out.kind = Attribute::Kind::text; break;
    case 4:
      out.kind = Attribute::Kind::tensor;
      out.tensor = std::make_shared<Array>(read_weights(a.t(), folder));
      break;
    case 5:
      out.kind = Attribute::Kind::graph;
      out.graph = std::make_shared<Graph>(read_graph(a.g(), folder));
      break;
    case 6: out.kind = Attribute::Kind::numbers; break;
    case 7: out.kind = Attribute::Kind::integers; break;
    case 8: out.kind = Attribute::Kind::texts; break;
    default:
      throw Error("onnx: " + title, "attribute " + a.name(), "kind " + std::to_string(a.type()),
                  "numbers, texts, a tensor or a graph");
  }
  return out;
}

Node read_node(const pb::Node& n, const fs::path& folder) {
  Node node{n.op_type(), n.domain() == "ai.onnx" ? "" : n.domain(), n.name(), {}, {}, {}};
  node.inputs.assign(n.input().begin(), n.input().end());
  node.outputs.assign(n.output().begin(), n.output().end());
  for (const pb::Attribute& a : n.attribute()) node.attributes[a.name()] = read_attribute(a, node.title(), folder);
  return node;
}

Port read_port(const pb::ValueInfo& v) {
  Port port{v.name(), Type::none, false, {}};
  // An output may leave its type to inference.
  if (!v.has_type()) return port;
  if (!v.type().has_tensor_type())
    throw Error("onnx: value '" + v.name() + "'", "type", "a sequence, a map or nothing", "a tensor");
  const pb::TensorType& type = v.type().tensor_type();
  port.type = static_cast<Type>(type.elem_type());
  port.ranked = type.has_shape();
  for (const pb::Dimension& d : type.shape().dim())
    port.shape.push_back(d.has_dim_value() ? Dimension{d.dim_value(), ""} : Dimension{-1, d.dim_param()});
  return port;
}

Graph read_graph(const pb::Graph& g, const fs::path& folder) {
  Graph graph;
  graph.name = g.name();
  if (g.sparse_initializer_size() != 0)
    throw Error("onnx: tensor of graph '" + g.name() + "'", "storage", "a sparse tensor", "dense tensors");
  for (const pb::Tensor& t : g.initializer()) {
    if (!graph.constants.emplace(t.name(), std::make_shared<Array>(read_weights(t, folder))).second)
      throw Error("onnx: tensor '" + t.name() + "'", "definitions", "two", "one");
  }
  for (const pb::Node& n : g.node()) graph.nodes.push_back(read_node(n, folder));
  for (const pb::ValueInfo& v : g.input())
    if (!graph.constants.count(v.name())) graph.inputs.push_back(read_port(v));
  for (const pb::ValueInfo& v : g.output()) graph.outputs.push_back(read_port(v));
  return graph;
}

void read_opsets(const pb::Model& m, Model& model) {
  for (const pb::OperatorSet& set : m.opset_import())
    model.opsets[set.domain() == "ai.onnx" ? "" : set.domain()] = set.version();
  const auto own = model.opsets.find("");
  if (own == model.opsets.end()) {
    if (model.opsets.empty()) throw Error("onnx: model", "operator sets", "none", "the version of ai.onnx");
    return;
  }
  if (own->second < kOldest || own->second > kNewest)
    throw Error("onnx: model", "operator set", std::to_string(own->second),
                std::to_string(kOldest) + " to " + std::to_string(kNewest) + ": convert the model with onnx.version_converter");
}

}  // namespace

std::string Node::title() const {
  if (!name.empty()) return "node '" + name + "' (" + op + ")";
  return "node of '" + (outputs.empty() ? std::string() : outputs[0]) + "' (" + op + ")";
}

Model parse_model(std::span<const std::byte> file, const fs::path& folder) {
  pb::Model m;
  if (file.size() > 0x7fffffff)
    throw Error("onnx: model", "size", std::to_string(file.size()) + " bytes", "under 2 GiB, with weights as external data");
  if (!m.ParseFromArray(file.data(), static_cast<int>(file.size())) || !m.has_graph())
    throw Error("onnx: model", "file", "something else or a damaged file", "an ONNX model");
  if (m.functions_size() != 0)
    throw Error("onnx: model", "functions of its own", m.functions(0).name(), "none: inline them with onnx.inliner");
  Model model;
  read_opsets(m, model);
  model.graph = read_graph(m.graph(), folder);
  sort_nodes(model.graph);
  return model;
}

Model read_model(const fs::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error("onnx: model", "file", path.string() + ", which cannot be read", "a model file");
  const auto size = static_cast<std::int64_t>(in.tellg());
  if (size < 0 || size > 0x7fffffff)
    throw Error("onnx: model", "size", std::to_string(size) + " bytes", "under 2 GiB, with weights as external data");
  std::vector<std::byte> file(static_cast<std::size_t>(size));
  in.seekg(0);
  if (!in.read(reinterpret_cast<char*>(file.data()), size))
    throw Error("onnx: model", "file", "a read error", path.string());
  return parse_model(file, path.parent_path());
}

Array parse_tensor(std::span<const std::byte> file) {
  pb::Tensor t;
  if (file.size() > 0x7fffffff || !t.ParseFromArray(file.data(), static_cast<int>(file.size())))
    throw Error("onnx: tensor", "file", "something else or a damaged file", "an ONNX tensor");
  return read_tensor(t, {});
}

}  // namespace jogak::onnx
