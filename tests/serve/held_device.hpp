// A machine that can be held before a launch, and that can fail: for what depends on the moment.
#pragma once

#include <condition_variable>
#include <mutex>

#include "driver/device.hpp"

namespace jogak::tests {

// Shared by the device and the test.
class Hold {
 public:
  // Launches that may begin from now on; -1: all.
  void allow(int launches) {
    const std::lock_guard lock(mutex_);
    allowed_ = launches;
    changed_.notify_all();
  }
  void fail_next() {
    const std::lock_guard lock(mutex_);
    fail_ = true;
  }
  // Returns when a launch is held.
  void wait_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_; });
  }
  // Called for a launch: false if it shall fail.
  bool pass() {
    std::unique_lock lock(mutex_);
    held_ = allowed_ == 0;
    changed_.notify_all();
    changed_.wait(lock, [&] { return allowed_ != 0; });
    held_ = false;
    if (allowed_ > 0) --allowed_;
    return !std::exchange(fail_, false);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int allowed_ = -1;
  bool held_ = false, fail_ = false;
};

class HeldDevice final : public driver::Device {
 public:
  using Status = driver::Status;
  HeldDevice(std::unique_ptr<driver::Device> inner, Hold& hold) : inner_(std::move(inner)), hold_(hold) {}
  driver::DeviceInfo info() const override { return inner_->info(); }
  Status alloc(std::uint64_t bytes, std::uint64_t& address) override { return inner_->alloc(bytes, address); }
  Status free(std::uint64_t address) override { return inner_->free(address); }
  Status copy_in(std::uint64_t address, std::span<const std::uint8_t> bytes) override { return inner_->copy_in(address, bytes); }
  Status copy_out(std::uint64_t address, std::span<std::uint8_t> bytes) override { return inner_->copy_out(address, bytes); }
  Status write_csr(std::uint32_t offset, std::uint32_t value) override { return inner_->write_csr(offset, value); }
  Status read_csr(std::uint32_t offset, std::uint32_t& value) override { return inner_->read_csr(offset, value); }
  Status start() override {
    if (!hold_.pass()) return {driver::Code::device, "test device: launch, found a failure, expected none"};
    return inner_->start();
  }
  Status wait(std::uint64_t limit) override { return inner_->wait(limit); }
  Status abort() override { return inner_->abort(); }
  Status trace(driver::TraceCallback callback) override { return inner_->trace(std::move(callback)); }

 private:
  std::unique_ptr<driver::Device> inner_;
  Hold& hold_;
};

}  // namespace jogak::tests
