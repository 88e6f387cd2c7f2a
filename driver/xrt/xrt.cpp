// libjogak_xrt.so: registers and memory of the NPU on a card, through XRT's native interface. Only headers that every XRT from 2.13 on
// has are used.
#include <experimental/xrt_ip.h>
#include <experimental/xrt_system.h>
#include <experimental/xrt_xclbin.h>
#include <xclbin.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#include "driver/uio/hls_registers.hpp"
#include "error.hpp"
#include "module.hpp"

namespace jogak::driver::xrt {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;
using Microseconds = std::chrono::microseconds;

constexpr u64 kPage = 4096;
// The RTL's and the HLS kernel's (boards/common/amd_kernel.py, amd_hls.py).
constexpr const char *kKernel = "npu_kernel", *kHlsKernel = "npu_hls";
// Between two looks at a job's end where no interrupt tells it: half of the time it has run so far, within these.
constexpr Microseconds kShortestNap{50}, kLongestNap{2000};

// XRT's exceptions as one sentence each.
template <class Action>
auto step(const std::string& what, const std::string& expected, Action&& action) {
  try {
    return action();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw Error("xrt device", what, std::string("\"") + e.what() + "\"", expected);
  }
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool emulated() { return !variable("XCL_EMULATION_MODE").empty(); }

// Hardware emulation opens whatever it is asked for and counts none; jogak-xrt-sim says how many there are.
unsigned cards() {
  if (const std::string named = variable("JOGAK_XRT_CARDS"); emulated() && !named.empty()) return static_cast<unsigned>(std::strtoul(named.c_str(), nullptr, 10));
  return step("XRT's list of cards", "one", [] { return ::xrt::system::enumerate_devices(); });
}

// By index or by bus address; cards of hardware emulation have no address.
::xrt::device open_card(const std::string& card) {
  const bool index = !card.empty() && std::all_of(card.begin(), card.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  const unsigned long number = std::strtoul(card.c_str(), nullptr, 10);
  std::string why = "no such card";
  try {
    if (!index && !emulated()) return ::xrt::device(card);
    if (index && number < cards()) return ::xrt::device(static_cast<unsigned>(number));
  } catch (const std::exception& e) {
    why = "\"" + std::string(e.what()) + "\"";
  }
  throw Error("xrt device", "card " + card, why + " among " + std::to_string(cards()), "one that XRT can open; `xbutil examine` lists them");
}

// Cards that this process has open, as they were named. Other processes are XRT's matter.
class Claim {
 public:
  explicit Claim(const std::string& card) : card_(card) {
    std::lock_guard lock(mutex());
    if (!taken().insert(card).second) throw Error("xrt device", "card " + card, "it in use by this process", "a free card");
  }
  ~Claim() {
    std::lock_guard lock(mutex());
    taken().erase(card_);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::set<std::string>& taken() {
    static std::set<std::string> cards;
    return cards;
  }
  std::string card_;
};

// A card's NPU; both ports hold it, and XRT lets it go after the last.
struct Holder {
  Claim claim;
  ::xrt::device device;
  ::xrt::ip ip;
};

// One access at a time: abort may come from another thread.
class IpRegisters final : public uio::Registers {
 public:
  explicit IpRegisters(std::shared_ptr<Holder> holder) : holder_(std::move(holder)) {
    if (emulated()) return;  // no interrupts there
    try {
      interrupt_ = holder_->ip.create_interrupt_notify();
    } catch (const std::exception&) {  // a shell without them: look now and then
    }
  }
  u32 read(u32 offset) override {
    std::lock_guard lock(mutex_);
    return step("register access", "a card that answers", [&] { return holder_->ip.read_register(offset); });
  }
  void write(u32 offset, u32 value) override {
    std::lock_guard lock(mutex_);
    step("register access", "a card that answers", [&] { holder_->ip.write_register(offset, value); });
  }
  void enable_interrupt() override {
    if (interrupt_) step("interrupt", "one that can be enabled", [&] { interrupt_->enable(); });
    began_ = std::chrono::steady_clock::now();
  }
  bool wait_interrupt(int milliseconds) override {
    if (interrupt_)
      return step("interrupt", "one that can be waited for", [&] { return interrupt_->wait(std::chrono::milliseconds(milliseconds)) == std::cv_status::no_timeout; });
    const auto run = std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - began_);
    std::this_thread::sleep_for(std::clamp(run / 2, kShortestNap, kLongestNap));
    return false;
  }

 private:
  std::shared_ptr<Holder> holder_;
  std::mutex mutex_;
  std::optional<::xrt::ip::interrupt> interrupt_;
  std::chrono::steady_clock::time_point began_{};
};

class BoMemory final : public uio::Memory {
 public:
  BoMemory(std::shared_ptr<Holder> holder, ::xrt::bo bo, u64 bytes) : holder_(std::move(holder)), bo_(std::move(bo)), bytes_(bo_.map<std::uint8_t*>(), bytes) {}
  std::span<std::uint8_t> bytes() override { return bytes_; }
  u64 address() const override { return bo_.address(); }
  void to_device(u64 at, u64 bytes) override { sync(XCL_BO_SYNC_BO_TO_DEVICE, at, bytes); }
  void from_device(u64 at, u64 bytes) override { sync(XCL_BO_SYNC_BO_FROM_DEVICE, at, bytes); }

 private:
  // The last line may reach beyond the span, not beyond the buffer, which is whole pages.
  void sync(xclBOSyncDirection direction, u64 at, u64 bytes) {
    step("copy between host and card", "one that XRT can do", [&] { bo_.sync(direction, static_cast<std::size_t>(bytes), static_cast<std::size_t>(at)); });
  }

  std::shared_ptr<Holder> holder_;
  ::xrt::bo bo_;
  std::span<std::uint8_t> bytes_;
};

// The bank behind the NPU's port: of those in use the largest, as a link configuration gives it all of one memory.
::xrt::xclbin::mem bank(const ::xrt::xclbin& file) {
  std::optional<::xrt::xclbin::mem> found;
  for (const ::xrt::xclbin::mem& m : file.get_mems()) {
    const bool memory = m.get_used() && m.get_type() != ::xrt::xclbin::mem::memory_type::streaming && m.get_type() != ::xrt::xclbin::mem::memory_type::host;
    if (memory && (!found || m.get_size_kb() > found->get_size_kb())) found = m;
  }
  if (!found) throw Error("xrt device", "memory banks of the xclbin", "none in use", "one");
  return *found;
}

::xrt::bo buffer(const ::xrt::device& device, const ::xrt::xclbin& file, u64 bytes) {
  const ::xrt::xclbin::mem mem = step("memory banks", "some", [&] { return bank(file); });
  const u64 room = u64(mem.get_size_kb()) << 10;
  if (bytes > room) throw Error("xrt device", "memory", "bank " + mem.get_tag() + " of " + std::to_string(room) + " bytes", "at least " + std::to_string(bytes));
  return step("buffer of " + std::to_string(bytes) + " bytes in bank " + mem.get_tag(), "that much free memory on card and host",
              [&] { return ::xrt::bo(device, static_cast<std::size_t>(bytes), ::xrt::bo::flags::normal, static_cast<::xrt::memory_group>(mem.get_index())); });
}

// The name under which the NPU lies in the file.
std::string kernel_of(const ::xrt::xclbin& file, const std::string& path) {
  std::string there;
  for (const ::xrt::xclbin::ip& ip : file.get_ips()) {
    const std::string name = ip.get_name();
    for (const char* npu : {kKernel, kHlsKernel})
      if (name.rfind(npu, 0) == 0) return npu;
    there += (there.empty() ? "" : ", ") + name;
  }
  throw Error("xrt device", "kernels of " + path, there.empty() ? "none" : there, std::string(kKernel) + " or " + kHlsKernel);
}

// XRT trusts the container, and crashes on a broken one.
void check_container(const std::string& path) {
  const auto broken = [&](const std::string& found) { return Error("xrt device", "file " + path, found, "an xclbin"); };
  std::ifstream in(path, std::ios::binary);
  axlf head{};
  if (!in.read(reinterpret_cast<char*>(&head), sizeof head) || std::memcmp(head.m_magic, "xclbin2", 8) != 0) throw broken("no container of that kind");
  const u64 size = std::filesystem::file_size(path), sections = head.m_header.m_numSections, table = offsetof(axlf, m_sections);
  if (head.m_header.m_length != size) throw broken(std::to_string(size) + " bytes where it tells of " + std::to_string(head.m_header.m_length));
  if (sections == 0 || sections > (size - table) / sizeof(axlf_section_header)) throw broken(std::to_string(sections) + " sections");
  in.seekg(static_cast<std::streamoff>(table));
  for (u64 i = 0; i < sections; ++i) {
    axlf_section_header s{};
    in.read(reinterpret_cast<char*>(&s), sizeof s);
    if (s.m_sectionOffset > size || s.m_sectionSize > size - s.m_sectionOffset) throw broken("section " + std::to_string(i) + " outside of it");
  }
}

double megahertz(const ::xrt::device& device) {
  if (const std::string named = variable("JOGAK_XRT_MHZ"); !named.empty()) return std::strtod(named.c_str(), nullptr);
  if (emulated()) return 0;  // simulated time has no pace
  try {
    return static_cast<double>(device.get_info<::xrt::info::device::max_clock_frequency_mhz>());
  } catch (const std::exception&) {
    return 0;
  }
}

void open(const Request& request, uio::Ports& ports) {
  if (!std::filesystem::exists(request.file)) throw Error("xrt device", "file " + request.file, "nothing", "an xclbin with the NPU in it");
  check_container(request.file);
  const ::xrt::xclbin file = step("file " + request.file, "an xclbin", [&] { return ::xrt::xclbin(request.file); });
  const std::string kernel = kernel_of(file, request.file);
  const auto holder = std::shared_ptr<Holder>(new Holder{Claim(request.card), open_card(request.card), {}});
  const ::xrt::uuid id = step("loading " + request.file + " into card " + request.card, "a free card of the file's platform",
                              [&] { return holder->device.load_xclbin(file); });
  holder->ip = step("kernel " + kernel + " on card " + request.card, "one that no other process has open", [&] { return ::xrt::ip(holder->device, id, kernel); });
  ports.backend = "xrt";
  ports.place = "card " + request.card;
  ports.clock_hz = static_cast<u64>(megahertz(holder->device) * 1e6);
  ports.patience_s = std::strtod(variable("JOGAK_XRT_TIMEOUT").c_str(), nullptr);
  const u64 bytes = (request.memory_bytes + kPage - 1) / kPage * kPage;
  ports.memory = std::make_unique<BoMemory>(holder, buffer(holder->device, file, bytes), request.memory_bytes);
  ports.registers = std::make_unique<IpRegisters>(holder);
  if (kernel == kHlsKernel)
    ports.registers = std::make_unique<uio::HlsRegisters>(std::move(ports.registers), std::make_unique<BoMemory>(holder, buffer(holder->device, file, kPage), kPage));
}

bool open_guarded(const Request& request, uio::Ports& ports, std::string& error) {
  try {
    open(request, ports);
    return true;
  } catch (const std::exception& e) {
    error = e.what();
    return false;
  }
}

constexpr Module kModule{kContract, open_guarded};

}  // namespace
}  // namespace jogak::driver::xrt

extern "C" __attribute__((visibility("default"))) const jogak::driver::xrt::Module* jogak_xrt_module() { return &jogak::driver::xrt::kModule; }
