#include "program.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "builder.hpp"

using namespace jogak;

namespace {

Program sample() {
  ProgramBuilder b;
  b.li(1, 3);
  b.loop(1, [&] { b.vec({.wr = true, .dst = 2, .a = 3, .rows = 4, .cols = 5}); });
  b.halt();
  Program p = make_program(*spec::find_config("nano"));
  p.code = b.take();
  p.window_bytes = {4096, 256};
  p.segments = {{0, 64, {1, 2, 3, 4, 5}}, {1, 0, {}}};
  p.symbols = {{"tokens", 1, 0, 16, "i32", {4}}, {"scalar", 0, 4095, 1, "i8", {}}};
  p.abi = "{\"tokens\": 1}";
  p.map = {{0, 1, "norm", {0, 1, 4}}, {2, 3, "end", {}}};
  p.weight_loads = {{0, 2, "norm"}, {kNoLayer, 1, "end"}};
  return p;
}

std::string refusal(const std::vector<std::uint8_t>& bytes) {
  try {
    from_bytes(bytes);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string refusal(const Program& p) {
  try {
    verify(p);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a program survives its bytes") {
  const Program p = sample();
  const Program q = from_bytes(to_bytes(p));
  CHECK(q == p);
  CHECK(q.find("tokens")->window == 1);
  CHECK(q.find("token") == nullptr);
  CHECK(q.at(1)->op == "norm");
  CHECK(q.at(4) == nullptr);
}

TEST_CASE("segments that are made piece by piece, and read where they lie, have the same bytes") {
  class Counting : public SegmentSource {
   public:
    std::uint64_t size() const override { return 4001; }
    void pieces(const Take& take) const override {
      std::vector<std::uint8_t> all(4001);
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i * 7);
      for (std::size_t at = 0, size = 1; at < all.size(); at += size, size = std::min(size + 2, all.size() - at)) take(std::span(all).subspan(at, size));
    }
  };
  Program made = sample(), whole = sample();
  made.segments.push_back({0, 3, {}, std::make_shared<Counting>()});
  whole.segments.push_back({0, 3, made.segments.back().all(), nullptr});
  CHECK(to_bytes(made) == to_bytes(whole));
  CHECK(file_bytes(made) == to_bytes(whole).size());
  CHECK(made == whole);
  const auto path = std::filesystem::temp_directory_path() / ("jogak_made_" + std::to_string(getpid()) + ".jgk");
  write_program(made, path);
  const Program back = read_program(path);
  CHECK(back == whole);
  CHECK(back.segments.back().bytes.empty());
  CHECK(to_bytes(back) == to_bytes(whole));
  std::filesystem::remove(path);
  whole.segments.back().bytes[5] ^= 1;
  CHECK_FALSE(back == whole);
  class Short : public Counting {
    std::uint64_t size() const override { return 4002; }
  };
  made.segments.back().source = std::make_shared<Short>();
  CHECK_THROWS_WITH_AS(to_bytes(made), doctest::Contains("bytes of a segment, found 4001, expected 4002"), Error);
}

TEST_CASE("launches: parts of the code that fit the instruction memory one by one") {
  Program p = sample();
  p.code.resize(8, p.code.back());
  p.launches = {{0, 4}, {4, 2}};
  CHECK(from_bytes(to_bytes(p)) == p);
  p.launches = {{2, 4}};
  CHECK(refusal(p) == "program: first instruction of a launch, found 2, expected a multiple of 4");
  p.launches = {{4, 5}};
  CHECK(refusal(p) == "program: launch, found 4 + 5, expected a part of 8 instructions");
  p.code.resize(2049, p.code.back());
  p.launches = {{0, 2049}};
  CHECK(refusal(p) == "program: instructions of a launch, found 2049, expected at most 2048");
  p.launches.clear();
  CHECK(refusal(p) == "program: instructions, found 2049, expected at most 2048");
}

TEST_CASE("a file that was cut anywhere is refused") {
  const auto bytes = to_bytes(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    CAPTURE(n);
    CHECK(refusal({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)}).starts_with("program: "));
  }
  auto longer = bytes;
  longer.resize(longer.size() + 16);
  CHECK(refusal(longer).starts_with("program: file size"));
}

TEST_CASE("a file with any bit flipped is refused") {
  auto bytes = to_bytes(sample());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    CAPTURE(bit);
    CHECK(refusal(bytes).starts_with("program: "));
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  CHECK(refusal(bytes).empty());
}

// The checksum hides what lies behind it; these files carry a right one.
TEST_CASE("lengths are checked before anything is allocated") {
  const auto good = to_bytes(sample());
  int refused = 0;
  for (std::size_t at = 48; at + 4 <= good.size(); at += 4) {
    auto bytes = good;
    std::memset(&bytes[at], 0xFF, 4);
    const std::string first = refusal(bytes);
    REQUIRE(first.find("checksum, found ") != std::string::npos);
    const std::uint64_t sum = std::stoull(first.substr(first.find("expected ") + 9));
    std::memcpy(&bytes[32], &sum, 8);
    const std::string then = refusal(bytes);
    if (then.empty()) continue;  // payload: code, data, text
    CHECK(then.starts_with("program: "));
    CHECK(then.find("checksum") == std::string::npos);
    ++refused;
  }
  CHECK(refused > 40);
}

TEST_CASE("another machine's program is refused in one sentence") {
  Program p = sample();
  p.isa_hash ^= 1;
  CHECK(refusal(p).starts_with("program: instruction set, found 0x"));
  p = sample();
  p.config_hash ^= 1;
  CHECK(refusal(p).starts_with("program: configuration nano, found 0x"));
  p = sample();
  p.config = "nona";
  CHECK(refusal(p).starts_with("program: configuration, found \"nona\", expected one of "));
  CHECK_THROWS_WITH_AS(require_config(sample(), *spec::find_config("edge")),
                       doctest::Contains("program: machine, found edge (0x"), Error);
  CHECK_NOTHROW(require_config(sample(), *spec::find_config("nano")));
}

TEST_CASE("what lies outside its window or its code is refused") {
  const auto changed = [](auto&& change) {
    Program p = sample();
    change(p);
    return refusal(p);
  };
  CHECK(changed([](Program& p) { p.segments[0].offset = 4092; }) ==
        "program: a segment's size, found 5, expected at most 4");
  CHECK(changed([](Program& p) { p.segments[0].offset = ~0ull; }).starts_with("program: a segment's offset"));
  CHECK(changed([](Program& p) { p.segments[0].window = 8; }).starts_with("program: a segment's window"));
  CHECK(changed([](Program& p) { p.symbols[1].bytes = 2; }).starts_with("program: symbol scalar's size"));
  CHECK(changed([](Program& p) { p.window_bytes[3] = 1ull << 32; }).starts_with("program: window size"));
  CHECK(changed([](Program& p) { p.map[1].last = 4; }).starts_with("program: map entry"));
  CHECK(changed([](Program& p) { p.map[1].first = 4; }).starts_with("program: map entry"));
  CHECK(changed([](Program& p) { p.code.resize(5000); }).starts_with("program: instructions"));
  CHECK(changed([](Program&) {}).empty());
}

TEST_CASE("files are written whole or not at all") {
  const auto folder = std::filesystem::temp_directory_path() / "jogak_program_test";
  std::filesystem::create_directories(folder);
  const auto path = folder / "a.jgk";
  write_program(sample(), path);
  CHECK(read_program(path) == sample());
  Program bad = sample();
  bad.config_hash = 0;
  CHECK_THROWS_AS(write_program(bad, path), Error);
  CHECK(read_program(path) == sample());
  CHECK_THROWS_AS(write_program(sample(), folder / "missing" / "a.jgk"), Error);
  CHECK_THROWS_WITH_AS(read_program(folder / "b.jgk"), doctest::Contains("program: file "), Error);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++files;
  CHECK(files == 1);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a package's program says how many dies, and what is whose") {
  Program p = sample();
  p.config = "nanoquad", p.config_hash = spec::find_config("nanoquad")->hash;
  CHECK(to_bytes(p).size() == to_bytes(sample()).size());  // one die: as ever
  const auto bytes_of_one = to_bytes(p);
  p.mesh = {2, 1};
  p.segments[1].die = 1;
  CHECK(from_bytes(to_bytes(p)) == p);
  CHECK(from_bytes(bytes_of_one).mesh == Mesh{});
  CHECK_NOTHROW(require_dies(p, 2));
  const auto message = [](const Program& program, std::uint32_t dies) -> std::string {
    try {
      require_dies(program, dies);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  CHECK(message(p, 1) == "program: machine, found one die, expected a package of 2 dies, for which it was compiled");
  CHECK(message(p, 4) == "program: machine, found a package of 4 dies, expected a package of 2 dies, for which it was compiled");
  CHECK(message(sample(), 2) == "program: machine, found a package of 2 dies, expected one die, for which it was compiled");
  const auto changed = [&](auto&& change) {
    Program q = p;
    change(q);
    return refusal(q);
  };
  CHECK(changed([](Program& q) { q.segments[0].die = 2; }) == "program: a segment's die, found 2, expected at most 1");
  CHECK(changed([](Program& q) { q.mesh = {4, 2}; }) == "program: mesh, found 4 x 2 dies, expected 1 to 4 dies of nanoquad");
  CHECK(changed([](Program& q) { q.mesh = {0, 2}; }).starts_with("program: mesh"));
  CHECK(changed([](Program& q) { q.window_bytes[4] = 64; }).starts_with("program: bytes of window 4, which shows another die"));
  Program single = sample();
  single.mesh = {2, 1};
  CHECK(refusal(single) == "program: mesh, found 2 x 1 dies, expected 1 to 1 dies of nano");
}

TEST_CASE("a package's file with any bit flipped is refused") {
  Program p = sample();
  p.config = "nanoquad", p.config_hash = spec::find_config("nanoquad")->hash, p.mesh = {2, 2};
  auto bytes = to_bytes(p);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    CAPTURE(bit);
    CHECK(refusal(bytes).starts_with("program: "));
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
}
