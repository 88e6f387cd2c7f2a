// Weights to array formats: block by block of 32 along k, or with one scale per output.
#pragma once
#include <functional>
#include <span>

#include "../ir/graph.hpp"

namespace jogak::passes {

// One row of w, k values -> codes (padded to 32) and scales of a QMatrix row, in a format with blocks.
// int8: scale = absmax / 127 as fp16, codes round(w / scale) in -127..127.
// mxint8: power-of-two scale with the least squared error of the two around absmax / 127; nearest code in -127..127.
// mxfp4: power-of-two scale with the least squared error among the three around absmax / 6; nearest E2M1 code, ties to even.
void quantize_row(std::span<const float> w, ir::Format format, std::span<std::int8_t> codes, std::span<std::uint16_t> scales);

// A whole row of w (int8c) -> codes and the row's scale: absmax / 127 in fp32, codes round(w / scale) in -127..127.
// Scale and codes are 0 where the scale would not be a normal fp32 number.
float quantize_channel(std::span<const float> w, std::span<std::int8_t> codes);

// Values first .. first + out.size() - 1 of a tensor as fp32; `first` starts a block where the type has blocks.
void to_float(const ir::Tensor& tensor, std::size_t first, std::span<float> out);
// Throws jogak::Error naming a tensor with an infinity or NaN.
void check_finite(const ir::Tensor& tensor);
// Values of a tensor as fp32, any supported type.
std::vector<float> to_float(const ir::Tensor& tensor);
// The same; throws jogak::Error naming a tensor with an infinity or NaN.
std::vector<float> finite_float(const ir::Tensor& tensor);

// Exact carry-over where the tensor's blocks are those of the array (Q8_0, Q4_0, Q5_0, IQ4_NL -> int8; MXFP4 -> mxfp4), else (float, and
// formats with minima or other blocks) by quantize_row or quantize_channel.
// group > 0: each `group` columns of k are padded to a multiple of 32 (attention heads).
ir::QMatrix quantize(const ir::Tensor& tensor, ir::Format format, int group = 0);

// w[n][k] of a QMatrix as fp32 (k without padding only when group was 0).
std::vector<float> dequantize(const ir::QMatrix& matrix);

// What a tensor becomes where `format` is asked for: its own, where its blocks are those of the array.
ir::Format array_format(ir::DType type, ir::Format format);

// Picks a format per linear node: by tensor type where blocks carry over, else `choice(node)`. Experts only keep the choice: they are quantised
// one by one when they are packed.
void quantize_graph(ir::Graph& graph, const std::function<ir::Format(const ir::Node&)>& choice);

}  // namespace jogak::passes
