// Sliding windows of convolution and pooling: their attributes and the patches they make.
#pragma once
#include "context.hpp"

namespace jogak::onnx {

struct Windows {
  Shape size, kernel, stride, dilation, before, after, out;  // one entry for each spatial axis
};

// Reads strides, dilations, pads, auto_pad and ceil_mode of the node for x [n, channels, spatial...].
Windows read_windows(Context& c, const Val& x, const Shape& kernel);
// Patches [n, channels, o1, k1, o2, k2, ...]; what lies outside has the value `outside`.
Val patches(Build& b, const Val& x, const Windows& w, double outside);
// The same elements as [n, channels, out..., product of kernel].
Val window_rows(Build& b, const Val& x, const Windows& w, double outside);

}  // namespace jogak::onnx
