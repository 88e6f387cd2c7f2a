#include "classify.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "error.hpp"
#include "tensor/evaluate.hpp"
#include "tensor/lower.hpp"
#include "tensor_session.hpp"

namespace jogak::eval {
namespace {

std::optional<tensor::Precision> precision_of(const std::string& format) {
  if (format == "exact") return tensor::Precision::exact;
  if (format == "int8" || format == "int8c") return tensor::Precision::int8;
  if (format == "mxint8") return tensor::Precision::mxint8;
  if (format == "mxfp4") return tensor::Precision::mxfp4;
  throw Error("eval", "format of a classifier", format, "exact, int8, mxint8 or mxfp4");
}

struct Sums {
  double right = 0, same = 0, off = 0, whole = 0;
};
std::size_t best(std::span<const float> logits) { return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()); }

using Run = std::function<std::vector<float>(const std::vector<float>&)>;

// With so many examples a run as the model says, or the options.
onnx::Imported imported(const std::filesystem::path& path, const ClassifyOptions& o) {
  const onnx::Model model = onnx::read_model(path);
  if (model.graph.inputs.size() != 1 || model.graph.outputs.empty() || !model.graph.inputs[0].ranked || model.graph.inputs[0].shape.empty())
    throw Error("eval", "inputs of " + path.filename().string(), std::to_string(model.graph.inputs.size()), "one, [examples, ..]");
  const onnx::Port& port = model.graph.inputs[0];
  onnx::ImportOptions import;
  onnx::Shape shape{port.shape[0].value > 0 ? port.shape[0].value : o.batch};
  for (std::size_t i = 1; i < port.shape.size(); ++i) shape.push_back(port.shape[i].value);
  import.shapes[port.name] = shape;
  return onnx::import_model(model, import);
}

class Classifier {
 public:
  Classifier(const std::filesystem::path& path, const Labelled& data, const ClassifyOptions& o) : data_(data), o_(o), model_(imported(path, o)) {
    batch_ = model_.inputs[0].shape[0];
    std::int64_t features = 1;
    for (std::size_t i = 1; i < model_.inputs[0].shape.size(); ++i) features *= model_.inputs[0].shape[i];
    if (data.each != 1) throw Error("eval", "classes of an example", std::to_string(data.each), "1 for an ONNX model");
    if (features != data.features) throw Error("eval", "values of an example", std::to_string(data.features), std::to_string(features) + " for input " + model_.inputs[0].name);
    if (model_.outputs[0].shape.size() != 2 || model_.outputs[0].shape[0] != batch_ || model_.outputs[0].data)
      throw Error("eval", "output " + model_.outputs[0].name, onnx::to_string(model_.outputs[0].shape), "[examples, classes]");
  }

  tensor::Graph& graph() { return model_.graph; }
  Run reference() const {
    return [this](const std::vector<float>& x) { return tensor::evaluate(model_.graph, {{model_.inputs[0].name, x}}).at(model_.outputs[0].name); };
  }
  Run machine(const tensor::Graph& graph) const {
    const auto session = std::make_shared<TensorSession>(tensor::lower(graph, {.config = o_.config}), o_.on);
    return [this, session](const std::vector<float>& x) {
      session->set(model_.inputs[0].name, std::span<const float>(x));
      session->run();
      return session->get(model_.outputs[0].name);
    };
  }

  // Logits of the first `examples`.
  std::vector<float> logits(const Run& run, std::int64_t examples) const {
    const std::int64_t classes = model_.outputs[0].shape[1];
    std::vector<float> all;
    for (std::int64_t at = 0; at < examples; at += batch_) {
      const std::int64_t now = std::min(batch_, examples - at);
      std::vector<float> x(static_cast<std::size_t>(batch_ * data_.features));
      std::copy_n(data_.values.begin() + at * data_.features, now * data_.features, x.begin());
      const auto y = run(x);
      all.insert(all.end(), y.begin(), y.begin() + now * classes);
    }
    return all;
  }

  Classified judge(const std::string& format, const std::vector<float>& found, const std::vector<float>& exact) const {
    const auto classes = static_cast<std::size_t>(model_.outputs[0].shape[1]);
    Sums s;
    for (std::size_t i = 0; i < found.size(); ++i) s.off += std::pow(double(found[i]) - double(exact[i]), 2), s.whole += std::pow(double(exact[i]), 2);
    for (std::size_t i = 0; i < data_.classes.size(); ++i) {
      const std::size_t mine = best(std::span(found).subspan(i * classes, classes)), its = best(std::span(exact).subspan(i * classes, classes));
      s.right += static_cast<int>(mine) == data_.classes[i];
      s.same += mine == its;
    }
    const double n = static_cast<double>(data_.size());
    return {format, s.right / n, s.same / n, std::sqrt(s.off / std::max(s.whole, 1e-300)), {}};
  }

  // Each product alone in this precision, all others exact.
  std::vector<LayerNoise> layers(tensor::Precision precision, const std::vector<float>& exact) {
    const auto examples = std::min<std::int64_t>(o_.layer_examples, data_.size());
    std::vector<LayerNoise> out;
    model_.graph.set_precision(tensor::Precision::exact);
    for (std::size_t i = 0; i < model_.graph.nodes().size(); ++i) {
      const tensor::Node& n = model_.graph.nodes()[i];
      if (n.op != tensor::Op::matmul && n.op != tensor::Op::attention) continue;
      tensor::Graph one = model_.graph;
      one.set_precision(i, precision);
      const auto found = logits(machine(one), examples);
      double off = 0, whole = 0;
      for (std::size_t j = 0; j < found.size(); ++j) off += std::pow(double(found[j]) - double(exact[j]), 2), whole += std::pow(double(exact[j]), 2);
      out.push_back({n.name, std::sqrt(off / std::max(whole, 1e-300))});
    }
    std::stable_sort(out.begin(), out.end(), [](const LayerNoise& a, const LayerNoise& b) { return a.error > b.error; });
    return out;
  }

 private:
  const Labelled& data_;
  const ClassifyOptions& o_;
  onnx::Imported model_;
  std::int64_t batch_ = 1;
};

}  // namespace

std::vector<Classified> classify(const std::filesystem::path& model, const Labelled& data, const std::vector<std::string>& formats, const ClassifyOptions& options,
                                 const Mixed* mixed) {
  Classifier c(model, data, options);
  const auto exact = c.logits(c.reference(), data.size());
  std::vector<Classified> results = {c.judge("fp32", exact, exact)};
  for (const std::string& format : formats) {
    const auto precision = precision_of(format);
    c.graph().set_precision(*precision);
    results.push_back(c.judge(format, c.logits(c.machine(c.graph()), data.size()), exact));
    if (options.layer_examples > 0 && *precision != tensor::Precision::exact) results.back().layers = c.layers(*precision, exact);
  }
  if (mixed) {
    c.graph().set_precision(tensor::Precision::int8);
    apply(c.graph(), *mixed);
    results.push_back(c.judge("mixed", c.logits(c.machine(c.graph()), data.size()), exact));
  }
  return results;
}

tensor::Graph graph_of(const std::filesystem::path& model, const ClassifyOptions& options) { return imported(model, options).graph; }

}  // namespace jogak::eval
