// Top-1 of classifiers (ONNX) in the machine's arithmetic against the fp32 reference, on labelled data.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "examples.hpp"
#include "onnx/import.hpp"
#include "tensors.hpp"

namespace jogak::eval {

struct ClassifyOptions {
  std::string config = "edge", on = "model";
  std::int64_t batch = 16;        // examples of a launch
  int layer_examples = 16;        // for the errors of single products; 0: none of that
};

struct LayerNoise {
  std::string name;
  double error = 0;               // of the logits, this product alone in the format: relative root of the mean square
};
struct Classified {
  std::string format;             // "fp32": the reference; "exact", "int8", "mxint8", "mxfp4"
  double top1 = 0, same = 1;      // share of right classes; of examples with the reference's class
  double error = 0;               // of the logits, relative root of the mean square
  std::vector<LayerNoise> layers; // worst first
};
// The reference, then each format. The model has one input that is no constant, whose first dimension is that of the examples, and its
// first output is [examples][classes]. Throws jogak::Error naming what does not fit.
// mixed: what mix_tensors chose for graph_of(model, options), as one more format at the end.
std::vector<Classified> classify(const std::filesystem::path& model, const Labelled& data, const std::vector<std::string>& formats, const ClassifyOptions& options,
                                 const Mixed* mixed = nullptr);
// The model as classify imports it.
tensor::Graph graph_of(const std::filesystem::path& model, const ClassifyOptions& options);

}  // namespace jogak::eval
