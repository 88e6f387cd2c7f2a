#include <algorithm>
#include <fstream>

#include "gguf.hpp"
#include "hf.hpp"
#include "llama.hpp"
#include "mapped_file.hpp"
#include "reader.hpp"

namespace jogak::import {
namespace {

// Tensors in file order: name, with {} for the layer, and shape; one per layer stacked.
struct Entry {
  const char* name;
  std::vector<std::int64_t> shape;
  bool stacked;
};

void tensor(ir::Graph& graph, Reader& in, const std::string& name, const std::vector<std::int64_t>& shape) {
  std::uint64_t count = 1;
  for (const auto d : shape) count *= static_cast<std::uint64_t>(d);
  const auto part = in.bytes(count * 4, name.c_str());
  graph.tensors.push_back({name, shape, ir::DType::f32, std::vector<std::byte>(part.begin(), part.end())});
}

// 4-byte longest token; per token: fp32 score, int32 length, bytes. Ids 0, 1, 2 are unknown, BOS, EOS; 3..258 bytes.
void vocabulary(ir::Graph& graph, std::span<const std::byte> file, const std::string& name, int count) {
  Reader in("tokenizer of " + name, file);
  in.get<std::int32_t>("longest token");
  ir::Vocabulary& v = graph.vocabulary;
  v.model = "llama";
  v.unk = 0, v.bos = 1, v.eos = 2;
  for (int i = 0; i < count; ++i) {
    v.scores.push_back(in.get<float>("score"));
    const auto length = in.get<std::int32_t>("token length");
    const auto part = in.bytes(static_cast<std::uint32_t>(length), "token");
    std::string text(reinterpret_cast<const char*>(part.data()), part.size());
    if (i >= 3 && i < 259) {
      static const char* digits = "0123456789ABCDEF";
      const int byte = i - 3;
      text = std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">";
    } else {
      // This file writes spaces plainly, GGUF as U+2581.
      std::string marked;
      for (const char c : text) marked += c == ' ' ? std::string("\xe2\x96\x81") : std::string(1, c);
      text = marked;
    }
    v.tokens.push_back(text);
    v.types.push_back(i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
  }
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) throw Error("model", "file " + path.string(), "nothing that can be opened", "a model file");
  std::vector<std::byte> data(static_cast<std::size_t>(in.tellg()));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
  if (!in) throw Error("model", "file " + path.string(), "a read error", "all of its bytes");
  return data;
}

}  // namespace

ir::Graph read_llama2c(std::span<const std::byte> checkpoint, std::span<const std::byte> tokenizer, const std::string& name) {
  Reader in("llama2.c " + name, checkpoint);
  LlamaHyper h;
  h.width = in.get<std::int32_t>("width");
  h.ffn = in.get<std::int32_t>("feed-forward length");
  h.layers = in.get<std::int32_t>("layers");
  h.heads = in.get<std::int32_t>("heads");
  h.kv_heads = in.get<std::int32_t>("KV heads");
  const auto vocab = in.get<std::int32_t>("vocabulary");
  h.context = in.get<std::int32_t>("context");
  h.vocab = vocab < 0 ? -vocab : vocab;
  for (const int x : {h.width, h.ffn, h.layers, h.heads, h.kv_heads, h.vocab, h.context})
    if (x <= 0 || x > (1 << 24)) throw Error(in.part(), "header", std::to_string(x), "sizes from 1 to 16777216");
  if (h.width % h.heads != 0) throw Error(in.part(), "heads", std::to_string(h.heads), "a divisor of the width " + std::to_string(h.width));
  const std::int64_t d = h.width, kv = d / h.heads * h.kv_heads, f = h.ffn;
  ir::Graph graph;
  graph.architecture = "llama";
  graph.model_name = name;
  const Entry entries[] = {{"token_embd.weight", {h.vocab, d}, false}, {"attn_norm.weight", {d}, true}, {"attn_q.weight", {d, d}, true},
                           {"attn_k.weight", {kv, d}, true},           {"attn_v.weight", {kv, d}, true}, {"attn_output.weight", {d, d}, true},
                           {"ffn_norm.weight", {d}, true},             {"ffn_gate.weight", {f, d}, true}, {"ffn_down.weight", {d, f}, true},
                           {"ffn_up.weight", {f, d}, true},            {"output_norm.weight", {d}, false}};
  for (const Entry& e : entries) {
    if (!e.stacked) tensor(graph, in, e.name, e.shape);
    else
      for (int l = 0; l < h.layers; ++l) tensor(graph, in, "blk." + std::to_string(l) + "." + e.name, e.shape);
  }
  if (vocab < 0) {
    in.bytes(static_cast<std::uint64_t>(h.context) * static_cast<std::uint64_t>(d / h.heads) * 4, "rotary tables");
    tensor(graph, in, "output.weight", {h.vocab, d});
  }
  vocabulary(graph, tokenizer, name, h.vocab);
  build_llama(graph, h);
  return graph;
}

ir::Graph read_model(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return read_hf(path);
  const std::string name = path.filename().string();
  if (path.extension() != ".bin") {
    const auto file = std::make_shared<const MappedFile>("model", path, "a model file");
    return read_gguf(file->bytes(), name, file);
  }
  const auto data = read_file(path);
  std::vector<std::filesystem::path> found;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("tok") && entry.path().extension() == ".bin") found.push_back(entry.path());
  if (found.size() != 1) throw Error("model", "tokenizer beside " + name, std::to_string(found.size()) + " files tok*.bin", "one");
  return read_llama2c(data, read_file(found.front()), name);
}

}  // namespace jogak::import
