// Rotary frequencies, plain or scaled for longer contexts. Formulas: those of the models' reference implementations.
#pragma once
#include <span>
#include <string>

#include "../ir/graph.hpp"

namespace jogak::import {

struct RopeScaling {
  enum class Kind { none, linear, llama3, yarn };
  Kind kind = Kind::none;
  double factor = 1;               // of the context
  double original = 0;             // llama3, yarn: context the model was trained for
  double low = 1, high = 4;        // llama3: wavelengths in units of `original` that are scaled fully, not at all
  double fast = 32, slow = 1;      // yarn: turns within `original` of pairs that are not scaled, scaled fully
  bool truncate = true;            // yarn: the borders of the ramp are whole pairs
  double magnitude = 0;            // yarn: of cosine and sine; 0: 0.1 ln(factor) + 1
};

// The kind called `name` (none, default, linear, llama3, yarn). Throws jogak::Error of `part` for another one.
RopeScaling::Kind rope_kind(const std::string& part, const std::string& name);

// `dims` columns turn (an even number). `factors`, where there are any, divide the frequencies pair by pair.
// Throws jogak::Error for numbers that make no frequencies.
ir::Rotary make_rotary(double theta, int dims, const RopeScaling& scaling, std::span<const float> factors = {});

}  // namespace jogak::import
