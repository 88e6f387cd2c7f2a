// Weights that stay in a mapped file and are packed from there, against weights in memory.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "compile.hpp"
#include "import/gguf.hpp"
#include "import/gguf_writer.hpp"
#include "import/synthetic.hpp"

using namespace jogak;
using namespace jogak::import;

namespace {

struct Type {
  const char* name;
  std::uint32_t code;
  std::size_t bytes;  // of 32 values
};

// Random codes with finite scales.
std::vector<std::byte> blocks(const Type& type, std::size_t count, std::mt19937& random) {
  std::vector<std::byte> data(count * type.bytes);
  for (auto& b : data) b = static_cast<std::byte>(random());
  for (std::size_t b = 0; b < count; ++b) {
    data[b * type.bytes] = static_cast<std::byte>(type.code == 39 ? 120 + random() % 8 : random() % 256);
    if (type.code != 39) data[b * type.bytes + 1] = std::byte{0x2c};
  }
  return data;
}

}  // namespace

TEST_CASE("a mapped model file gives the program that the same file in memory gives, for every format that carries over") {
  const LlamaHyper h{.layers = 2, .width = 96, .heads = 3, .kv_heads = 3, .ffn = 224, .context = 64, .vocab = 130};
  const auto path = std::filesystem::temp_directory_path() / ("jogak_pack_" + std::to_string(getpid()) + ".gguf");
  std::mt19937 random(5);
  for (const Type& type : {Type{"Q8_0", 8, 34}, Type{"Q4_0", 2, 18}, Type{"Q5_0", 6, 22}, Type{"IQ4_NL", 20, 18}, Type{"MXFP4", 39, 17}, Type{"F32", 0, 128}}) {
    CAPTURE(type.name);
    GgufWriter w;
    write_hyper(w, h);
    for (const ir::Tensor& t : synthetic_llama(h, 3).tensors) {
      const bool quantised = type.code != 0 && t.shape.size() == 2;
      w.tensor(t.name, {t.shape.begin(), t.shape.end()}, quantised ? type.code : 0,
               quantised ? blocks(type, static_cast<std::size_t>(t.shape[0] * t.shape[1] / 32), random) : std::vector<std::byte>(t.data));
    }
    const auto file = w.file();
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
    for (const char* config : {"nano", "edge"}) {
      CAPTURE(config);
      const Program mapped = compile(read_model(path), {.config = config}).program, copied = compile(read_gguf(file, "copied"), {.config = config}).program;
      REQUIRE(mapped.segments.size() == copied.segments.size());
      CHECK(mapped.segments[0].all() == copied.segments[0].all());
    }
  }
  std::filesystem::remove(path);
}

TEST_CASE("bytes of a tensor: shared until one is changed") {
  ir::Bytes a(std::vector<std::byte>(4, std::byte{1}));
  ir::Bytes b = a, c = a.part(1, 2);
  b[0] = std::byte{9};
  CHECK(a[0] == std::byte{1});
  CHECK(std::as_const(b)[0] == std::byte{9});
  a = {};
  CHECK(c.size() == 2);
  CHECK(std::as_const(c)[1] == std::byte{1});
  const auto keep = std::make_shared<std::vector<std::byte>>(3, std::byte{7});
  ir::Bytes view(std::span<const std::byte>(*keep), keep);
  CHECK_FALSE(view.own());
  ir::Bytes changed = view;
  changed[2] = std::byte{8};
  CHECK((*keep)[2] == std::byte{7});
  CHECK(changed.own());
}
