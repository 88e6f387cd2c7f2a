#include "tensors.hpp"

#include <cmath>
#include <cstring>
#include <fstream>

#include "error.hpp"

namespace jogak::onnx {

namespace fs = std::filesystem;

namespace {

std::string part_of(const pb::Tensor& t) { return "onnx: tensor '" + t.name() + "'"; }

std::uint64_t number(const pb::Tensor& t, const std::string& key, const std::string& text) {
  std::uint64_t value = 0;
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
    throw Error(part_of(t), "external data's " + key, text, "a number of bytes");
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

// The file's real place, which must be inside the model's folder whatever links it goes through.
fs::path inside(const pb::Tensor& t, const fs::path& folder, const std::string& location) {
  const fs::path wanted(location);
  bool up = location.empty() || wanted.is_absolute() || location.find('\\') != std::string::npos;
  for (const fs::path& step : wanted) up |= step == "..";
  if (up) throw Error(part_of(t), "external data file", location, "a path inside the model's folder");
  std::error_code failed;
  const fs::path root = fs::canonical(folder.empty() ? fs::path(".") : folder, failed);
  const fs::path real = fs::canonical(root / wanted, failed);
  if (failed || !fs::is_regular_file(real, failed))
    throw Error(part_of(t), "external data file", location + ", which is missing", "a file in " + folder.string());
  const fs::path relative = real.lexically_relative(root);
  if (relative.empty() || *relative.begin() == "..")
    throw Error(part_of(t), "external data file", location + ", a link that leads outside", "a path inside the model's folder");
  return real;
}

std::vector<std::byte> external(const pb::Tensor& t, const fs::path& folder, std::size_t need) {
  std::string location;
  std::uint64_t offset = 0, length = need;
  for (const pb::Entry& entry : t.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = number(t, "offset", entry.value());
    if (entry.key() == "length") length = number(t, "length", entry.value());
  }
  if (length != need)
    throw Error(part_of(t), "external data's length", std::to_string(length), std::to_string(need) + " for its shape");
  const fs::path path = inside(t, folder, location);
  const std::uint64_t size = fs::file_size(path);
  if (offset > size || need > size - offset)
    throw Error(part_of(t), "external data file " + location, std::to_string(size) + " bytes",
                "at least " + std::to_string(offset + need));
  std::vector<std::byte> data(need);
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  if (!in.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(need)))
    throw Error(part_of(t), "external data file " + location, "a read error", std::to_string(need) + " bytes");
  return data;
}


// The typed fields: small types travel as bit patterns in int32_data.
std::vector<std::byte> typed(const pb::Tensor& t, Type type, std::int64_t elements, std::size_t need) {
  std::vector<std::byte> data(need);
  const auto fill = [&](const auto& field, std::size_t width, std::int64_t expected) {
    if (field.size() != expected)
      throw Error(part_of(t), "values", std::to_string(field.size()), std::to_string(expected) + " for its shape");
    for (int i = 0; i < field.size(); ++i) {
      const auto value = field.Get(i);
      std::memcpy(&data[static_cast<std::size_t>(i) * width], &value, std::min(width, sizeof value));
    }
  };
  const auto width = static_cast<std::size_t>((bits(type) + 7) / 8);
  switch (type) {
    case Type::f32: fill(t.float_data(), 4, elements); break;
    case Type::f64: fill(t.double_data(), 8, elements); break;
    case Type::i64: fill(t.int64_data(), 8, elements); break;
    case Type::u32: case Type::u64: fill(t.uint64_data(), width, elements); break;
    default: fill(t.int32_data(), width, bits(type) < 8 ? static_cast<std::int64_t>(need) : elements);
  }
  return data;
}

Array read_texts(const pb::Tensor& t) {
  Array a{Type::text, Shape(t.dims().begin(), t.dims().end()), {}};
  const std::int64_t elements = count(a.shape, part_of(t));
  if (t.string_data_size() != elements)
    throw Error(part_of(t), "texts", std::to_string(t.string_data_size()), std::to_string(elements) + " for its shape");
  a.texts.assign(t.string_data().begin(), t.string_data().end());
  return a;
}

bool has_nan(const Array& a) {
  if (a.type == Type::f32) {
    for (const float x : a.floats())
      if (std::isnan(x)) return true;
    return false;
  }
  for (const double x : a.values())
    if (std::isnan(x)) return true;
  return false;
}

}  // namespace

Array read_tensor(const pb::Tensor& t, const fs::path& folder) {
  const Type type = static_cast<Type>(t.data_type());
  if (type == Type::text) return read_texts(t);
  if (!known(type))
    throw Error(part_of(t), "data type", std::string(name(type)) + " (" + std::to_string(t.data_type()) + ")",
                "a float, integer or boolean type, or text");
  Array a{type, Shape(t.dims().begin(), t.dims().end()), {}};
  const std::int64_t elements = count(a.shape, part_of(t));
  const auto need = static_cast<std::size_t>((elements * bits(type) + 7) / 8);
  if (t.data_location() == 1) {
    a.data = external(t, folder, need);
  } else if (t.has_raw_data()) {
    if (t.raw_data().size() != need)
      throw Error(part_of(t), "bytes", std::to_string(t.raw_data().size()), std::to_string(need) + " for its shape");
    a.data.resize(need);
    if (need != 0) std::memcpy(a.data.data(), t.raw_data().data(), need);
  } else {
    a.data = typed(t, type, elements, need);
  }
  return a;
}

Array read_weights(const pb::Tensor& t, const fs::path& folder) {
  Array a = read_tensor(t, folder);
  if (a.type != Type::text && !integral(a.type) && has_nan(a)) throw Error(part_of(t), "weights", "a NaN", "numbers: export the model again");
  return a;
}

}  // namespace jogak::onnx
