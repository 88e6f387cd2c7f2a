// The simulated card without XRT: its messages, what malformed ones do, the files it is described by.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "error.hpp"
#include "session.hpp"
#include "stage.hpp"
#include "xclbin.hpp"

using namespace jogak;
using namespace jogak::xrt_card;
namespace csr = spec::csr;

namespace {

std::unique_ptr<Card> card() { return make_card({.config = "nano", .on = "model", .memory_bytes = 1 << 20}); }

std::vector<u8> call(u32 api, std::vector<u8> body) {
  std::vector<u8> out = Writer().fixed64(1, body.size()).fixed32(2, api).take();
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

std::vector<u8> register_read(u64 offset) { return Writer().number(2, kRegisterBase + offset).number(3, 4).take(); }

// What the card says to a host that sends these bytes and hangs up; "" where serve() threw nothing.
std::string sent(Card& c, Bytes bytes, std::vector<u8>* answers = nullptr) {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  std::string error;
  std::thread host([&] {
    REQUIRE(::send(pair[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    ::shutdown(pair[0], SHUT_WR);
    std::array<u8, 4096> buffer;
    for (ssize_t n; (n = ::read(pair[0], buffer.data(), buffer.size())) > 0;)
      if (answers != nullptr) answers->insert(answers->end(), buffer.begin(), buffer.begin() + n);
  });
  try {
    serve(c, pair[1]);
  } catch (const Error& e) {
    error = e.what();
  }
  ::close(pair[1]);
  host.join();
  ::close(pair[0]);
  return error;
}

}  // namespace

TEST_CASE("xrt card: numbers and bytes come back as they were written") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const u64 a = random() >> (random() % 64), b = random();
    std::vector<u8> text(random() % 300);
    for (u8& t : text) t = static_cast<u8>(random());
    const auto bytes = Writer().number(1, a).fixed64(2, b).fixed32(3, static_cast<u32>(b)).bytes(400, text).take();
    const Message m(bytes);
    CHECK(m.number(1) == a);
    CHECK(m.number(2) == b);
    CHECK(m.number(3) == static_cast<u32>(b));
    CHECK(std::ranges::equal(m.bytes(400), text));
    CHECK_THROWS_AS((void)m.number(5), Error);
    CHECK_THROWS_AS((void)m.bytes(1), Error);
  }
  CHECK(call(11, {}).size() == kCallHead);
  CHECK(Writer().fixed64(1, 0).take().size() == kAnswerHead);
}

TEST_CASE("xrt card: calls are answered") {
  const auto c = card();
  const std::vector<u8> data = {1, 2, 3, 4, 5};
  (void)answer(*c, 6, Writer().bytes(2, {}).number(3, kMemoryBase + 64).bytes(4, data).number(5, 5).number(6, 3).take());
  const Answer back = answer(*c, 7, Writer().number(4, kMemoryBase + 67).number(5, 5).number(6, 0).take());
  CHECK(std::ranges::equal(Message(back.body).bytes(2), data));
  CHECK(Message(back.body).number(1) == 5);
  const Answer id = answer(*c, 11, register_read(csr::id));
  CHECK(std::memcmp(Message(id.body).bytes(2).data(), "JOGK", 4) == 0);
  CHECK(answer(*c, 1, {}).last);
}

TEST_CASE("xrt card: what is outside of the card, or no call of it, is refused") {
  const auto c = card();
  const auto refused = [&](u32 api, std::vector<u8> body, const char* words) {
    try {
      (void)answer(*c, api, body);
      FAIL("answered");
    } catch (const Error& e) {
      CHECK_MESSAGE(std::string(e.what()).find(words) != std::string::npos, e.what());
    }
  };
  const u64 end = kMemoryBase + (1 << 20);
  refused(7, Writer().number(4, end - 4).number(5, 5).number(6, 0).take(), "inside the bank");
  refused(7, Writer().number(4, kMemoryBase).number(5, ~u64(0)).number(6, 0).take(), "inside the bank");
  refused(7, Writer().number(4, ~u64(0)).number(5, 1).number(6, 0).take(), "inside the bank");
  refused(6, Writer().number(3, kMemoryBase).bytes(4, std::vector<u8>(3)).number(5, 4).number(6, 0).take(), "3 bytes of data");
  refused(11, register_read(2), "words inside");
  refused(11, register_read(4096), "words inside");
  refused(11, Writer().number(2, kRegisterBase).number(3, ~u64(3)).take(), "words inside");
  refused(99, {}, "number 99");
}

TEST_CASE("xrt card: malformed streams end the session with a sentence, and the next host is served") {
  const auto c = card();
  const std::vector<u8> good = call(11, register_read(csr::id));
  std::vector<u8> answers;
  CHECK(sent(*c, good, &answers) == "");
  const std::size_t whole = answers.size();
  for (std::size_t cut = 1; cut < good.size(); ++cut) CHECK(sent(*c, Bytes(good).first(cut)) != "");
  CHECK(sent(*c, Writer().fixed64(1, ~u64(0)).fixed32(2, 6).take()).find("at most") != std::string::npos);
  std::mt19937 random(7);
  int refusals = 0;
  for (int i = 0; i < 1500; ++i) {
    std::vector<u8> bytes = good;
    if (i % 3 == 0) bytes.resize(1 + random() % 64);
    // Noise everywhere, or a few disturbed bytes: of the second kind some are calls again.
    const std::size_t changes = i % 3 == 0 ? bytes.size() : 1 + random() % 4;
    for (std::size_t k = 0; k < changes; ++k) bytes[i % 3 == 0 ? k : random() % bytes.size()] = static_cast<u8>(random());
    refusals += sent(*c, bytes) != "";
  }
  CHECK(refusals > 500);
  answers.clear();
  CHECK(sent(*c, good, &answers) == "");
  CHECK(answers.size() == whole);
}

TEST_CASE("xrt card: random bodies of every call neither crash nor reach outside") {
  const auto c = card();
  std::mt19937 random(11);
  const auto value = [&] {
    const u64 some[] = {0, 4, 64, kMemoryBase, kMemoryBase + (1 << 20) - 2, kRegisterBase, kRegisterBase + 0xffc, ~u64(0), u64(random())};
    return some[random() % std::size(some)];
  };
  int answered = 0, refused = 0;
  for (int i = 0; i < 20000; ++i) {
    Writer w;
    for (u32 field = 1; field < 8; ++field) {
      if (random() % 4 == 0) continue;
      if (random() % 3 == 0) w.bytes(field, std::vector<u8>(random() % 16, static_cast<u8>(random())));
      else w.number(field, value());
    }
    std::vector<u8> body = w.take();
    if (random() % 4 == 0) body.resize(body.size() - random() % (body.size() + 1));
    try {
      (void)answer(*c, random() % 60, body);
      ++answered;
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(answered > 1000);
  CHECK(refused > 1000);
}

TEST_CASE("xrt card: unknown configurations and simulators are refused by name") {
  for (const CardOptions& o : {CardOptions{.config = "huge"}, CardOptions{.on = "abacus"}}) {
    try {
      (void)make_card(o);
      FAIL("made");
    } catch (const Error& e) {
      CHECK(std::string(e.what()).find(o.config == "huge" ? "huge" : "abacus") != std::string::npos);
    }
  }
}

namespace {

// A folder with XRT's emulation library, as far as its name goes.
struct Root {
  explicit Root(const std::string& name, const char* folder = "lib") : path("/tmp/jogak-xrt-root-" + std::to_string(::getpid()) + name) {
    std::filesystem::create_directories(path / folder);
    std::ofstream(path / folder / "libxrt_hwemu.so.2") << "";
  }
  ~Root() { std::filesystem::remove_all(path); }
  const std::filesystem::path path;
};

void set(const char* name, const std::string& value) { value.empty() ? ::unsetenv(name) : ::setenv(name, value.c_str(), 1); }

// A socket on which a process of this user listens.
int connected_to(uid_t user, pid_t& child) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/tmp/jogak-xrt-peer-%d", ::getpid());
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  child = ::fork();
  if (child == 0) {
    if (::geteuid() != user && ::setuid(user) != 0) ::_exit(1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 1) != 0) ::_exit(1);
    (void)!::write(ready[1], "x", 1);
    ::close(::accept(fd, nullptr, nullptr));
    ::_exit(0);
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]), ::close(ready[1]);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::unlink(address.sun_path);
  return fd;
}

}  // namespace

TEST_CASE("xrt card: emulation's libraries are looked for in XRT_ROOT, then XILINX_XRT, then where packages put them") {
  const Root first("first"), second("second", "lib64");
  const auto found = [](const std::string& root, const std::string& xilinx) {
    set("XRT_ROOT", root), set("XILINX_XRT", xilinx);
    const auto path = find_libraries();
    set("XRT_ROOT", ""), set("XILINX_XRT", "");
    return path;
  };
  CHECK(found(first.path, second.path) == first.path / "lib");
  CHECK(found(second.path, first.path) == second.path / "lib64");
  CHECK(found("", second.path) == second.path / "lib64");
  CHECK(found("/nowhere", first.path) == first.path / "lib");
  const auto packaged = found("", "");
  CHECK((packaged.empty() || packaged.string().rfind("/opt/xilinx/xrt", 0) == 0 || packaged.string().rfind("/usr", 0) == 0));
}

TEST_CASE("xrt card: the stage is a folder of the user's alone, and nothing of it stays") {
  const Root root("stage");
  const ::mode_t mask = ::umask(0);
  std::filesystem::path folder;
  {
    const Stage stage({.card = {.config = "nano"}, .cards = 2, .libraries = root.path / "lib"});
    folder = stage.folder();
    struct ::stat s {};
    REQUIRE(::lstat(folder.c_str(), &s) == 0);
    CHECK(S_ISDIR(s.st_mode));
    CHECK((s.st_mode & 07777) == 0700);
    CHECK(s.st_uid == ::geteuid());
    // Where XRT puts its socket.
    CHECK("/tmp/" + stage.environment().at("USER") == folder.string());
    CHECK(stage.environment().at("JOGAK_XRT_CARDS") == "2");
    CHECK(std::filesystem::is_symlink(folder / "root/lib/libxrt_hwemu.so.2"));
    // Whoever makes folders of such names cannot have made the next.
    CHECK(Stage({.card = {}, .libraries = root.path / "lib"}).folder() != folder);
  }
  ::umask(mask);
  CHECK_FALSE(std::filesystem::exists(folder));
  CHECK(std::filesystem::exists(root.path / "lib/libxrt_hwemu.so.2"));  // links went, not what they lead to
}

TEST_CASE("xrt card: a host of another user is refused") {
  pid_t child = 0;
  const int own = connected_to(::geteuid(), child);
  CHECK_NOTHROW(check_host(own));
  ::close(own), ::waitpid(child, nullptr, 0);
  if (::geteuid() != 0) {
    MESSAGE("another user's process: only root can start one");
    return;
  }
  const int foreign = connected_to(65534, child);
  CHECK_THROWS_WITH(check_host(foreign), doctest::Contains("host on the socket, found user 65534, expected user 0"));
  ::close(foreign), ::waitpid(child, nullptr, 0);
}

TEST_CASE("xrt card: the container's sections lie inside of it") {
  const std::vector<u8> file = xclbin({.config = "nano"}, "/bin/it's");
  const auto number = [&](std::size_t at, int bytes) {
    u64 value = 0;
    for (int i = 0; i < bytes; ++i) value |= u64(file[at + static_cast<std::size_t>(i)]) << (8 * i);
    return value;
  };
  CHECK(std::memcmp(file.data(), "xclbin2", 8) == 0);
  CHECK(number(304, 8) == file.size());
  const u64 sections = number(448, 8);
  CHECK(sections == 7);
  for (u64 i = 0; i < sections; ++i) {
    const std::size_t at = 456 + 40 * i;
    CHECK(number(at + 24, 8) % 8 == 0);
    CHECK(number(at + 24, 8) + number(at + 32, 8) <= file.size());
  }
  const std::string text(file.begin(), file.end());
  CHECK(text.find("exec '/bin/it'\\''s' --config 'nano' --on 'model' --memory 256") != std::string::npos);
  for (const Argument& a : kernel_arguments()) CHECK(text.find("<arg name=\"" + a.name + "\"") != std::string::npos);
}
