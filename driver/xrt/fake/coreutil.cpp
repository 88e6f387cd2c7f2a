// For tests, in place of libxrt_coreutil.so.2: the functions that the driver calls, with the names of XRT's headers, on a card of the
// test's (world.hpp). Hardware emulation passes no interrupts on, fails in few ways and counts no cards; this does.
#include <experimental/xrt_ip.h>
#include <experimental/xrt_system.h>
#include <experimental/xrt_xclbin.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>

#include <stdexcept>

#include "world.hpp"

using jogak::driver::uio::Ports;
using jogak::driver::xrt::fake::World;

namespace {

World& world() {
  static World w;
  return w;
}

void fail(const std::string& error) {
  if (!error.empty()) throw std::runtime_error(error);
}

// The machine of the card that is open.
Ports& machine() {
  static Ports ports;
  return ports;
}

// Counts what is alive.
class Alive {
 public:
  explicit Alive(int& count) : count_(count) { ++count_; }
  ~Alive() { --count_; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;

 private:
  int& count_;
};

}  // namespace

World* jogak_fake_world() { return &world(); }

namespace xrt_core {
class device : Alive {
 public:
  device() : Alive(world().devices) {}
};
}  // namespace xrt_core

namespace xrt {

unsigned system::enumerate_devices() { return world().cards; }

static std::shared_ptr<xrt_core::device> open_as(const std::string& name) {
  world().named = name;
  fail(world().device_error);
  return std::make_shared<xrt_core::device>();
}
device::device(unsigned int index) : handle(open_as(std::to_string(index))) {}
device::device(const std::string& address) : handle(open_as(address)) {}
device::operator xclDeviceHandle() const { return handle.get(); }
uuid device::load_xclbin(const xclbin&) {
  fail(world().load_error);
  return uuid();
}
std::any device::get_info_std(info::device, const detail::abi&) const {
  if (world().mhz == 0) throw std::runtime_error("no clock");
  return world().mhz;
}

class xclbin_impl {};
class xclbin::mem_impl {};
class xclbin::ip_impl {
 public:
  std::string name;
};
xclbin::xclbin(const std::string&) : pimpl(std::make_shared<xclbin_impl>()) {}
std::vector<xclbin::ip> xclbin::get_ips() const {
  std::vector<ip> found;
  for (const std::string& name : world().kernels) found.emplace_back(std::make_shared<ip_impl>(ip_impl{name}));
  return found;
}
std::string xclbin::ip::get_name() const { return handle->name; }
std::vector<xclbin::mem> xclbin::get_mems() const { return {mem(std::make_shared<mem_impl>())}; }
std::string xclbin::mem::get_tag() const { return "HBM[0]"; }
xclbin::mem::memory_type xclbin::mem::get_type() const { return memory_type::hbm; }
bool xclbin::mem::get_used() const { return true; }
int32_t xclbin::mem::get_index() const { return 0; }
uint64_t xclbin::mem::get_size_kb() const { return world().bank_kib; }

class bo_impl : Alive {
 public:
  bo_impl() : Alive(world().buffers) {}
  ~bo_impl() { machine() = {}; }
};
static std::shared_ptr<bo_impl> new_buffer(size_t bytes) {
  fail(world().buffer_error);
  machine() = world().machine(bytes);
  return std::make_shared<bo_impl>();
}
bo::bo(xclDeviceHandle, size_t bytes, bo::flags, memory_group) : handle(new_buffer(bytes)) {}
void* bo::map() { return machine().memory->bytes().data(); }
uint64_t bo::address() const { return machine().memory->address(); }
void bo::sync(xclBOSyncDirection direction, size_t bytes, size_t at) {
  fail(world().copy_error);
  if (direction == XCL_BO_SYNC_BO_TO_DEVICE) machine().memory->to_device(at, bytes);
  else machine().memory->from_device(at, bytes);
}

class ip_impl : Alive {
 public:
  ip_impl() : Alive(world().kernels_open) {}
};
static std::shared_ptr<ip_impl> open_kernel() {
  fail(world().kernel_error);
  return std::make_shared<ip_impl>();
}
ip::ip(const device&, const uuid&, const std::string&) : pimpl(open_kernel()) {}
uint32_t ip::read_register(uint32_t offset) const {
  fail(world().register_error);
  return machine().registers->read(offset);
}
void ip::write_register(uint32_t offset, uint32_t value) {
  fail(world().register_error);
  machine().registers->write(offset, value);
}

class ip::interrupt_impl {};
ip::interrupt ip::create_interrupt_notify() {
  if (!world().interrupts) throw std::runtime_error("interrupts are not supported");
  machine().registers->enable_interrupt();  // as XRT does
  return interrupt(std::make_shared<interrupt_impl>());
}
void ip::interrupt::enable() {
  fail(world().interrupt_error);
  machine().registers->enable_interrupt();
}
std::cv_status ip::interrupt::wait(const std::chrono::milliseconds& limit) const {
  ++world().waits;
  return machine().registers->wait_interrupt(static_cast<int>(limit.count())) ? std::cv_status::no_timeout : std::cv_status::timeout;
}

}  // namespace xrt
