// Kernels of the fast mm path. A strip is `width` neighbouring columns of all kb tiles of one
// column block, packed the way the kernel wants it and then multiplied by every moving row. A tile here has one scale and is
// `depth` values of k: 32, or the 64 that a sparse tile stands for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jogak::model {

struct Strip {
  std::uint32_t kb, m, depth;
  const std::uint8_t* packed;    // kb * depth / 32 packed tiles
  const std::uint32_t* scale;    // [kb][width] fp32 bits, the ½ of e2m1 included
  const std::int8_t* act;        // row i, tile k at i * act_stride + depth * k
  std::size_t act_stride;
  const std::uint32_t* act_scale;  // [m][kb] fp32 bits
  const std::int32_t* act_sum;     // [m][kb] sum of the tile's values
  std::uint32_t* out;              // row i at i * out_stride
  std::size_t out_stride;
  bool accumulate;
};

struct MmKernel {
  std::uint32_t width;        // columns at a time; a multiple of 8
  std::size_t packed_bytes;   // of 32 values of k of that width
  bool host_floats;           // needs an FtzScope
  // 32 rows of int8, `stride` bytes apart, to one packed tile.
  void (*pack)(const std::int8_t* rows, std::size_t stride, std::uint8_t* packed);
  // 32 rows of e2m1 codes (width / 2 bytes each) to int8, width bytes a row.
  void (*expand)(const std::uint8_t* codes, std::size_t stride, std::int8_t* rows);
  void (*multiply)(const Strip&);
  // Sums of `blocks` times 32 values.
  void (*sums)(const std::int8_t* act, std::uint32_t blocks, std::int32_t* out);
  // `width` fp16 to fp32 bits; subnormals are exact, NaN becomes the NaN.
  void (*halves)(const std::uint16_t* h, std::uint32_t* out);
};

// The fastest kernel of this processor for a machine with so many columns.
const MmKernel& mm_kernel(std::uint32_t cols);
// Runs everywhere.
const MmKernel& mm_kernel_plain();
// Null where the processor (or the column count) does not suit.
const MmKernel* mm_kernel_avx2(std::uint32_t cols);
const MmKernel* mm_kernel_vnni(std::uint32_t cols);

}  // namespace jogak::model
