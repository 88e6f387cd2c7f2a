#include "cases.hpp"

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "error.hpp"
#include "onnx/context.hpp"

namespace jogak::onnx {

namespace {

class Pack {
 public:
  explicit Pack(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw Error("onnx tests", "packed tests", "no file " + path.string(), "the unpacked cases.tar.xz");
    text_.assign(std::istreambuf_iterator<char>(in), {});
    if (text_.compare(0, 8, "JGKONNX1") != 0) throw Error("onnx tests", "packed tests", "another file", path.string());
    at_ = 8;
  }
  bool more() const { return at_ < text_.size(); }
  template <class T>
  T get() {
    T value;
    std::memcpy(&value, text_.data() + take(sizeof value), sizeof value);
    return value;
  }
  std::string text() {
    const auto size = get<std::uint32_t>();
    return text_.substr(take(size), size);
  }
  std::vector<std::byte> blob() {
    const std::string s = text();
    std::vector<std::byte> out(s.size());
    if (!s.empty()) std::memcpy(out.data(), s.data(), s.size());
    return out;
  }
  std::vector<std::vector<std::byte>> blobs() {
    std::vector<std::vector<std::byte>> out(get<std::uint32_t>());
    for (auto& b : out) b = blob();
    return out;
  }

 private:
  std::size_t take(std::size_t size) {
    if (size > text_.size() - at_) throw Error("onnx tests", "packed tests", "a file cut short", "whole tests");
    const std::size_t from = at_;
    at_ += size;
    return from;
  }
  std::string text_;
  std::size_t at_ = 0;
};

// Empty when all is well.
std::string compare(const Array& found, const Array& expected, const Case& test, double& error) {
  if (found.shape != expected.shape) return "shape " + to_string(found.shape) + " for " + to_string(expected.shape);
  if (found.type != expected.type) return std::string("type ") + name(found.type) + " for " + name(expected.type);
  const auto x = found.values(), y = expected.values();
  // Expected bfloat16 values were rounded at every step, found ones once: two units in the last place.
  const double rtol = expected.type == Type::bf16 ? std::max(test.rtol, 0x1p-6) : test.rtol;
  std::size_t worst = 0;
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool same = x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]));
    const double off = same ? 0 : std::fabs(x[i] - y[i]) / (test.atol + rtol * std::fabs(y[i]));
    if (!same && !(off <= most)) most = std::isnan(off) ? HUGE_VAL : off, worst = i;
  }
  error = std::max(error, most);
  if (most <= 1) return "";
  return "element " + std::to_string(worst) + " is " + std::to_string(x[worst]) + ", expected " + std::to_string(y[worst]);
}

Arrays read_inputs(const Case& test, const Model& model, ImportOptions& options) {
  Arrays inputs;
  for (std::size_t i = 0; i < model.graph.inputs.size() && i < test.inputs.size(); ++i) {
    const Port& port = model.graph.inputs[i];
    const Array a = parse_tensor(test.inputs[i]);
    options.shapes[port.name] = a.shape;
    inputs[port.name] = a;
  }
  return inputs;
}

Imported imported(const Model& model, ImportOptions options, const Arrays& inputs) {
  for (;;) {
    try {
      return import_model(model, options);
    } catch (const NeedsValue& needs) {
      if (needs.input.empty() || !inputs.count(needs.input) || options.values.count(needs.input)) throw;
      options.values[needs.input] = std::make_shared<Array>(inputs.at(needs.input));
    }
  }
}

}  // namespace

std::vector<Case> read_cases(const std::filesystem::path& path) {
  Pack pack(path);
  std::vector<Case> cases;
  while (pack.more()) {
    Case c;
    c.name = pack.text();
    c.rtol = pack.get<double>();
    c.atol = pack.get<double>();
    c.model = pack.blob();
    c.inputs = pack.blobs();
    c.outputs = pack.blobs();
    cases.push_back(std::move(c));
  }
  return cases;
}

Result run_case(const Case& test, const Runs& runs) {
  Result result;
  Imported model;
  Arrays inputs;
  std::vector<Array> expected;
  try {
    const Model read = parse_model(test.model, {});
    ImportOptions options;
    inputs = read_inputs(test, read, options);
    for (const auto& blob : test.outputs) expected.push_back(parse_tensor(blob));
    model = imported(read, options, inputs);
  } catch (const Error& error) {
    return {Outcome::refused, error.what(), 0};
  }
  try {
    const Arrays found = run(model, inputs, [&](const Floats& in) { return runs(model, in); });
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string& port = model.outputs.at(i).name;
      const std::string wrong = compare(found.at(port), expected[i], test, result.error);
      if (!wrong.empty()) return {Outcome::fail, "output '" + port + "': " + wrong, result.error};
    }
  } catch (const Error& error) {
    return {Outcome::refused, error.what(), 0};
  }
  result.outcome = Outcome::pass;
  return result;
}

}  // namespace jogak::onnx
