// What exporters take apart, put together again.
#pragma once
#include "build.hpp"

namespace jogak::onnx {

// weights · values where weights = softmax(scale · q kᵀ [+ mask]) over rank 4, or with Where(seen, scores, very negative) instead of a
// mask that is added: one attention, whose scores never lie in memory.
// Empty where it is something else. Scores that nothing else uses are left without use, and are not lowered.
std::optional<Val> fused_attention(Build& b, const Val& weights, const Val& values);

// (x - mean) / sqrt(variance + eps) · scale + bias over the last axis: one layer_norm.
std::optional<Val> fused_layer_norm(Build& b, const Val& product, const Val& bias);

}  // namespace jogak::onnx
