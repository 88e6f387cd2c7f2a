#include "graph.hpp"

#include "error.hpp"

namespace jogak::ir {

const char* name(Op op) {
  switch (op) {
    case Op::embed: return "embed";
    case Op::positions: return "positions";
    case Op::layer_norm: return "layer_norm";
    case Op::rms_norm: return "rms_norm";
    case Op::linear: return "linear";
    case Op::rope: return "rope";
    case Op::attention: return "attention";
    case Op::swiglu: return "swiglu";
    case Op::experts: return "experts";
    case Op::weigh: return "weigh";
    case Op::add: return "add";
    case Op::logits: return "logits";
  }
  return "unknown";
}

const char* name(Format format) {
  switch (format) {
    case Format::int8: return "int8";
    case Format::int8c: return "int8c";
    case Format::mxfp4: return "mxfp4";
    case Format::mxint8: return "mxint8";
  }
  return "unknown";
}

Format format_named(const std::string& name) {
  std::string known;
  for (const Format f : kFormats) {
    if (name == ir::name(f)) return f;
    known += (known.empty() ? "" : ", ") + std::string(ir::name(f));
  }
  throw Error("compile", "weight format", name, "one of " + known);
}

}  // namespace jogak::ir
