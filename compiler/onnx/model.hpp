// ONNX files in memory: what a file says, checked for form, nothing interpreted yet.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "array.hpp"

namespace jogak::onnx {

struct Graph;

struct Attribute {
  enum class Kind { number, integer, text, tensor, graph, numbers, integers, texts } kind = Kind::integer;
  float f = 0;
  std::int64_t i = 0;
  std::string s;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
  std::shared_ptr<const Array> tensor;
  std::shared_ptr<const Graph> graph;
};

struct Node {
  std::string op, domain, name;  // domain "" is ONNX's own
  std::vector<std::string> inputs, outputs;  // "": left out
  std::map<std::string, Attribute> attributes;

  // "node 'encoder/MatMul_3' (MatMul)"; a node without a name goes by its first output.
  std::string title() const;
};

// A dimension is a number, or has a name (which may be empty) that the caller binds to a size.
struct Dimension {
  std::int64_t value = -1;
  std::string name;
};
struct Port {
  std::string name;
  Type type = Type::none;
  bool ranked = false;
  std::vector<Dimension> shape;
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<Port> inputs, outputs;  // inputs without those that have an initializer
  std::map<std::string, std::shared_ptr<const Array>> constants;
};

struct Model {
  std::map<std::string, std::int64_t> opsets;  // by domain
  Graph graph;
};

// Nodes are in an order in which every value is made before it is used. Throws jogak::Error naming the node or tensor for
// a broken file, an operator set above 28, data types that are no numbers, a graph with a cycle or a value
// nobody makes, weights with a NaN, and external data that is missing, too short or outside the file's folder.
Model read_model(const std::filesystem::path& path);
// The same from memory; external data is looked for in `folder`.
Model parse_model(std::span<const std::byte> file, const std::filesystem::path& folder);

// A single tensor file (.pb).
Array parse_tensor(std::span<const std::byte> file);

}  // namespace jogak::onnx
