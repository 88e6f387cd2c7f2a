// A file mapped into memory, read only: what nobody looks at is never read.
#pragma once
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "error.hpp"

namespace jogak {

class MappedFile {
 public:
  // Throws jogak::Error in the name of `part` where there is no such file.
  MappedFile(const std::string& part, const std::filesystem::path& path, const std::string& expected) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::error_code failed;
    const auto size = std::filesystem::file_size(path, failed);
    if (file < 0 || failed) {
      if (file >= 0) close(file);
      throw Error(part, "file " + path.string(), "nothing that can be opened", expected);
    }
    size_ = static_cast<std::size_t>(size);
    if (size_ > 0) at_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (at_ != MAP_FAILED) return;
    at_ = nullptr;
    throw Error(part, "file " + path.string(), "a read error", expected);
  }
  ~MappedFile() {
    if (at_ != nullptr) munmap(at_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(at_), size_}; }

 private:
  void* at_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace jogak
