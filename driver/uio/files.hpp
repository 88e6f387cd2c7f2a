// Files of Linux as values: a descriptor, a mapping of it, attributes of sysfs. All throw jogak::Error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace jogak::driver::uio {

class File {
 public:
  explicit File(const std::filesystem::path& path);  // for reading and writing
  explicit File(int descriptor) : fd_(descriptor) {}
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }
  // Nobody else may hold the same lock; false if somebody does. Ends with this object.
  bool lock();

 private:
  int fd_;
};

class Mapping {
 public:
  Mapping(const File& file, std::size_t bytes, const std::string& what);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<std::uint8_t> bytes_;
};

// The interrupt of a UIO descriptor: 32-bit counts are read from it, a 32-bit 1 written to it lets the next one through.
class Interrupt {
 public:
  explicit Interrupt(const File& file) : fd_(file.fd()) {}
  void enable();
  bool wait(int milliseconds);

 private:
  int fd_;
};

// Without the line end.
std::string attribute(const std::filesystem::path& path);
// Decimal, or hexadecimal after 0x.
std::uint64_t number(const std::filesystem::path& path);
void set_attribute(const std::filesystem::path& path, std::uint64_t value);

}  // namespace jogak::driver::uio
