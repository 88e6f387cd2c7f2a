// The ports of a running Linux: a UIO device for registers and interrupt, a u-dma-buf for memory.
#include "ports.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <vector>

#include "error.hpp"
#include "files.hpp"

namespace jogak::driver::uio {
namespace {

namespace fs = std::filesystem;

class MappedRegisters final : public Registers {
 public:
  MappedRegisters(std::unique_ptr<File> file, std::uint64_t offset, const std::string& place)
      : file_(std::move(file)), mapping_(*file_, offset + kRegisterBytes, place), interrupt_(*file_), base_(mapping_.bytes().data() + offset) {}

  std::uint32_t read(std::uint32_t offset) override { return *at(offset); }
  void write(std::uint32_t offset, std::uint32_t value) override { *at(offset) = value; }
  void enable_interrupt() override { interrupt_.enable(); }
  bool wait_interrupt(int milliseconds) override { return interrupt_.wait(milliseconds); }

 private:
  volatile std::uint32_t* at(std::uint32_t offset) const { return reinterpret_cast<volatile std::uint32_t*>(base_ + offset); }

  std::unique_ptr<File> file_;
  Mapping mapping_;
  Interrupt interrupt_;
  std::uint8_t* base_;
};

class DmaBuffer final : public Memory {
 public:
  DmaBuffer(const fs::path& attributes, const fs::path& device)
      : attributes_(attributes), file_(device), mapping_(file_, number(attributes / "size"), device), address_(number(attributes / "phys_addr")) {}

  std::span<std::uint8_t> bytes() override { return mapping_.bytes(); }
  std::uint64_t address() const override { return address_; }
  void to_device(std::uint64_t at, std::uint64_t bytes) override { sync("sync_for_device", 1, at, bytes); }
  void from_device(std::uint64_t at, std::uint64_t bytes) override { sync("sync_for_cpu", 2, at, bytes); }

 private:
  // direction: 1 to the device, 2 from it.
  void sync(const char* action, std::uint64_t direction, std::uint64_t at, std::uint64_t bytes) {
    set_attribute(attributes_ / "sync_offset", at);
    set_attribute(attributes_ / "sync_size", bytes);
    set_attribute(attributes_ / "sync_direction", direction);
    set_attribute(attributes_ / action, 1);
  }

  fs::path attributes_;
  File file_;
  Mapping mapping_;
  std::uint64_t address_;
};

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& n : names) text += (text.empty() ? "" : ", ") + n;
  return text.empty() ? "none" : text;
}

// The folder of the one UIO device with this name.
fs::path find_device(const fs::path& folder, const std::string& name) {
  std::vector<std::string> there, matches;
  for (const fs::path& device : entries(folder)) {
    const std::string own = attribute(device / "name"), number = device.filename();
    there.push_back(own + " (" + number + ")");
    if (own == name || number == name) matches.push_back(number);
  }
  if (matches.empty()) throw Error("uio device", "name", name, "one of those of " + folder.string() + ": " + listed(there));
  if (matches.size() > 1) throw Error("uio device", "name", name + ", which " + listed(matches) + " have", "one device; say its number");
  return folder / matches[0];
}

// The folder of the memory that goes with the device.
fs::path find_buffer(const std::string& root, const std::string& device, const std::string& name) {
  std::vector<fs::path> there;
  for (const char* folder : {"/sys/class/u-dma-buf", "/sys/class/udmabuf"})
    if (there.empty()) there = entries(root + folder);
  std::vector<std::string> names;
  for (const fs::path& buffer : there) {
    names.push_back(buffer.filename());
    if (names.back() == (name.empty() ? device + "-memory" : name)) return buffer;
  }
  if (name.empty() && there.size() == 1) return there[0];
  throw Error("uio device", "memory of " + device, name.empty() ? "no buffer named " + device + "-memory" : "no buffer named " + name,
              "one of those of " + root + "/sys/class/u-dma-buf: " + listed(names));
}

// Property of the device tree: a big-endian cell. 0 where there is none.
std::uint64_t clock_of(const fs::path& device) {
  std::ifstream in(device / "device/of_node/clock-frequency", std::ios::binary);
  std::array<unsigned char, 4> cell{};
  if (!in.read(reinterpret_cast<char*>(cell.data()), cell.size())) return 0;
  return std::uint64_t(cell[0]) << 24 | cell[1] << 16 | cell[2] << 8 | cell[3];
}

std::unique_ptr<Registers> open_registers(const std::string& root, const fs::path& device, const std::string& place) {
  const fs::path map = device / "maps/map0";
  const std::uint64_t offset = fs::exists(map / "offset") ? number(map / "offset") : 0, size = number(map / "size");
  if (size < offset + kRegisterBytes)
    throw Error("uio device", "register region of " + place, std::to_string(size) + " bytes", "at least " + std::to_string(offset + kRegisterBytes));
  auto file = std::make_unique<File>(root + "/dev/" + device.filename().string());
  if (!file->lock()) throw Error("uio device", place, "it in use by another process", "a free machine");
  return std::make_unique<MappedRegisters>(std::move(file), offset, place);
}

}  // namespace

Ports open_ports(const std::string& root, const std::string& target) {
  const std::size_t colon = target.find(':');
  const std::string name = target.substr(0, colon), buffer = colon == std::string::npos ? "" : target.substr(colon + 1);
  const fs::path device = find_device(root + "/sys/class/uio", name);
  const fs::path memory = find_buffer(root, attribute(device / "name"), buffer);
  Ports ports;
  ports.place = name + " (" + root + "/dev/" + device.filename().string() + ")";
  ports.clock_hz = clock_of(device);
  ports.registers = open_registers(root, device, ports.place);
  ports.memory = std::make_unique<DmaBuffer>(memory, root + "/dev/" + memory.filename().string());
  return ports;
}

}  // namespace jogak::driver::uio
