#include "session.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <array>
#include <cstring>

#include "error.hpp"

namespace jogak::xrt_card {
namespace {

// Calls by number, as XRT 2.13 to 2.26 number them.
enum Api : u32 {
  kClose = 1,
  kAllocBuffer = 4,
  kFreeBuffer = 5,
  kCopyIn = 6,
  kCopyOut = 7,
  kWriteRam = 8,
  kWriteControl = 9,
  kReadRam = 10,
  kReadControl = 11,
  kMonitorCounters = 14,
  kMonitorCount = 15,
  kMonitorTrace = 16,
  kTimestamp = 17,
  kBusStatus = 18,
  kDebugMessages = 19,
  kEnvironment = 20,
  kRegisterWrite = 51,
  kRegisterRead = 52,
};

std::string hex(u64 value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// Offset of a range of the card's memory.
u64 in_memory(const Card& card, u64 address, u64 bytes) {
  if (address < kMemoryBase || address - kMemoryBase > card.memory_bytes() || bytes > card.memory_bytes() - (address - kMemoryBase))
    throw Error("xrt card", "memory access", std::to_string(bytes) + " bytes at " + hex(address),
                "inside the bank of " + std::to_string(card.memory_bytes()) + " bytes at " + hex(kMemoryBase));
  return address - kMemoryBase;
}

u32 in_registers(u64 address, u64 bytes) {
  if (address % 4 != 0 || bytes % 4 != 0 || bytes == 0 || address < kRegisterBase || address - kRegisterBase >= kRegisterBytes ||
      bytes > kRegisterBytes - (address - kRegisterBase))
    throw Error("xrt card", "register access", std::to_string(bytes) + " bytes at " + hex(address),
                "words inside the 4096 bytes at " + hex(kRegisterBase));
  return static_cast<u32>(address - kRegisterBase);
}

u32 word(Bytes bytes, std::size_t at) { return u32(bytes[at]) | u32(bytes[at + 1]) << 8 | u32(bytes[at + 2]) << 16 | u32(bytes[at + 3]) << 24; }

std::vector<u8> copy_in(Card& card, u64 address, Bytes bytes) {
  card.write_memory(in_memory(card, address, bytes.size()), bytes);
  return Writer().number(1, bytes.size()).take();
}

void write_registers(Card& card, u64 address, Bytes bytes) {
  const u32 offset = in_registers(address, bytes.size());
  for (u32 i = 0; i < bytes.size(); i += 4) card.write(offset + i, word(bytes, i));
}

std::vector<u8> read_registers(Card& card, u64 address, u64 bytes) {
  const u32 offset = in_registers(address, bytes);
  Writer out;
  out.number(1, 1);
  std::vector<u8> data(static_cast<std::size_t>(bytes));
  for (u32 i = 0; i < bytes; i += 4) {
    const u32 value = card.read(offset + i);
    for (u32 b = 0; b < 4; ++b) data[i + b] = static_cast<u8>(value >> (8 * b));
  }
  return out.bytes(2, data).take();
}

// status: field 1, a size or "valid".
std::vector<u8> read_memory(Card& card, u64 address, u64 bytes, u64 status) {
  const u64 offset = in_memory(card, address, bytes);
  Writer out;
  out.number(1, status);
  card.read_memory(offset, out.room(2, static_cast<std::size_t>(bytes)));
  return out.take();
}

// What a call's data field must hold.
Bytes data_of(const Message& m, u32 field, u64 bytes) {
  const Bytes data = m.bytes(field);
  if (data.size() < bytes) throw Error("xrt card", "message", std::to_string(data.size()) + " bytes of data", std::to_string(bytes));
  return data.first(static_cast<std::size_t>(bytes));
}

std::vector<u8> yes() { return Writer().number(1, 1).take(); }

}  // namespace

Answer answer(Card& card, u32 api, Bytes body) {
  const Message m(body);
  switch (api) {
    case kClose: return {yes(), true};
    case kAllocBuffer:
    case kFreeBuffer:
    case kEnvironment: return {yes()};
    case kCopyIn: return {copy_in(card, m.number(3) + m.number(6), data_of(m, 4, m.number(5)))};
    case kCopyOut: return {read_memory(card, m.number(4) + m.number(6), m.number(5), m.number(5))};
    case kWriteRam: copy_in(card, m.number(2), data_of(m, 4, m.number(3))); return {yes()};
    case kReadRam: return {read_memory(card, m.number(2), m.number(3), 1)};
    case kWriteControl: write_registers(card, m.number(2), data_of(m, 4, m.number(3))); return {yes()};
    case kReadControl: return {read_registers(card, m.number(2), m.number(3))};
    case kRegisterWrite: write_registers(card, m.number(1) + m.number(2), data_of(m, 3, 4)); return {yes()};
    case kRegisterRead: return {read_registers(card, m.number(1) + m.number(2), m.number(3))};
    case kTimestamp: return {Writer().number(1, 0).take()};
    case kMonitorCounters:
    case kMonitorCount:
    case kMonitorTrace:
    case kBusStatus:
    case kDebugMessages: return {};
    default: throw Error("xrt card", "call", "number " + std::to_string(api), "one of memory, registers, environment and close");
  }
}

namespace {

// False at the end of the connection before the first byte.
bool receive(int fd, std::span<u8> bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::read(fd, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error("xrt card", "socket", std::strerror(errno), "a host that calls or closes");
    if (n == 0 && at == 0) return false;
    if (n == 0) throw Error("xrt card", "socket", "its end inside a message", "whole messages");
    at += static_cast<std::size_t>(n);
  }
  return true;
}

void send_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error("xrt card", "socket", std::strerror(errno), "a host that reads the answer");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

// The card works while the host is silent.
void until_call(Card& card, int fd) {
  pollfd p{fd, POLLIN, 0};
  while (::poll(&p, 1, 0) == 0)
    if (!card.work()) {
      ::poll(&p, 1, -1);
      return;
    }
}

}  // namespace

void check_host(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) throw Error("xrt card", "socket", std::strerror(errno), "one that tells who listens");
  if (peer.uid != ::geteuid())
    throw Error("xrt card", "host on the socket", "user " + std::to_string(peer.uid), "user " + std::to_string(::geteuid()) + ", whose card this is");
}

void serve(Card& card, int fd) {
  for (std::vector<u8> body;;) {
    until_call(card, fd);
    std::array<u8, kCallHead> head;
    if (!receive(fd, head)) return;
    const Message call(head);
    const u64 size = call.number(1);
    const u32 api = static_cast<u32>(call.number(2));
    if (size > kLongestBody) throw Error("xrt card", "message", std::to_string(size) + " bytes", "at most " + std::to_string(kLongestBody));
    body.resize(static_cast<std::size_t>(size));
    if (!body.empty() && !receive(fd, body)) throw Error("xrt card", "socket", "its end after a head", "the call's body");
    const Answer a = answer(card, api, body);
    std::vector<u8> out = Writer().fixed64(1, a.body.size()).take();
    out.insert(out.end(), a.body.begin(), a.body.end());
    send_all(fd, out);
    if (a.last) return;
  }
}

}  // namespace jogak::xrt_card
