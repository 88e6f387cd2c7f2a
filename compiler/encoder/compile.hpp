// An encoder in, a program out.
#pragma once
#include "model.hpp"
#include "plan.hpp"
#include "program.hpp"

namespace jogak::encoder {

// Throws jogak::Error for an encoder this configuration cannot run. Symbols: the head's inputs and output ("input/...", "output/..."; runtime/
// encoder_session.hpp), and "x": rows of the last layer, fp32 [context][width padded]; where rows are given, the input too.
Program compile(const Encoder& model, const std::string& config);

// Makes it an encoder of at most `rows`, which takes less room on chip. Throws jogak::Error for images, whose rows are what they are.
void shorten(Encoder& model, int rows);

}  // namespace jogak::encoder
