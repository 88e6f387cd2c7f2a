// The translations, one file per group; every file adds its operators to the registry.
#pragma once
#include "context.hpp"

namespace jogak::onnx {

void register_math(Registry& r);         // math.cpp
void register_activations(Registry& r);  // activations.cpp
void register_logic(Registry& r);        // logic.cpp
void register_moves(Registry& r);        // moves.cpp
void register_shapes(Registry& r);       // shapes.cpp
void register_indexing(Registry& r);     // indexing.cpp
void register_reductions(Registry& r);   // reductions.cpp
void register_norms(Registry& r);        // norms.cpp
void register_matmul(Registry& r);       // matmul.cpp
void register_conv(Registry& r);         // conv.cpp
void register_pool(Registry& r);         // pool.cpp
void register_quant(Registry& r);        // quant.cpp
void register_attention(Registry& r);    // attention.cpp
void register_contrib(Registry& r);      // contrib.cpp

// Shared by several groups.
Val numpy_matmul(Context& c, const Val& a, const Val& b);  // matrices, vectors and stacks of them
Val gelu(Build& b, const Val& x, bool tanh);
Val sigmoid(Build& b, const Val& x);
Val relu(Build& b, const Val& x);
Val softplus(Build& b, const Val& x);
// Over the last axes from `axis` on; scale and bias may be absent.
Val layer_norm(Build& b, const Val& x, std::int64_t axis, const Val& scale, const Val& bias, float eps);
Val rms_norm(Build& b, const Val& x, std::int64_t axis, const Val& scale, float eps);
// Zero points and scales of shape [n] beside axis `axis` of a tensor of that rank.
Val along(Build& b, const Val& v, std::int64_t axis, std::int64_t rank);
// x [n, channels, d...], w [out, channels / groups, k...] with the Conv attributes of the node; no bias.
Val convolve(Context& c, const Val& x, const Val& w);
std::vector<std::int64_t> range(std::int64_t begin, std::int64_t end);

}  // namespace jogak::onnx
