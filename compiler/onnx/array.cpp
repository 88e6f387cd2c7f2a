#include "array.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "error.hpp"
#include "minifloat.hpp"

namespace jogak::onnx {

namespace {

struct Info {
  Type type;
  const char* name;
  int bits;
};
constexpr Info kTypes[] = {
    {Type::f32, "float", 32},          {Type::u8, "uint8", 8},           {Type::i8, "int8", 8},
    {Type::u16, "uint16", 16},         {Type::i16, "int16", 16},         {Type::i32, "int32", 32},
    {Type::i64, "int64", 64},          {Type::boolean, "bool", 8},       {Type::f16, "float16", 16},
    {Type::f64, "double", 64},         {Type::u32, "uint32", 32},        {Type::u64, "uint64", 64},
    {Type::bf16, "bfloat16", 16},      {Type::f8e4m3fn, "float8e4m3fn", 8}, {Type::f8e4m3fnuz, "float8e4m3fnuz", 8},
    {Type::f8e5m2, "float8e5m2", 8},   {Type::f8e5m2fnuz, "float8e5m2fnuz", 8}, {Type::u4, "uint4", 4},
    {Type::i4, "int4", 4},             {Type::f4e2m1, "float4e2m1", 4},  {Type::f8e8m0, "float8e8m0", 8},
    {Type::u2, "uint2", 2},            {Type::i2, "int2", 2},
};

const Info* find(Type type) {
  for (const Info& info : kTypes)
    if (info.type == type) return &info;
  return nullptr;
}

template <class T>
T load(const std::byte* at) {
  T x;
  std::memcpy(&x, at, sizeof x);
  return x;
}
template <class T>
void store(std::byte* at, T x) {
  std::memcpy(at, &x, sizeof x);
}

std::uint64_t code_at(const std::vector<std::byte>& data, int width, std::int64_t i) {
  if (width < 8) {
    const std::int64_t bit = i * width;
    return (std::to_integer<unsigned>(data[static_cast<std::size_t>(bit / 8)]) >> (bit % 8)) & ((1u << width) - 1);
  }
  std::uint64_t code = 0;
  std::memcpy(&code, &data[static_cast<std::size_t>(i * width / 8)], static_cast<std::size_t>(width / 8));
  return code;
}

void put_code(std::vector<std::byte>& data, int width, std::int64_t i, std::uint64_t code) {
  if (width < 8) {
    const std::int64_t bit = i * width;
    data[static_cast<std::size_t>(bit / 8)] |= static_cast<std::byte>((code & ((1u << width) - 1)) << (bit % 8));
    return;
  }
  std::memcpy(&data[static_cast<std::size_t>(i * width / 8)], &code, static_cast<std::size_t>(width / 8));
}

double decode(Type type, std::uint64_t code) {
  const int width = bits(type);
  if (type == Type::f64) return load<double>(reinterpret_cast<const std::byte*>(&code));
  if (type == Type::f32) return load<float>(reinterpret_cast<const std::byte*>(&code));
  if (const MiniFloat* format = minifloat(type)) return decode(*format, static_cast<std::uint32_t>(code));
  if (is_signed(type) && width < 64 && (code >> (width - 1)) != 0)
    return static_cast<double>(static_cast<std::int64_t>(code) - (std::int64_t(1) << width));
  return is_signed(type) ? static_cast<double>(static_cast<std::int64_t>(code)) : static_cast<double>(code);
}

std::uint64_t integer_code(Type type, double value) {
  if (type == Type::boolean) return value != 0;
  if (std::isnan(value)) return 0;
  value = std::trunc(value);
  if (!is_signed(type) && value >= 9223372036854775808.0)
    return value >= 18446744073709551616.0 ? ~std::uint64_t(0) : static_cast<std::uint64_t>(value);
  if (value >= 9223372036854775807.0) return static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value <= -9223372036854775808.0) return static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::min());
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

std::uint64_t encode(Type type, double value, bool saturate) {
  std::uint64_t code = 0;
  if (type == Type::f64) {
    store(reinterpret_cast<std::byte*>(&code), value);
  } else if (type == Type::f32) {
    store(reinterpret_cast<std::byte*>(&code), static_cast<float>(value));
  } else if (const MiniFloat* format = minifloat(type)) {
    code = encode(*format, value, saturate);
  } else {
    code = integer_code(type, value);
  }
  return code;
}

std::size_t bytes_of(Type type, std::int64_t elements) {
  return static_cast<std::size_t>((elements * bits(type) + 7) / 8);
}

}  // namespace

const char* name(Type type) {
  const Info* info = find(type);
  return info ? info->name : type == Type::text ? "string" : "unknown";
}
bool known(Type type) { return find(type) != nullptr; }
bool integral(Type type) { return type != Type::f32 && type != Type::f64 && known(type) && !minifloat(type); }
bool is_signed(Type type) {
  switch (type) {
    case Type::u8: case Type::u16: case Type::u32: case Type::u64: case Type::u4: case Type::u2: case Type::boolean:
      return false;
    default: return true;
  }
}
int bits(Type type) {
  const Info* info = find(type);
  return info ? info->bits : 0;
}
double highest(Type type) {
  if (type == Type::f32) return std::numeric_limits<float>::max();
  if (type == Type::f64) return std::numeric_limits<double>::max();
  if (type == Type::boolean) return 1;
  if (const MiniFloat* format = minifloat(type)) return largest(*format);
  return std::ldexp(1.0, bits(type) - (is_signed(type) ? 1 : 0)) - 1;
}
double lowest(Type type) {
  if (!integral(type)) return -highest(type);
  return is_signed(type) ? -std::ldexp(1.0, bits(type) - 1) : 0;
}

std::int64_t count(const Shape& shape, const std::string& part) {
  std::int64_t n = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0 || size > (std::int64_t(1) << 40))
      throw Error(part, "size of a dimension", std::to_string(size), "0 to 2^40");
    empty |= size == 0;
    if (size > 0 && n > (std::int64_t(1) << 40) / size) throw Error(part, "shape", to_string(shape), "at most 2^40 elements");
    n *= std::max<std::int64_t>(size, 1);
  }
  return empty ? 0 : n;
}
std::int64_t count(const Shape& shape) { return count(shape, "onnx"); }

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

std::vector<double> Array::values() const {
  if (type == Type::text) throw Error("onnx", "type of a tensor of numbers", name(type), "a float, integer or boolean type");
  std::vector<double> out(static_cast<std::size_t>(size()));
  const int width = bits(type);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = decode(type, code_at(data, width, static_cast<std::int64_t>(i)));
  return out;
}
std::vector<float> Array::floats() const {
  std::vector<float> out(static_cast<std::size_t>(size()));
  if (type == Type::f32) {
    if (!out.empty()) std::memcpy(out.data(), data.data(), out.size() * sizeof(float));
    return out;
  }
  if (type == Type::text) throw Error("onnx", "type of a tensor of numbers", name(type), "a float, integer or boolean type");
  const int width = bits(type);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(decode(type, code_at(data, width, static_cast<std::int64_t>(i))));
  return out;
}
std::vector<std::int64_t> Array::integers() const {
  if (!integral(type)) throw Error("onnx", "type of a tensor of integers", name(type), "an integer type");
  std::vector<std::int64_t> out(static_cast<std::size_t>(size()));
  const int width = bits(type);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint64_t code = code_at(data, width, static_cast<std::int64_t>(i));
    if (is_signed(type) && width < 64 && (code >> (width - 1)) != 0) code |= ~std::uint64_t(0) << width;
    out[i] = static_cast<std::int64_t>(code);
  }
  return out;
}

Array make_array(Type type, Shape shape, std::span<const double> values, bool saturate) {
  Array a{type, std::move(shape), {}};
  a.data.resize(bytes_of(type, static_cast<std::int64_t>(values.size())));
  const int width = bits(type);
  for (std::size_t i = 0; i < values.size(); ++i)
    put_code(a.data, width, static_cast<std::int64_t>(i), encode(type, values[i], saturate));
  return a;
}
Array make_floats(Shape shape, std::vector<float> values) {
  Array a{Type::f32, std::move(shape), std::vector<std::byte>(values.size() * sizeof(float))};
  if (!values.empty()) std::memcpy(a.data.data(), values.data(), a.data.size());
  return a;
}
Array make_integers(Shape shape, std::vector<std::int64_t> values) {
  Array a{Type::i64, std::move(shape), std::vector<std::byte>(values.size() * 8)};
  if (!values.empty()) std::memcpy(a.data.data(), values.data(), a.data.size());
  return a;
}
double rounded(Type type, double value) {
  if (integral(type) && type != Type::boolean) {
    // Wraps like the file's own type would.
    const std::uint64_t mask = bits(type) == 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << bits(type)) - 1;
    return decode(type, integer_code(type, value) & mask);
  }
  return decode(type, encode(type, value, true));
}

}  // namespace jogak::onnx
