// One configuration's machine. Compiled once per configuration: see verilated_machine.hpp; MAKE is the function it offers to the factory.
#include "verilated_machine.hpp"

namespace jogak::rtl {

std::unique_ptr<Simulator> MAKE(const Options& options) { return std::make_unique<Machine>(options); }

}  // namespace jogak::rtl
