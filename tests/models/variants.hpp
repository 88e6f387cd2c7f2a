// Decoders that differ from a common one in what their names say.
#pragma once

#include <vector>

#include "import/synthetic.hpp"

namespace jogak::tests {

struct Variant {
  const char* name;
  import::LlamaHyper hyper;
};

// add(name, change): the base as `change` makes it, at the list's end.
inline auto adds_to(std::vector<Variant>& list, const import::LlamaHyper& base) {
  return [&list, base](const char* name, auto&& change) {
    import::LlamaHyper h = base;
    change(h);
    list.push_back({name, h});
  };
}

}  // namespace jogak::tests
