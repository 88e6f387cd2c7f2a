#include "files.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "error.hpp"

namespace jogak::driver::uio {
namespace {

[[noreturn]] void fail(const std::string& what, const std::string& expected) { throw Error("uio device", what, std::strerror(errno), expected); }

}  // namespace

File::File(const std::filesystem::path& path) : fd_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (fd_ < 0) fail("opening " + path.string(), "a device that this user may read and write");
}
File::~File() { close(fd_); }

bool File::lock() { return flock(fd_, LOCK_EX | LOCK_NB) == 0; }

Mapping::Mapping(const File& file, std::size_t bytes, const std::string& what) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0);
  if (at == MAP_FAILED) fail("mapping " + what, "a device with memory");
  bytes_ = {static_cast<std::uint8_t*>(at), bytes};
}
Mapping::~Mapping() { munmap(bytes_.data(), bytes_.size()); }

void Interrupt::enable() {
  const std::uint32_t one = 1;
  if (write(fd_, &one, sizeof one) != sizeof one) fail("allowing the interrupt", "a device with an interrupt that can be switched");
}

bool Interrupt::wait(int milliseconds) {
  pollfd p{fd_, POLLIN, 0};
  const int ready = poll(&p, 1, milliseconds);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return false;
  std::uint32_t count = 0;
  if (ready < 0 || (p.revents & POLLIN) == 0 || read(fd_, &count, sizeof count) != sizeof count) fail("waiting for the interrupt", "a count of interrupts");
  return true;
}

std::string attribute(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) throw Error("uio device", path.string(), "nothing to read", "one line of text");
  return line;
}

std::uint64_t number(const std::filesystem::path& path) {
  const std::string text = attribute(path);
  std::size_t used = 0;
  std::uint64_t value = 0;
  try {
    value = std::stoull(text, &used, 0);
  } catch (const std::exception&) {
  }
  if (used == 0 || used != text.size()) throw Error("uio device", path.string(), "'" + text + "'", "a number");
  return value;
}

void set_attribute(const std::filesystem::path& path, std::uint64_t value) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const std::string text = std::to_string(value);
  const bool done = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (fd >= 0) close(fd);
  if (!done) fail("writing " + path.string(), "an attribute that this user may write");
}

}  // namespace jogak::driver::uio
