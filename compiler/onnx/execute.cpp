#include "execute.hpp"

#include "build.hpp"
#include "error.hpp"

namespace jogak::onnx {

namespace {

std::vector<float> border(const ImportedPort& port, const Array& a) {
  const std::string part = "onnx: input '" + port.name + "'";
  if (a.shape != port.shape) throw Error(part, "shape", to_string(a.shape), to_string(port.shape));
  if (integral(a.type) != integral(port.type) || (a.type == Type::text) != (port.type == Type::text)) throw Error(part, "type", name(a.type), name(port.type));
  std::vector<float> values = a.floats();
  if (!integral(a.type)) return values;
  const std::vector<double> exact = a.values();
  for (std::size_t i = 0; i < exact.size(); ++i)
    if (static_cast<double>(values[i]) != exact[i])
      throw Error(part, "integer", std::to_string(static_cast<long long>(exact[i])), "one that fp32 holds exactly, at most 2^24");
  return values;
}

}  // namespace

Arrays run(const Imported& model, const Arrays& inputs, const Execute& execute) {
  Floats in;
  auto texts = model.texts;
  for (const ImportedPort& port : model.inputs) {
    if (port.data) continue;
    const auto given = inputs.find(port.name);
    if (given == inputs.end()) throw Error("onnx: input '" + port.name + "'", "values", "none", to_string(port.shape));
    if (port.type == Type::text && given->second.type == Type::text)
      in[port.name] = border({port.name, Type::i64, port.shape}, numbered(given->second, texts));
    else in[port.name] = border(port, given->second);
  }
  Floats out;
  for (const ImportedPort& port : model.outputs)
    if (!port.data) {
      out = execute(in);
      break;
    }
  Arrays results;
  for (const ImportedPort& port : model.outputs) {
    if (port.data) {
      results[port.name] = *port.data;
      continue;
    }
    const std::vector<float>& values = out.at(port.name);
    results[port.name] = port.type == Type::f32 ? make_floats(port.shape, values)
                                                : make_array(port.type, port.shape, std::vector<double>(values.begin(), values.end()), port.saturate);
  }
  return results;
}

}  // namespace jogak::onnx
