// From a plan to instructions: one program for every position, chunk length and layer.
#pragma once
#include "../emit/emitter.hpp"
#include "plan.hpp"

namespace jogak::schedule {

// Launch arguments of the program. With several sequences the first is the table's length in bytes.
enum Argument : int { kArgPosition = 0, kArgRows = 1, kArgLogitRow = 2, kArgLogitRows = 3 };

// Tokens at window 2 in, logits at window 2 out, K and V of positions arg0 .. arg0 + arg1 - 1 appended to window 1.
emit::Emitter lower(const Plan& plan);
// The same; where that is longer than the instruction memory and all layers are alike, they share their code (one_body). Throws
// jogak::Error if it is too long still.
emit::Emitter lower_to_fit(Plan& plan);

}  // namespace jogak::schedule
