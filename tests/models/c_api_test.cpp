// The C interface on a small model.
#include <cstring>
#include <filesystem>

#include "import/synthetic.hpp"
#include "npu_regs.h"
#include "runtime/jogak.h"
#include "shared.hpp"

using namespace jogak;

namespace {

struct File {
  std::filesystem::path path = std::filesystem::temp_directory_path() / "jogak_c_api_test.jgk";
  File() {
    const import::LlamaHyper small{.layers = 1, .width = 32, .heads = 2, .kv_heads = 1, .ffn = 64, .context = 32, .vocab = 40};
    write_program(compile(import::synthetic_llama(small, 2), {.config = "nano"}).program, path);
  }
  ~File() { std::filesystem::remove(path); }
};

int count_tokens(void* user, int32_t id, const char* text) {
  CHECK((id >= 0 && id < 40));
  CHECK(std::strlen(text) <= 1);
  return ++*static_cast<int*>(user) < 5;
}

}  // namespace

TEST_CASE("C: open, encode, feed, generate, counters, refusals") {
  const File file;
  char error[100] = "x";
  CHECK(jogak_open("/nonexistent.jgk", "model", error, sizeof error) == nullptr);
  CHECK(std::strlen(error) > 10);
  CHECK(jogak_open(file.path.c_str(), "abacus", error, 8) == nullptr);
  CHECK(std::strlen(error) == 7);
  CHECK(jogak_open(nullptr, nullptr, nullptr, 0) == nullptr);

  jogak_session* s = jogak_open(file.path.c_str(), "model", error, sizeof error);
  REQUIRE(s != nullptr);
  CHECK(jogak_vocab(s) == 40);
  CHECK(jogak_context(s) == 32);
  int32_t ids[4] = {};
  size_t count = 0;
  CHECK(jogak_encode(s, "abcdef", ids, 4, &count) == 0);
  CHECK(count > 4);
  CHECK(ids[0] == 1);
  std::vector<float> one(40), two(40);
  CHECK(jogak_feed(s, ids, 4, one.data()) == 0);
  CHECK(jogak_position(s) == 4);
  CHECK(jogak_counter(s, JOGAK_COUNTER_MACS) > 0);
  CHECK(jogak_reset(s) == 0);
  for (int i = 0; i < 4; ++i) CHECK(jogak_feed(s, ids + i, 1, two.data()) == 0);
  CHECK(one == two);

  CHECK(jogak_feed(s, nullptr, 1, nullptr) == -1);
  CHECK(std::string(jogak_error(s)).find("ids, found NULL") != std::string::npos);
  const int32_t wrong = 40;
  CHECK(jogak_feed(s, &wrong, 1, nullptr) == -1);
  CHECK(std::string(jogak_error(s)) == "session: token, found 40, expected 0 to 39");
  CHECK(jogak_feed(nullptr, &wrong, 1, nullptr) == -1);

  int tokens = 0;
  const jogak_options options{0, 1.0f, 0.9f, 7};
  CHECK(jogak_reset(s) == 0);
  CHECK(jogak_generate(s, "abc", &options, count_tokens, &tokens) == 0);
  CHECK(tokens <= 5);
  CHECK(std::string(jogak_error(s)).empty());
  jogak_close(s);
}
