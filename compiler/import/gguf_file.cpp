#include "gguf_file.hpp"

#include <set>

#include "../passes/blocks.hpp"

namespace jogak::import {

// Metadata value types, by GGUF's numbers.
enum class GgufFile::Kind : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

namespace {

using ir::DType;

struct TypeInfo {
  std::uint32_t code;
  DType dtype;
};
constexpr TypeInfo kTypes[] = {{0, DType::f32},   {1, DType::f16},   {2, DType::q4_0},   {3, DType::q4_1},   {6, DType::q5_0},  {7, DType::q5_1},
                               {8, DType::q8_0},  {10, DType::q2_k}, {11, DType::q3_k},  {12, DType::q4_k},  {13, DType::q5_k}, {14, DType::q6_k},
                               {20, DType::iq4_nl}, {23, DType::iq4_xs}, {30, DType::bf16}, {39, DType::mxfp4}};
// Values and bytes of the smallest piece of a row.
passes::BlockLayout layout_of(DType type) {
  if (const passes::BlockLayout* l = passes::block_layout(type)) return *l;
  return {type, 1, type == DType::f32 ? 4 : 2};
}
constexpr const char* kTypeNames[] = {"F32", "F16", "Q4_0", "Q4_1", "4", "5", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
                                      "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16",
                                      "I32", "I64", "F64", "IQ1_M", "BF16"};

const TypeInfo& type_of(const std::string& part, std::uint32_t code, const std::string& tensor) {
  for (const TypeInfo& t : kTypes)
    if (t.code == code) return t;
  const std::string name = code < std::size(kTypeNames) ? kTypeNames[code] : "type " + std::to_string(code);
  throw Error(part, "type of tensor " + tensor, name, "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, IQ4_NL, IQ4_XS or MXFP4");
}

}  // namespace

GgufFile::GgufFile(std::span<const std::byte> file, const std::string& name, std::shared_ptr<const void> keep)
    : in_("gguf " + name, file), file_(file), keep_(std::move(keep)) {
  header();
  tensor_count_ = in_.count(tensor_count_, 24, "tensors");
  const auto pairs = in_.count(pair_count_, 12, "metadata entries");
  for (std::uint64_t i = 0; i < pairs; ++i) {
    std::string key = in_.text("metadata key");
    Value v = value(static_cast<Kind>(in_.get<std::uint32_t>("metadata type")));
    meta_.insert_or_assign(std::move(key), std::move(v));
  }
}

std::string GgufFile::architecture() const {
  const auto* name = list<std::string>("general.architecture");
  return name ? *name : "";
}

void GgufFile::header() {
  const auto magic = in_.get<std::uint32_t>("magic");
  if (magic != 0x46554747) throw Error(in_.part(), "magic", std::to_string(magic), "the letters GGUF");
  const auto version = in_.get<std::uint32_t>("version");
  if (version != 2 && version != 3) throw Error(in_.part(), "version", std::to_string(version), "2 or 3");
  tensor_count_ = in_.get<std::uint64_t>("tensor count");
  pair_count_ = in_.get<std::uint64_t>("metadata count");
}

double GgufFile::number(Kind kind) {
  switch (kind) {
    case Kind::u8: return in_.get<std::uint8_t>("value");
    case Kind::i8: return in_.get<std::int8_t>("value");
    case Kind::u16: return in_.get<std::uint16_t>("value");
    case Kind::i16: return in_.get<std::int16_t>("value");
    case Kind::u32: return in_.get<std::uint32_t>("value");
    case Kind::i32: return in_.get<std::int32_t>("value");
    case Kind::f32: return in_.get<float>("value");
    case Kind::boolean: return in_.get<std::uint8_t>("value") != 0;
    case Kind::u64: return static_cast<double>(in_.get<std::uint64_t>("value"));
    case Kind::i64: return static_cast<double>(in_.get<std::int64_t>("value"));
    case Kind::f64: return in_.get<double>("value");
    default: throw Error(in_.part(), "metadata type", std::to_string(static_cast<unsigned>(kind)), "0 to 12");
  }
}
GgufFile::Value GgufFile::value(Kind kind) {
  if (kind == Kind::string) return in_.text("text");
  if (kind != Kind::array) return number(kind);
  const auto of = static_cast<Kind>(in_.get<std::uint32_t>("array type"));
  const auto claimed = in_.get<std::uint64_t>("array length");
  if (of == Kind::array) throw Error(in_.part(), "array", "an array of arrays", "numbers or texts");
  if (of == Kind::string) {
    Texts list(in_.count(claimed, 8, "array elements"));
    for (auto& s : list) s = in_.text("array element");
    return list;
  }
  Numbers list(in_.count(claimed, 1, "array elements"));
  for (auto& x : list) x = number(of);
  return list;
}

std::vector<ir::Tensor> GgufFile::tensors() {
  std::vector<ir::Tensor> all;
  struct Where {
    std::uint64_t offset, bytes;
  };
  std::vector<Where> where;
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < tensor_count_; ++i) {
    ir::Tensor t;
    t.name = in_.text("tensor name");
    if (!seen.insert(t.name).second) throw Error(in_.part(), "tensor " + t.name, "a second one", "one of that name");
    const auto dims = in_.get<std::uint32_t>("dimensions");
    if (dims < 1 || dims > 4) throw Error(in_.part(), "dimensions of " + t.name, std::to_string(dims), "1 to 4");
    std::uint64_t elements = 1;
    for (std::uint32_t d = 0; d < dims; ++d) {
      const auto size = in_.get<std::uint64_t>("dimension");
      if (size == 0 || size > in_.size() * 2 || elements > in_.size() * 2 / size)
        throw Error(in_.part(), "size of " + t.name, std::to_string(size) + " in dimension " + std::to_string(d), "what a file of " +
                    std::to_string(in_.size()) + " bytes can hold");
      elements *= size;
      t.shape.insert(t.shape.begin(), static_cast<std::int64_t>(size));
    }
    t.dtype = type_of(part(), in_.get<std::uint32_t>("tensor type"), t.name).dtype;
    const passes::BlockLayout layout = layout_of(t.dtype);
    if (t.shape.back() % layout.values != 0)
      throw Error(in_.part(), "last dimension of " + t.name, std::to_string(t.shape.back()), "a multiple of " + std::to_string(layout.values));
    where.push_back({in_.get<std::uint64_t>("tensor offset"), elements / static_cast<std::uint64_t>(layout.values) * static_cast<std::uint64_t>(layout.bytes)});
    all.push_back(std::move(t));
  }
  const auto alignment = has("general.alignment") ? integer("general.alignment", 1, 1 << 20) : 32;
  const std::uint64_t base = (in_.position() + static_cast<std::uint64_t>(alignment) - 1) / static_cast<std::uint64_t>(alignment) * static_cast<std::uint64_t>(alignment);
  for (std::size_t i = 0; i < where.size(); ++i) {
    if (base > in_.size() || where[i].offset > in_.size() - base || where[i].bytes > in_.size() - base - where[i].offset)
      throw Error(in_.part(), "data of " + all[i].name, "offset " + std::to_string(where[i].offset) + " with " + std::to_string(where[i].bytes) + " bytes",
                  "inside the file (" + std::to_string(in_.size()) + " bytes)");
    const auto part = file_.subspan(static_cast<std::size_t>(base + where[i].offset), static_cast<std::size_t>(where[i].bytes));
    all[i].data = keep_ ? ir::Bytes(part, keep_) : ir::Bytes(part.begin(), part.end());
  }
  return all;
}

double GgufFile::real(const std::string& key) const {
  const auto it = meta_.find(key);
  const auto* x = it == meta_.end() ? nullptr : std::get_if<double>(&it->second);
  if (!x) throw Error(in_.part(), "metadata " + key, it == meta_.end() ? "nothing" : "no number", "a number");
  return *x;
}
int GgufFile::integer(const std::string& key, int least, int most) const {
  const double x = real(key);
  if (!(x >= least && x <= most)) throw Error(in_.part(), "metadata " + key, std::to_string(x), std::to_string(least) + " to " + std::to_string(most));
  return static_cast<int>(x);
}

}  // namespace jogak::import
