// An encoder in, a program out.
#pragma once
#include "model.hpp"
#include "plan.hpp"
#include "program.hpp"

namespace jogak::encoder {

// Throws jogak::Error for an encoder this configuration cannot run. Symbols: "x" (fp32 rows [context][width padded]), window 1: input and,
// where there is no head, output; "codes", "scales": the rows, normalised where norms come first, quantised.
Program compile(const Encoder& model, const std::string& config);

}  // namespace jogak::encoder
