// Writes GGUF files in memory, right ones and wrong ones, for tests.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "llama.hpp"

namespace jogak::import {

class GgufWriter {
 public:
  std::uint32_t version = 3;

  void text(const std::string& key, const std::string& value) {
    entry(key, 8);
    string(meta_, value);
  }
  void u32(const std::string& key, std::uint32_t value) {
    entry(key, 4);
    put(meta_, value);
  }
  void texts(const std::string& key, const std::vector<std::string>& values) {
    entry(key, 9);
    put(meta_, std::uint32_t{8});
    put(meta_, static_cast<std::uint64_t>(values.size()));
    for (const std::string& s : values) string(meta_, s);
  }
  void f32(const std::string& key, float value) {
    entry(key, 6);
    put(meta_, value);
  }
  // Shape outermost first, as everywhere in the compiler; the file has it the other way round.
  void tensor(const std::string& name, std::vector<std::uint64_t> shape, std::uint32_t type, const std::vector<std::byte>& data) {
    info(name, shape, type, data_.size());
    data_.insert(data_.end(), data.begin(), data.end());
    data_.resize((data_.size() + 31) / 32 * 32);
  }
  // A tensor of `bytes` zeros, which file() leaves out: the caller makes the file as long as whole_bytes(). Not beside tensor().
  void hole(const std::string& name, std::vector<std::uint64_t> shape, std::uint32_t type, std::uint64_t bytes) {
    info(name, shape, type, holes_);
    holes_ += (bytes + 31) / 32 * 32;
  }
  std::uint64_t whole_bytes() const { return file().size() + holes_; }
  std::vector<std::byte> file() const {
    std::vector<std::byte> out;
    put(out, std::uint32_t(0x46554747));
    put(out, version);
    put(out, tensors_);
    put(out, pairs_);
    out.insert(out.end(), meta_.begin(), meta_.end());
    out.insert(out.end(), infos_.begin(), infos_.end());
    out.resize((out.size() + 31) / 32 * 32);
    out.insert(out.end(), data_.begin(), data_.end());
    return out;
  }

 private:
  template <class T>
  static void put(std::vector<std::byte>& to, T value) {
    const std::size_t at = to.size();
    to.resize(at + sizeof value);
    std::memcpy(&to[at], &value, sizeof value);
  }
  static void string(std::vector<std::byte>& to, const std::string& s) {
    put(to, static_cast<std::uint64_t>(s.size()));
    for (const char c : s) to.push_back(static_cast<std::byte>(c));
  }
  void info(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type, std::uint64_t at) {
    string(infos_, name);
    put(infos_, static_cast<std::uint32_t>(shape.size()));
    for (std::size_t i = shape.size(); i-- > 0;) put(infos_, shape[i]);
    put(infos_, type);
    put(infos_, at);
    ++tensors_;
  }
  void entry(const std::string& key, std::uint32_t type) {
    string(meta_, key);
    put(meta_, type);
    ++pairs_;
  }

  std::vector<std::byte> meta_, infos_, data_;
  std::uint64_t tensors_ = 0, pairs_ = 0, holes_ = 0;
};

// Metadata of a Llama model.
inline void write_hyper(GgufWriter& w, const LlamaHyper& h) {
  w.text("general.architecture", "llama");
  w.u32("llama.block_count", static_cast<std::uint32_t>(h.layers));
  w.u32("llama.embedding_length", static_cast<std::uint32_t>(h.width));
  w.u32("llama.attention.head_count", static_cast<std::uint32_t>(h.heads));
  w.u32("llama.attention.head_count_kv", static_cast<std::uint32_t>(h.kv_heads));
  w.u32("llama.feed_forward_length", static_cast<std::uint32_t>(h.ffn));
  w.u32("llama.context_length", static_cast<std::uint32_t>(h.context));
  w.f32("llama.attention.layer_norm_rms_epsilon", h.eps);
}

}  // namespace jogak::import
