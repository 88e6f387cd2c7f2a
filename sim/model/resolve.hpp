// From an engine instruction to the command with the registers' values in it.
#pragma once

#include "commands.hpp"
#include "control.hpp"

namespace jogak::model {

// True for load, store, mm, vec, qnt.
bool is_engine_op(spec::Op op);

// Illegal combinations of legal field values: fault reserved, or none.
spec::Fault check_fields(const spec::Insn&, const spec::Config&);

// insn is an engine instruction that passed spec::check.
Command resolve(const spec::Insn& insn, const Registers& registers);

spec::Engine engine_of(const Command& command);
spec::Op op_of(const Command& command);

}  // namespace jogak::model
