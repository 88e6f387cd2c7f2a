#include "import.hpp"

#include <set>

#include "context.hpp"
#include "error.hpp"
#include "handlers.hpp"

namespace jogak::onnx {

namespace {

Shape shape_of(const Port& port, const ImportOptions& options) {
  const auto given = options.shapes.find(port.name);
  if (given != options.shapes.end()) return given->second;
  const std::string part = "onnx: input '" + port.name + "'";
  if (!port.ranked) throw Error(part, "shape", "none", "a shape, in the model or given when compiling");
  Shape shape;
  for (const Dimension& d : port.shape) {
    const auto size = options.sizes.find(d.name);
    if (d.value >= 0) shape.push_back(d.value);
    else if (!d.name.empty() && size != options.sizes.end()) shape.push_back(size->second);
    else
      throw Error(part, "size of dimension " + std::to_string(shape.size()), d.name.empty() ? "none" : "the name " + d.name,
                  d.name.empty() ? "a number, or the input's whole shape given when compiling"
                                 : "a number: give " + d.name + "=SIZE when compiling");
  }
  (void)count(shape, part);
  return shape;
}

void check_type(const std::string& part, Type type) {
  if (!known(type) && type != Type::text) throw Error(part, "data type", name(type), "a float, integer or boolean type, or text");
}

Val constant(Build& build, const std::shared_ptr<const Array>& array) {
  return array->type == Type::text ? build.text(*array) : build.constant(array);
}

Val import_input(Build& build, const Port& port, const ImportOptions& options) {
  const std::string part = "onnx: input '" + port.name + "'";
  check_type(part, port.type);
  const auto given = options.values.find(port.name);
  if (given == options.values.end()) return build.input(port.name, port.type, shape_of(port, options));
  return constant(build, given->second);
}

std::int64_t opset_of(const Model& model, const Node& node) {
  auto found = model.opsets.find(node.domain);
  if (found == model.opsets.end()) found = model.opsets.find("");
  return found == model.opsets.end() ? 1 : found->second;
}

// Tensors without elements go through moves, arithmetic and reductions; other operators have no meaning for them here.
void check_inputs(const Context& c) {
  static const std::set<std::string> kAny{
      "Concat", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Expand", "Split", "Slice", "Tile", "Pad", "Shape", "Size", "Constant",
      "ConstantOfShape", "Range", "NonZero", "Gather", "Identity", "Cast", "CastLike", "Dropout", "Where", "Add", "Sub", "Mul", "Div", "Min", "Max",
      "Sum", "Neg", "Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Erf", "Sign", "Pow", "Clip", "Relu", "Sigmoid", "Tanh",
      "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor", "Not", "Trilu"};
  const Node& node = c.node();
  if (node.inputs.empty() && node.op != "Constant") c.refuse("inputs", "none", "those of ONNX's description of " + node.op);
  bool text = false;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) text |= c.has(i) && c.in(i).text;
  if (text && (node.op != "Equal" || !c.in(0).text || !c.in(1).text))
    c.refuse("inputs", "text", "numbers (of operators only Equal takes texts, two of them)");
  if (kAny.count(node.op) || node.op.rfind("Reduce", 0) == 0) return;
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    if (c.has(i) && c.in(i).size() == 0)
      c.refuse("input " + std::to_string(i), "no elements, " + to_string(c.in(i).shape), "a tensor with elements");
}

void import_node(Build& build, const Model& model, const Node& node, std::map<std::string, Val>& values);

// A condition that is known leaves one of the branches.
void import_if(Build& build, const Model& model, const Node& node, std::map<std::string, Val>& values) {
  const std::string part = "onnx: " + node.title();
  const auto condition = values.find(node.inputs.empty() ? "" : node.inputs[0]);
  if (condition == values.end()) throw Error(part, "condition", "none", "a value");
  if (!condition->second.data) throw NeedsValue(part, "condition", condition->second.from);
  const bool yes = condition->second.data->values() == std::vector<double>{1};
  const auto branch = node.attributes.find(yes ? "then_branch" : "else_branch");
  if (branch == node.attributes.end() || !branch->second.graph) throw Error(part, "branch", "none", "a graph");
  const Graph& graph = *branch->second.graph;
  for (const auto& [name, array] : graph.constants) values[name] = constant(build, array);
  for (const Node& inner : graph.nodes) import_node(build, model, inner, values);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const auto made = i < graph.outputs.size() ? values.find(graph.outputs[i].name) : values.end();
    if (made == values.end()) throw Error(part, "output " + std::to_string(i), "no value of the branch", "one");
    const Val v = made->second;
    values[node.outputs[i]] = v;
  }
}

void import_node(Build& build, const Model& model, const Node& node, std::map<std::string, Val>& values) {
  if (node.op == "If" && node.domain.empty()) return import_if(build, model, node, values);
  build.node = node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
  const auto handler = registry().find(node.domain + ":" + node.op);
  if (handler == registry().end())
    throw Error("onnx: " + node.title(), "operator", (node.domain.empty() ? "" : node.domain + ":") + node.op,
                "one of those in docs/onnx.md");
  Context context(build, node, opset_of(model, node), values);
  check_inputs(context);
  try {
    handler->second(context);
  } catch (const NeedsValue&) {
    throw;
  } catch (const Error& error) {
    const std::string text = error.what();
    if (text.find(node.title()) != std::string::npos) throw;
    throw Error("onnx: " + node.title() + ": " + text);
  } catch (const std::exception&) {
    context.refuse("inputs and attributes", "too few or too short ones", "those of ONNX's description of " + node.op);
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i)
    if (!node.outputs[i].empty() && !values.count(node.outputs[i])) context.refuse("output " + std::to_string(i), "its use", "no use of it");
}

}  // namespace

Imported import_model(const Model& model, const ImportOptions& options) {
  Build build;
  build.graph.title = model.graph.name.empty() ? "onnx" : model.graph.name;
  std::map<std::string, Val> values;
  Imported result;
  for (const auto& [name, array] : model.graph.constants) values[name] = constant(build, array);
  for (const Port& port : model.graph.inputs) {
    const Val v = values[port.name] = import_input(build, port, options);
    result.inputs.push_back({port.name, v.text ? Type::text : v.type, v.shape, v.data});
  }
  for (const Node& node : model.graph.nodes) import_node(build, model, node, values);
  for (const Port& port : model.graph.outputs) {
    const Val& v = values.at(port.name);
    if (v.text) throw Error("onnx: output '" + port.name + "'", "data type", "text", "numbers");
    result.outputs.push_back({port.name, v.type, v.shape, v.data, v.saturate});
    if (!v.data) build.graph.output(port.name, v.id);
  }
  result.texts = std::move(build.texts);
  result.graph = std::move(build.graph);
  return result;
}

std::vector<std::string> operators() {
  std::vector<std::string> names;
  for (const auto& [key, handler] : registry()) names.push_back(key[0] == ':' ? key.substr(1) : key);
  return names;
}

const Registry& registry() {
  static const Registry all = [] {
    Registry r;
    register_math(r);
    register_activations(r);
    register_logic(r);
    register_moves(r);
    register_shapes(r);
    register_indexing(r);
    register_reductions(r);
    register_norms(r);
    register_matmul(r);
    register_conv(r);
    register_pool(r);
    register_quant(r);
    register_attention(r);
    register_contrib(r);
    return r;
  }();
  return all;
}

}  // namespace jogak::onnx
