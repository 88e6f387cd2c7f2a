#include "bridge.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "error.hpp"

namespace jogak::driver::litex {
namespace {

constexpr u8 kWrite = 1, kRead = 2;
constexpr std::size_t kBurst = 255;              // words of one command
constexpr std::size_t kPortion = 4096;           // words between two checks
constexpr u32 kMagic = 0x424b474a, kLayout = 1;  // the letters JGKB
constexpr std::size_t kHeadWords = 4, kDescriptionWords = 256;
constexpr u32 kSent = 0, kCounts = 8, kGate = 12, kSession = 20;  // registers of the link, from its address
constexpr u32 kWritesMask = 0xffff, kErrorsMask = 0xff000000;

std::string hex(u32 value) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", value);
  return text;
}

void append(std::vector<u8>& bytes, u32 word) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<u8>(word >> shift));
}

constexpr auto kTable = [] {
  std::array<u32, 256> table{};
  for (u32 i = 0; i < 256; ++i) {
    u32 c = i;
    for (int k = 0; k < 8; ++k) c = (c >> 1) ^ ((c & 1) != 0 ? 0xEDB88320u : 0u);
    table[i] = c;
  }
  return table;
}();

}  // namespace

u32 crc32_of(std::span<const u8> bytes, u32 start) {
  for (const u8 b : bytes) start = kTable[(start ^ b) & 0xff] ^ (start >> 8);
  return start;
}

void Bridge::put(std::span<const u8> bytes) {
  line_->send(bytes, patience_.answer + line_->duration(bytes.size()));
  mirror_.taken = crc32_of(bytes, mirror_.taken);
  behind_ += bytes.size();
}

bool Bridge::get(std::span<u8> bytes) {
  const auto end = line_->now() + patience_.answer + line_->duration(behind_ + bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const auto left = end - line_->now();
    if (left.count() <= 0) return false;
    at += line_->receive(bytes.subspan(at), left);
  }
  mirror_.sent = crc32_of(bytes, mirror_.sent);
  behind_ = 0;
  return true;
}

void Bridge::put_read(u32 address, std::size_t words) {
  std::vector<u8> bytes = {kRead, static_cast<u8>(words)};
  append(bytes, address / 4);
  put(bytes);
}

void Bridge::put_write(u32 address, std::span<const u32> words) {
  std::vector<u8> bytes;
  for (std::size_t at = 0; at < words.size(); at += kBurst) {
    const auto burst = words.subspan(at, std::min(kBurst, words.size() - at));
    bytes.push_back(kWrite);
    bytes.push_back(static_cast<u8>(burst.size()));
    append(bytes, static_cast<u32>(address / 4 + at));
    for (const u32 w : burst) append(bytes, w);
  }
  put(bytes);
  mirror_.counts = (mirror_.counts & ~kWritesMask) | ((mirror_.counts + words.size()) & kWritesMask);
}

bool Bridge::get_words(std::span<u32> words) {
  std::vector<u8> bytes(4 * words.size());
  if (!get(bytes)) return false;
  for (std::size_t i = 0; i < words.size(); ++i)
    words[i] = static_cast<u32>(bytes[4 * i]) << 24 | static_cast<u32>(bytes[4 * i + 1]) << 16 |
               static_cast<u32>(bytes[4 * i + 2]) << 8 | bytes[4 * i + 3];
  return true;
}

// After put_read(link_): takes the answer and compares.
Trouble Bridge::confirm() {
  const Status expected = mirror_;
  std::array<u32, 3> w{};
  if (!get_words(w)) return Trouble::silent;
  if (w[0] != expected.sent || w[1] != expected.taken) return Trouble::garbled;
  if (((w[2] ^ expected.counts) & kErrorsMask) != 0) {
    mirror_.counts = w[2];
    throw Error("litex", "access on the bus of board " + name(), "an address where nobody answers",
                "one of its regions");
  }
  return w[2] == expected.counts ? Trouble::none : Trouble::garbled;
}

Trouble Bridge::once_read(u32 address, std::span<u32> words) {
  for (std::size_t at = 0; at < words.size(); at += kBurst) {
    const auto burst = words.subspan(at, std::min(kBurst, words.size() - at));
    put_read(static_cast<u32>(address + 4 * at), burst.size());
    // One command may wait in the board while it answers another (BufferedLine in soc_parts.py).
    if (at + burst.size() == words.size()) put_read(link_ + kSent, 3);
    if (!get_words(burst)) return Trouble::silent;
  }
  return confirm();
}

Trouble Bridge::once_write(u32 address, std::span<const u32> words) {
  const std::array<u32, 2> gate = {address / 4, static_cast<u32>(address / 4 + words.size())};
  put_write(link_ + kGate, gate);
  put_write(address, words);
  put_read(link_ + kSent, 3);
  return confirm();
}

void Bridge::read(u32 address, std::span<u32> words) {
  for (std::size_t at = 0; at < words.size(); at += kPortion) {
    const auto part = words.subspan(at, std::min(kPortion, words.size() - at));
    const u32 from = static_cast<u32>(address + 4 * at);
    Trouble t = once_read(from, part);
    for (int i = 1; i < patience_.tries && t != Trouble::none; ++i) {
      resync();
      t = once_read(from, part);
    }
    if (t != Trouble::none) give_up("read", from, t);
  }
}

void Bridge::write(u32 address, std::span<const u32> words) {
  for (std::size_t at = 0; at < words.size(); at += kPortion) {
    const auto part = words.subspan(at, std::min(kPortion, words.size() - at));
    const u32 to = static_cast<u32>(address + 4 * at);
    Trouble t = once_write(to, part);
    for (int i = 1; i < patience_.tries && t != Trouble::none; ++i) {
      resync();
      t = once_write(to, part);
    }
    if (t != Trouble::none) give_up("write", to, t);
  }
}

Trouble Bridge::try_write(u32 address, std::span<const u32> words) {
  const Trouble t = once_write(address, words);
  if (t != Trouble::none) resync();
  return t;
}

void Bridge::give_up(const char* what, u32 address, Trouble last) const {
  throw Error("litex", std::string(what) + " at " + hex(address) + " of board " + name(),
              std::string(last == Trouble::silent ? "no answer" : "a wrong checksum") + " in " +
                  std::to_string(patience_.tries) + " tries",
              "an undisturbed line");
}

void Bridge::drain(Milliseconds silence) {
  behind_ = 0;
  std::array<u8, 4096> bytes;
  auto end = line_->now() + silence;
  for (;;) {
    const auto left = end - line_->now();
    if (left.count() <= 0) return;
    if (line_->receive(bytes, left) > 0) end = line_->now() + silence;
  }
}

// Takes the board's checksums for ours, and tries whether they stay equal.
bool Bridge::adopt() {
  std::array<u32, 3> w{};
  put_read(link_ + kSent, 3);
  if (!get_words(w)) return false;
  std::vector<u8> answer;
  for (const u32 word : w) append(answer, word);
  mirror_ = {crc32_of(answer, w[0]), w[1], w[2]};
  put_read(link_ + kSent, 3);
  return confirm() == Trouble::none;
}

// The bridge forgets a command of which nothing more comes; silence is what brings it back.
void Bridge::resync() {
  ++troubles_;
  for (int i = 0; i < patience_.tries; ++i) {
    drain(patience_.silence * (1 << i));
    if (!adopt()) continue;
    u32 session = 0;
    if (once_read(link_ + kSession, std::span(&session, 1)) != Trouble::none) continue;
    if (session_ != 0 && session != session_)
      throw Error("litex", "board " + name(), "it restarted or serves somebody else, its memory is lost",
                  "it as it was opened");
    return;
  }
  throw Error("litex", "board " + name(), "no answer that makes sense",
              "its bridge: is it powered, its bitstream loaded, the baud rate right?");
}

std::vector<u32> Bridge::description() {
  std::vector<u32> words(kHeadWords);
  std::string found = "no answer";
  for (int i = 0; i < patience_.tries; ++i) {
    drain(patience_.silence * (1 << i));
    put_read(0, kHeadWords);
    if (!get_words(words)) continue;
    found = "the word " + hex(words[0]) + " at address 0";
    if (words[0] != kMagic) continue;
    if (words[1] != kLayout)
      throw Error("litex", "description of board " + name(), "layout " + std::to_string(words[1]),
                  std::to_string(kLayout));
    if (words[2] > kDescriptionWords - kHeadWords) continue;
    std::vector<u32> body(words[2]);
    put_read(4 * kHeadWords, body.size());
    if (!get_words(body)) continue;
    std::vector<u8> bytes;
    for (const u32 w : body)
      for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<u8>(w >> shift));
    if (~crc32_of(bytes) == words[3]) return body;
    found = "a description with a wrong checksum";
  }
  throw Error("litex", "board " + name(), found,
              hex(kMagic) + ", a Jogak board: is it powered, its bitstream loaded, the baud rate right?");
}

void Bridge::use_link(u32 link) {
  link_ = link;
  resync();
  const u32 session = std::random_device{}() % 0xffff + 1;
  write(link_ + kSession, std::span(&session, 1));
  session_ = session;
  troubles_ = 0;
}

}  // namespace jogak::driver::litex
