// An encoder in, a program out.
#pragma once
#include "model.hpp"
#include "plan.hpp"
#include "program.hpp"

namespace jogak::encoder {

// Throws jogak::Error for an encoder this configuration cannot run. Symbols: the head's inputs and output ("input/...", "output/..."; runtime/
// encoder_session.hpp), and of the last layer "x" (fp32 rows [context][width padded]; the input where rows are given), "codes" and "scales" (these
// rows, normalised where norms come first, quantised).
Program compile(const Encoder& model, const std::string& config);

}  // namespace jogak::encoder
