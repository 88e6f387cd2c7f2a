// A simulator behind driver/device.hpp as a card. Its jobs run on a thread of their own; while one runs, the host sees a busy
// machine, and copies of memory wait for the job's end, which the driver's contract asks for.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "card.hpp"
#include "driver/device.hpp"
#include "error.hpp"

namespace jogak::xrt_card {
namespace {

namespace csr = spec::csr;

void must(const driver::Status& s) {
  if (!s.ok()) throw Error(s.message());
}

class DeviceCard final : public Card {
 public:
  explicit DeviceCard(const CardOptions& o) : memory_bytes_(o.memory_bytes) {
    must(driver::open_device({.backend = o.on, .config = o.config, .memory_bytes = o.memory_bytes}, device_));
    must(device_->alloc(memory_bytes_, base_));
    thread_ = std::thread([this] { serve(); });
  }
  ~DeviceCard() override {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    while (!over_) {  // an abort that comes before the job is at work is lost
      (void)device_->abort();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    thread_.join();
  }

  u64 memory_bytes() const override { return memory_bytes_; }
  void write_memory(u64 offset, Bytes bytes) override {
    const auto lock = idle();
    must(device_->copy_in(base_ + offset, bytes));
  }
  void read_memory(u64 offset, std::span<u8> bytes) override {
    const auto lock = idle();
    must(device_->copy_out(base_ + offset, bytes));
  }

  u32 read(u32 offset) override {
    std::lock_guard lock(mutex_);
    switch (offset) {
      case csr::ap_gie: return global_;
      case csr::ap_ier: return enabled_;
      case csr::ap_isr: return happened_;
      default: break;
    }
    if (running_) {
      if (aborting_) (void)device_->abort();
      const bool fixed = offset >= csr::id && offset <= csr::config_hash;
      if (!fixed) return offset == csr::ap_ctrl || offset == csr::status ? 1 : 0;
    }
    u32 value = 0;
    must(device_->read_csr(offset, value));
    return value;
  }

  void write(u32 offset, u32 value) override {
    std::lock_guard lock(mutex_);
    switch (offset) {
      case csr::ap_gie: global_ = value & 1; return;
      case csr::ap_ier: enabled_ = value & 1; return;
      case csr::ap_isr: happened_ &= ~value; return;
      case csr::ap_ctrl:
        if ((value & 1) == 0 || running_) return;
        running_ = true;
        aborting_ = false;
        changed_.notify_all();
        return;
      default: break;
    }
    if (!running_) return must(device_->write_csr(offset, value));
    if (offset != csr::control || (value & 1) == 0) return;
    aborting_ = true;
    (void)device_->abort();
  }

  bool work() override { return false; }

 private:
  std::unique_lock<std::mutex> idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !running_; });
    return lock;
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return running_ || closing_; });
      if (closing_) break;
      lock.unlock();
      driver::Status s = device_->start();
      if (s.ok()) s = device_->wait(0);
      lock.lock();
      // A job that cannot begin (a program outside the memory) ends at once, as one that the bus refused.
      if (!s.ok()) std::fprintf(stderr, "%s\n", s.message().c_str());
      running_ = aborting_ = false;
      happened_ |= enabled_;
      changed_.notify_all();
    }
    over_ = true;
  }

  const u64 memory_bytes_;
  std::unique_ptr<driver::Device> device_;
  u64 base_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool running_ = false, aborting_ = false, closing_ = false;
  std::atomic<bool> over_ = false;
  u32 global_ = 0, enabled_ = 0, happened_ = 0;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Card> make_device_card(const CardOptions& options) { return std::make_unique<DeviceCard>(options); }

std::unique_ptr<Card> make_card(const CardOptions& options) {
  const spec::Config* config = spec::find_config(options.config.c_str());
  if (config == nullptr) throw Error("xrt card", "configuration", options.config, "one of spec/configs");
  const std::string on = options.on.substr(0, options.on.find(':'));
  if (on == "model" || on == "cycle" || on == "systemc") return make_device_card(options);
  if (on == "rtl") return make_rtl_card(options);
  if (on == "hls") return make_hls_card(options);
  throw Error("xrt card", "simulator", options.on, "model, hls, cycle, systemc or rtl");
}

}  // namespace jogak::xrt_card
