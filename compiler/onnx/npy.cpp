#include "npy.hpp"

#include <cstring>
#include <fstream>

#include "error.hpp"
#include "inflate.hpp"

namespace jogak::onnx {

namespace {

struct Code {
  const char* text;
  Type type;
};
constexpr Code kCodes[] = {{"<f4", Type::f32}, {"<f8", Type::f64}, {"<f2", Type::f16}, {"|b1", Type::boolean}, {"|i1", Type::i8},
                           {"|u1", Type::u8},  {"<i2", Type::i16}, {"<u2", Type::u16}, {"<i4", Type::i32},    {"<u4", Type::u32},
                           {"<i8", Type::i64}, {"<u8", Type::u64}};

class Reader {
 public:
  Reader(std::span<const std::byte> data, std::string name) : data_(data), part_("npy: " + std::move(name)) {}

  std::span<const std::byte> at(std::size_t from, std::size_t size) const {
    if (from > data_.size() || size > data_.size() - from)
      throw Error(part_, "file", std::to_string(data_.size()) + " bytes", "at least " + std::to_string(from + size));
    return data_.subspan(from, size);
  }
  template <class T>
  T get(std::size_t from) const {
    T value;
    std::memcpy(&value, at(from, sizeof value).data(), sizeof value);
    return value;
  }
  std::string text(std::size_t from, std::size_t size) const {
    const auto bytes = at(from, size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  const std::string& part() const { return part_; }

 private:
  std::span<const std::byte> data_;
  std::string part_;
};

// What stands behind 'key': in the header, a Python dictionary of fixed form.
std::string field(const std::string& header, const std::string& key, char close, const std::string& part) {
  const auto at = header.find("'" + key + "':");
  const auto end = at == std::string::npos ? at : header.find(close, at);
  if (end == std::string::npos) throw Error(part, "header", header.substr(0, 80), "an entry " + key);
  return header.substr(at + key.size() + 3, end - at - key.size() - 3);
}

Shape shape_of(const std::string& text, const std::string& part) {
  Shape shape;
  std::int64_t number = -1;
  for (const char c : text + ",") {
    if (c >= '0' && c <= '9') number = std::max<std::int64_t>(number, 0) * 10 + (c - '0');
    else if (c == ',' && number >= 0) shape.push_back(number), number = -1;
    if (number > (std::int64_t(1) << 40)) throw Error(part, "shape", text, "smaller sizes");
  }
  return shape;
}

}  // namespace

Array parse_npy(std::span<const std::byte> file, const std::string& name) {
  const Reader r(file, name);
  if (r.text(0, 6) != "\x93NUMPY") throw Error(r.part(), "file", "something else", "a NumPy array");
  const bool old = r.get<std::uint8_t>(6) == 1;
  const std::size_t start = old ? 10 : 12, length = old ? r.get<std::uint16_t>(8) : r.get<std::uint32_t>(8);
  const std::string header = r.text(start, length);
  if (field(header, "fortran_order", ',', r.part()).find("False") == std::string::npos)
    throw Error(r.part(), "order", "columns first", "rows first: numpy.ascontiguousarray");
  const std::string type = field(header, "descr", ',', r.part());
  Array a{Type::none, shape_of(field(header, "shape", ')', r.part()), r.part()), {}};
  for (const Code& code : kCodes)
    if (type.find(code.text) != std::string::npos) a.type = code.type;
  if (a.type == Type::none) throw Error(r.part(), "type", type, "booleans, integers or floats, little-endian");
  const auto data = r.at(start + length, static_cast<std::size_t>(count(a.shape, r.part()) * bits(a.type) / 8));
  a.data.assign(data.begin(), data.end());
  return a;
}

// Local headers, one behind the other; numpy.savez writes sizes there, and 64-bit ones in the extra field.
std::map<std::string, Array> parse_npz(std::span<const std::byte> file, const std::string& name) {
  const Reader r(file, name);
  std::map<std::string, Array> arrays;
  std::size_t at = 0;
  while (file.size() - at >= 30 && r.get<std::uint32_t>(at) == 0x04034b50) {
    const auto flags = r.get<std::uint16_t>(at + 6), method = r.get<std::uint16_t>(at + 8);
    std::uint64_t size = r.get<std::uint32_t>(at + 18), whole = r.get<std::uint32_t>(at + 22);
    const std::size_t name_size = r.get<std::uint16_t>(at + 26), extra = r.get<std::uint16_t>(at + 28);
    std::string member = r.text(at + 30, name_size);
    if (size == 0xffffffff && extra >= 20) {
      whole = r.get<std::uint64_t>(at + 30 + name_size + 4);
      size = r.get<std::uint64_t>(at + 30 + name_size + 12);
    }
    if ((method != 0 && method != 8) || (flags & 9) != 0)
      throw Error(r.part(), "member " + member, "encrypted or packed in another way", "one of numpy.savez or savez_compressed");
    const std::size_t from = at + 30 + name_size + extra;
    const auto data = r.at(from, static_cast<std::size_t>(size));
    if (member.ends_with(".npy")) member.resize(member.size() - 4);
    // DEFLATE makes at most 1032 bytes of one.
    if (method == 8 && whole / 1032 > size) throw Error(r.part(), "member " + member, std::to_string(whole) + " bytes", "what its data can hold");
    if (method == 0) arrays[member] = parse_npy(data, name + ": " + member);
    else arrays[member] = parse_npy(inflate(data, static_cast<std::size_t>(whole), r.part() + ": " + member), name + ": " + member);
    at = from + static_cast<std::size_t>(size);
  }
  if (arrays.empty()) throw Error(r.part(), "file", "something else", "a NumPy archive");
  return arrays;
}

std::vector<std::byte> to_npy(const Array& array) {
  const char* code = nullptr;
  for (const Code& c : kCodes)
    if (c.type == array.type) code = c.text;
  if (!code) return to_npy(make_floats(array.shape, array.floats()));
  std::string shape;
  for (const auto size : array.shape) shape += std::to_string(size) + ",";
  std::string header = std::string("{'descr': '") + code + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string head = "\x93NUMPY\x01";
  head += '\0';
  head += static_cast<char>(header.size() & 0xff);
  head += static_cast<char>(header.size() >> 8);
  head += header;
  std::vector<std::byte> out(head.size() + array.data.size());
  std::memcpy(out.data(), head.data(), head.size());
  if (!array.data.empty()) std::memcpy(out.data() + head.size(), array.data.data(), array.data.size());
  return out;
}

std::map<std::string, Array> read_arrays(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error("npy: " + path.string(), "file", "nothing that can be read", "a NumPy file");
  std::vector<std::byte> file(static_cast<std::size_t>(std::max<std::streamoff>(in.tellg(), 0)));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(file.data()), static_cast<std::streamsize>(file.size()));
  if (path.extension() == ".npz") return parse_npz(file, path.string());
  return {{path.stem().string(), parse_npy(file, path.string())}};
}

void write_npy(const std::filesystem::path& path, const Array& array) {
  const auto bytes = to_npy(array);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw Error("npy: " + path.string(), "writing", "an error", "a file");
}

}  // namespace jogak::onnx
