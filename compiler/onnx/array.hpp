// Constant tensors of ONNX files, in the file's own data type.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace jogak::onnx {

// Numbers are ONNX's own (TensorProto.DataType).
enum class Type {
  none = 0, f32 = 1, u8 = 2, i8 = 3, u16 = 4, i16 = 5, i32 = 6, i64 = 7, text = 8, boolean = 9, f16 = 10, f64 = 11,
  u32 = 12, u64 = 13, bf16 = 16, f8e4m3fn = 17, f8e4m3fnuz = 18, f8e5m2 = 19, f8e5m2fnuz = 20, u4 = 21, i4 = 22,
  f4e2m1 = 23, f8e8m0 = 24, u2 = 25, i2 = 26,
};
using Shape = std::vector<std::int64_t>;

const char* name(Type type);
bool known(Type type);     // a number type of the list above
bool integral(Type type);  // integers and booleans
bool is_signed(Type type);
int bits(Type type);       // of one element in a file: 2, 4, 8, 16, 32, 64
// Smallest and largest value; for float types the largest finite one.
double lowest(Type type);
double highest(Type type);

// Throws jogak::Error naming `part` for a negative size or more than 2^40 elements.
std::int64_t count(const Shape& shape, const std::string& part);
std::int64_t count(const Shape& shape);
std::string to_string(const Shape& shape);  // "[2,3]"

// Types under a byte are packed, low bits first, as in the file. Row-major.
struct Array {
  Type type = Type::f32;
  Shape shape;
  std::vector<std::byte> data;
  std::vector<std::string> texts = {};  // of Type::text, which has no data

  std::int64_t size() const { return count(shape); }
  // Every type's values fit a double, but integers beyond 2^53 are rounded. Throws jogak::Error for texts, as floats() does.
  std::vector<double> values() const;
  std::vector<float> floats() const;
  // Throws jogak::Error unless the type is integral.
  std::vector<std::int64_t> integers() const;
};

// Converts as ONNX's Cast does: float to integer truncates, to a small float type rounds to nearest even (saturated: to
// the largest finite value, if `saturate`), to boolean is "not zero".
Array make_array(Type type, Shape shape, std::span<const double> values, bool saturate = true);
Array make_floats(Shape shape, std::vector<float> values);
Array make_integers(Shape shape, std::vector<std::int64_t> values);
// One value converted and read back.
double rounded(Type type, double value);

}  // namespace jogak::onnx
