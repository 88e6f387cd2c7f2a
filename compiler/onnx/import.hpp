// ONNX models to tensor graphs.
//
//   const Imported m = import_model(read_model("bert.onnx"), {.sizes = {{"batch", 1}, {"sequence", 128}}});
//
// Data types: every float type computes in fp32 (a float16 model is as exact as its fp32 twin); integers and booleans are
// exact up to 2^24. Integer results do not wrap.
#pragma once
#include "../tensor/graph.hpp"
#include "model.hpp"

namespace jogak::onnx {

struct ImportOptions {
  std::map<std::string, std::int64_t> sizes;             // of dimensions that have names
  std::map<std::string, Shape> shapes;                   // whole shapes of inputs; they win
  std::map<std::string, std::shared_ptr<const Array>> values;  // inputs that become constants
};

struct ImportedPort {
  std::string name;
  Type type = Type::f32;
  Shape shape;
  // The program has nothing to do: a result that is known, or an input whose value was given, is empty or has no use.
  std::shared_ptr<const Array> data = nullptr;
  bool saturate = true;
};

struct Imported {
  tensor::Graph graph;  // inputs and outputs under the model's names, those with `data` left out
  std::vector<ImportedPort> inputs, outputs;
  std::map<std::string, std::int64_t> texts = {};  // numbers of the model's own texts
};

// Throws jogak::Error naming the node: an unknown operator, a data type or a form of an operator that does not run, a
// size without a value; what would work is in the message.
Imported import_model(const Model& model, const ImportOptions& options);

// "Add", "com.microsoft:BiasGelu", ... in alphabetical order.
std::vector<std::string> operators();

}  // namespace jogak::onnx
