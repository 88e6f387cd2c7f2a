#include "graph.hpp"

namespace jogak::ir {

const char* name(Op op) {
  switch (op) {
    case Op::embed: return "embed";
    case Op::rms_norm: return "rms_norm";
    case Op::linear: return "linear";
    case Op::rope: return "rope";
    case Op::attention: return "attention";
    case Op::swiglu: return "swiglu";
    case Op::add: return "add";
    case Op::logits: return "logits";
  }
  return "unknown";
}

}  // namespace jogak::ir
