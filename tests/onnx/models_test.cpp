// Real models of the shared folder against ONNX Runtime's outputs, on the model of the machine.
#include <cmath>

#include "../models/shared.hpp"
#include "onnx/execute.hpp"
#include "onnx/npy.hpp"
#include "runtime/tensor_session.hpp"
#include "tensor/lower.hpp"

using namespace jogak;

namespace {

struct Given {
  const char* model;
  const char* golden;
  double exact, int8;  // largest relative error (root mean square) of any output
  const char* mask = nullptr;
};

onnx::Arrays side(const onnx::Arrays& all, const std::string& prefix) {
  onnx::Arrays out;
  for (const auto& [name, array] : all)
    if (name.rfind(prefix, 0) == 0) out[name.substr(prefix.size())] = array;
  return out;
}

onnx::Arrays execute(const onnx::Imported& model, const onnx::Arrays& inputs) {
  return onnx::run(model, inputs, [&](const onnx::Floats& in) {
    TensorSession session(tensor::lower(model.graph, {.config = "edge"}), "model");
    for (const auto& [name, values] : in) session.set(name, std::span<const float>(values));
    session.run();
    onnx::Floats out;
    for (const TensorPort& port : session.outputs()) out[port.name] = session.get(port.name);
    return out;
  });
}

double error(const onnx::Array& found, const onnx::Array& expected) {
  REQUIRE(found.shape == expected.shape);
  const auto x = found.values(), y = expected.values();
  double off = 0, whole = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    off += (x[i] - y[i]) * (x[i] - y[i]);
    whole += y[i] * y[i];
  }
  return std::sqrt(off / whole);
}

void check(const Given& g) {
  CAPTURE(std::string(g.model));
  const auto file = tests::shared_model(std::string("onnx/") + g.model), golden = tests::shared_model(std::string("onnx/") + g.golden);
  if (file.empty() || golden.empty()) return;
  const onnx::Arrays all = onnx::read_arrays(golden), expected = side(all, "out:");
  onnx::Arrays inputs = side(all, "in:");
  // The golden's mask holds 0, 3, 4; ONNX Runtime fused the attention and saw "seen or not", which is what the graph computes for 0 and 1.
  if (g.mask) inputs.at(g.mask) = onnx::make_array(onnx::Type::i64, inputs.at(g.mask).shape, onnx::make_array(onnx::Type::boolean, inputs.at(g.mask).shape, inputs.at(g.mask).values()).values());
  onnx::ImportOptions options;
  for (const auto& [name, array] : inputs) options.shapes[name] = array.shape;
  const onnx::Model model = onnx::read_model(file);
  for (const bool quantised : {false, true}) {
    onnx::Imported imported = onnx::import_model(model, options);
    if (quantised) imported.graph.set_precision(tensor::Precision::int8);
    const onnx::Arrays found = execute(imported, inputs);
    for (const auto& [name, array] : expected) {
      const double e = error(found.at(name), array);
      MESSAGE(std::string(g.model), " ", name, std::string(quantised ? " int8 " : " exact "), e);
      CHECK(e <= (quantised ? g.int8 : g.exact));
    }
  }
}

}  // namespace

TEST_CASE("attention with a symbolic batch") { check({"attention_symbolic_batch.onnx", "attention_symbolic_batch.golden_ort.npz", 5e-6, 0.02, "input_2"}); }
TEST_CASE("BERT, toy size, optimised graph") { check({"bert_toy_optimized.onnx", "bert_toy_optimized.golden_ort.npz", 5e-6, 0.02}); }
TEST_CASE("BERT for classification out of TensorFlow") {
  const std::string folder = "bert_mrpc_tensorflow2.1_opset10/TFBertForSequenceClassification_1";
  check({(folder + ".onnx").c_str(), (folder + ".golden_ort.npz").c_str(), 5e-6, 0.02});
}
TEST_CASE("a GPT-2 layer with its past") { check({"gpt2_past_one_layer.onnx", "gpt2_past_one_layer.golden_ort.npz", 5e-6, 0.02}); }
TEST_CASE("Whisper's encoder attention") {
  check({"hf_fp32_encoder_self_attention.onnx", "hf_fp32_encoder_self_attention.golden_ort.npz", 5e-6, 0.02});
}
TEST_CASE("Whisper's decoder attention with past and cross attention") {
  check({"hf_fp32_decoder_attention_with_past.onnx", "hf_fp32_decoder_attention_with_past.golden_ort.npz", 5e-6, 0.02});
}
TEST_CASE("Phi-3.5-vision's attention") {
  check({"phi-3.5-v-instruct-vision-attention.onnx", "phi-3.5-v-instruct-vision-attention.golden_ort.npz", 5e-6, 0.02});
}
TEST_CASE("a compact convolutional transformer") { check({"cct_1_16_16_8/network.onnx", "cct_1_16_16_8/network.golden_ort.npz", 5e-6, 0.02}); }
