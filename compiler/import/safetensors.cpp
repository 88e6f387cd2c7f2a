#include "safetensors.hpp"

#include <map>
#include <set>

#include "json_file.hpp"

namespace jogak::import {
namespace {

namespace fs = std::filesystem;
using ir::DType;

// One file: eight bytes with the header's length, a JSON header, the values.
class Shard {
 public:
  explicit Shard(const fs::path& path) : part_(path.filename().string()), in_(path, std::ios::binary | std::ios::ate) {
    if (!in_) throw Error("model", "file " + path.string(), "nothing that can be opened", "a safetensors file");
    const auto size = static_cast<std::uint64_t>(in_.tellg());
    std::uint64_t length = 0;
    if (size >= 8) read(0, reinterpret_cast<char*>(&length), 8);
    if (size < 8 || length > size - 8)
      throw Error(part_, "header", std::to_string(length) + " bytes", "what a file of " + std::to_string(size) + " bytes holds");
    std::string text(static_cast<std::size_t>(length), ' ');
    read(8, text.data(), text.size());
    header_ = parse_json(part_, text);
    header_.erase("__metadata__");
    base_ = 8 + length;
    bytes_ = size - base_;
  }

  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& [name, entry] : header_.items()) all.insert(name);
    return all;
  }

  ir::Tensor tensor(const std::string& name) {
    const auto it = header_.find(name);
    if (it == header_.end()) throw Error(part_, "tensor " + name, "nothing", "the tensor that the index says is here");
    ir::Tensor t{.name = name, .shape = {}, .dtype = type(name, *it), .data = {}};
    const std::uint64_t each = t.dtype == DType::f32 ? 4 : t.dtype == DType::u8 ? 1 : 2;
    std::uint64_t count = 1;
    for (const auto d : list(name, *it, "shape")) {
      if (d == 0 || d > bytes_ / each / count) throw Error(part_, "shape of " + name, it->at("shape").dump(), "what a file of this size can hold");
      count *= d;
      t.shape.push_back(static_cast<std::int64_t>(d));
    }
    const auto range = list(name, *it, "data_offsets");
    if (range.size() != 2 || range[1] > bytes_ || range[0] > range[1] || range[1] - range[0] != count * each)
      throw Error(part_, "data of " + name, "offsets " + (*it)["data_offsets"].dump(),
                  std::to_string(count * each) + " bytes inside the file (" + std::to_string(bytes_) + " bytes of values)");
    if (t.shape.empty()) t.shape = {1};  // a scalar
    t.data.resize(static_cast<std::size_t>(count * each));
    read(base_ + range[0], reinterpret_cast<char*>(t.data.data()), t.data.size());
    return t;
  }

 private:
  DType type(const std::string& name, const Json& entry) const {
    const std::string text = entry.is_object() ? need_key<std::string>(part_, entry, "dtype") : "none";
    if (text == "F32") return DType::f32;
    if (text == "F16") return DType::f16;
    if (text == "BF16") return DType::bf16;
    if (text == "U8") return DType::u8;
    throw Error(part_, "type of tensor " + name, text, "F32, F16, BF16, or U8 for blocks of MXFP4");
  }
  std::vector<std::uint64_t> list(const std::string& name, const Json& entry, const char* key) const {
    const auto it = entry.find(key);
    const bool good = it != entry.end() && it->is_array() && std::all_of(it->begin(), it->end(), [](const Json& x) { return x.is_number_unsigned(); });
    if (!good) throw Error(part_, std::string(key) + " of " + name, it == entry.end() ? "nothing" : it->dump().substr(0, 80), "a list of sizes");
    return it->get<std::vector<std::uint64_t>>();
  }
  void read(std::uint64_t at, char* to, std::size_t count) {
    in_.seekg(static_cast<std::streamoff>(at));
    if (!in_.read(to, static_cast<std::streamsize>(count))) throw Error(part_, "byte " + std::to_string(at), "a read error", std::to_string(count) + " bytes");
  }

  std::string part_;
  std::ifstream in_;
  Json header_;
  std::uint64_t base_ = 0, bytes_ = 0;
};

// A file of the folder itself, and no way out of it.
void check_name(const std::string& index, const std::string& file) {
  const fs::path path(file);
  if (file.empty() || file.find('\\') != std::string::npos || path != path.filename() || file == ".." || file == ".")
    throw Error(index, "file of a shard", file, "the name of a file in the model's folder");
}

}  // namespace

std::vector<ir::Tensor> read_safetensors(const fs::path& folder) {
  const std::string name = "model.safetensors.index.json";
  std::map<std::string, std::set<std::string>> shards;  // file -> tensors
  if (fs::exists(folder / "model.safetensors")) {
    shards["model.safetensors"] = Shard(folder / "model.safetensors").names();
  } else {
    if (!fs::exists(folder / name)) throw Error("model", "weights in " + folder.string(), "nothing", "model.safetensors or " + name);
    const Json index = read_json_file(folder / name);
    for (const auto& [tensor, file] : need_key<std::map<std::string, std::string>>(name, index, "weight_map")) {
      check_name(name, file);
      shards[file].insert(tensor);
    }
  }
  std::vector<ir::Tensor> all;
  for (const auto& [file, tensors] : shards) {
    Shard shard(folder / file);
    for (const std::string& tensor : tensors) all.push_back(shard.tensor(tensor));
  }
  return all;
}

std::vector<ir::Tensor> read_safetensors_file(const fs::path& file) {
  Shard shard(file);
  std::vector<ir::Tensor> all;
  for (const std::string& tensor : shard.names()) all.push_back(shard.tensor(tensor));
  return all;
}

}  // namespace jogak::import
