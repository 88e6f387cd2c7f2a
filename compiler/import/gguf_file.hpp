// A GGUF file (versions 2 and 3) as a container: metadata and tensors, every claim checked. Format: ggml's docs/gguf.md.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "../ir/graph.hpp"
#include "reader.hpp"

namespace jogak::import {

class GgufFile {
 public:
  using Texts = std::vector<std::string>;
  using Numbers = std::vector<double>;

  // Reads the metadata. With `keep`, which keeps `file` where it is, tensors are parts of it; otherwise they are copied.
  GgufFile(std::span<const std::byte> file, const std::string& name, std::shared_ptr<const void> keep);

  const std::string& part() const { return in_.part(); }  // of messages
  // general.architecture; empty: none.
  std::string architecture() const;
  bool has(const std::string& key) const { return meta_.contains(key); }
  // Throw jogak::Error naming the key where it is missing or out of range.
  double real(const std::string& key) const;
  int integer(const std::string& key, int least, int most) const;
  // A std::string, Texts or Numbers; null where the key is missing or of another type.
  template <class T>
  const T* list(const std::string& key) const {
    const auto it = meta_.find(key);
    return it == meta_.end() ? nullptr : std::get_if<T>(&it->second);
  }
  // All tensors, in the file's order. Call once.
  std::vector<ir::Tensor> tensors();

 private:
  using Value = std::variant<double, std::string, Texts, Numbers>;
  enum class Kind : std::uint32_t;

  void header();
  double number(Kind kind);
  Value value(Kind kind);

  Reader in_;
  std::span<const std::byte> file_;
  std::shared_ptr<const void> keep_;
  std::uint64_t tensor_count_ = 0, pair_count_ = 0;
  std::map<std::string, Value> meta_;
};

}  // namespace jogak::import
