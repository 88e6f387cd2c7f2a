// Waits for all chiplets; those that wait in vain when the others have ended are ended too.
#pragma once

#include "chiplet.hpp"

namespace jogak::systemc {

class Host final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Host);
  Host(const sc_core::sc_module_name& name, std::vector<Chiplet*> chiplets) : sc_module(name), chiplets_(std::move(chiplets)) {
    SC_METHOD(look);
    for (const Chiplet* c : chiplets_) sensitive << c->changed();
    dont_initialize();
  }

  bool over() const {
    for (const Chiplet* c : chiplets_)
      if (!c->over()) return false;
    return true;
  }

 private:
  void look() {
    for (const Chiplet* c : chiplets_)
      if (!c->over() && !c->waits_in_vain()) return;
    for (Chiplet* c : chiplets_)
      if (!c->over()) c->give_up();
    sc_core::sc_pause();
  }

  std::vector<Chiplet*> chiplets_;
};

}  // namespace jogak::systemc
