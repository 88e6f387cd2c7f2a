#include "minifloat.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jogak::onnx {

const MiniFloat* minifloat(Type type) {
  static constexpr MiniFloat f16{5, 10, 15, MiniFloat::ieee}, bf16{8, 7, 127, MiniFloat::ieee};
  static constexpr MiniFloat e4m3fn{4, 3, 7, MiniFloat::nan_only}, e4m3fnuz{4, 3, 8, MiniFloat::negative_zero_is_nan};
  static constexpr MiniFloat e5m2{5, 2, 15, MiniFloat::ieee}, e5m2fnuz{5, 2, 16, MiniFloat::negative_zero_is_nan};
  static constexpr MiniFloat e2m1{2, 1, 1, MiniFloat::none}, e8m0{8, 0, 127, MiniFloat::power};
  switch (type) {
    case Type::f16: return &f16;
    case Type::bf16: return &bf16;
    case Type::f8e4m3fn: return &e4m3fn;
    case Type::f8e4m3fnuz: return &e4m3fnuz;
    case Type::f8e5m2: return &e5m2;
    case Type::f8e5m2fnuz: return &e5m2fnuz;
    case Type::f4e2m1: return &e2m1;
    case Type::f8e8m0: return &e8m0;
    default: return nullptr;
  }
}

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool wide(const MiniFloat& f) { return f.exponent + f.mantissa == 15; }

std::uint32_t nan_code(const MiniFloat& f) {
  const std::uint32_t all = (1u << (f.exponent + f.mantissa)) - 1;
  if (f.special == MiniFloat::negative_zero_is_nan) return 1u << (f.exponent + f.mantissa);
  if (f.special == MiniFloat::ieee) return all & ~((1u << (f.mantissa - 1)) - 1);
  return f.special == MiniFloat::nan_only ? all : f.special == MiniFloat::power ? 255u : 0u;
}

// Largest finite magnitude's code.
std::uint32_t top(const MiniFloat& f) {
  const std::uint32_t all = (1u << (f.exponent + f.mantissa)) - 1;
  if (f.special == MiniFloat::ieee) return all - (1u << f.mantissa);
  return f.special == MiniFloat::nan_only ? all - 1 : f.special == MiniFloat::power ? 254u : all;
}

}  // namespace

double decode(const MiniFloat& f, std::uint32_t code) {
  if (f.special == MiniFloat::power) return code == 255 ? kNan : std::ldexp(1.0, static_cast<int>(code) - f.bias);
  const std::uint32_t magnitude = code & ((1u << (f.exponent + f.mantissa)) - 1);
  const bool negative = (code >> (f.exponent + f.mantissa)) & 1;
  if (f.special == MiniFloat::negative_zero_is_nan && negative && magnitude == 0) return kNan;
  if (f.special == MiniFloat::ieee && magnitude > top(f)) {
    if (magnitude != top(f) + 1) return kNan;
    return negative ? -HUGE_VAL : HUGE_VAL;
  }
  if (f.special == MiniFloat::nan_only && magnitude > top(f)) return kNan;
  const std::uint32_t exponent = magnitude >> f.mantissa, fraction = magnitude & ((1u << f.mantissa) - 1);
  const double value = exponent == 0 ? std::ldexp(double(fraction), 1 - f.bias - f.mantissa)
                                     : std::ldexp(double(fraction | (1u << f.mantissa)), int(exponent) - f.bias - f.mantissa);
  return negative ? -value : value;
}

double largest(const MiniFloat& f) { return decode(f, top(f)); }

std::uint32_t encode(const MiniFloat& f, double value, bool saturate) {
  if (std::isnan(value)) return nan_code(f);
  const double a = std::fabs(value);
  if (f.special == MiniFloat::power)
    return a == 0 ? 0u : static_cast<std::uint32_t>(std::clamp(std::ceil(std::log2(a)) + 127.0, 0.0, 254.0));
  const std::uint32_t sign = std::signbit(value) ? 1u << (f.exponent + f.mantissa) : 0u;
  const int lowest_exponent = 1 - f.bias;
  const int exponent = a == 0 ? lowest_exponent : std::max(std::ilogb(std::min(a, 1e300)), lowest_exponent);
  const double quantum = std::ldexp(1.0, exponent - f.mantissa);
  const double near = std::isinf(a) ? a : std::nearbyint(a / quantum) * quantum;
  if (near > largest(f)) {
    if (saturate && !wide(f)) return sign | top(f);
    return f.special == MiniFloat::ieee ? sign | (top(f) + 1) : f.special == MiniFloat::none ? sign | top(f) : nan_code(f);
  }
  if (near == 0) return f.special == MiniFloat::negative_zero_is_nan ? 0u : sign;
  const int at = std::max(std::ilogb(near), lowest_exponent);
  const auto units = static_cast<std::uint32_t>(std::ldexp(near, f.mantissa - at));
  // A normal number's leading one is the lowest bit of its exponent field.
  return sign | (units + (static_cast<std::uint32_t>(at + f.bias - 1) << f.mantissa));
}

}  // namespace jogak::onnx
