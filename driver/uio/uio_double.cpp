#include "uio_double.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "../doubles.hpp"
#include "error.hpp"
#include "uio.hpp"

namespace jogak::driver::uio {
namespace {

namespace csr = spec::csr;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

void must(const Status& s) {
  if (!s.ok()) throw Error(s.message());
}

// The model on a thread of its own; registers and interrupt line in front of it.
class Board {
 public:
  Board(const std::string& config, u64 memory_bytes, std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {
    must(open_device({.backend = "model", .config = config, .memory_bytes = memory_bytes}, model_));
    must(model_->alloc(memory_bytes, base_));
    thread_ = std::thread([this] { serve(); });
  }
  ~Board() {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
      (void)model_->abort();
    }
    changed_.notify_all();
    thread_.join();
  }

  u32 read(u32 offset) {
    std::lock_guard lock(mutex_);
    if (running_) {
      if (aborting_) (void)model_->abort();  // the first may have come before the model began
      const bool fixed = offset >= csr::id && offset <= csr::config_hash;
      if (!fixed) return offset == csr::ap_ctrl || offset == csr::status ? 1 : 0;
    }
    u32 value = 0;
    must(model_->read_csr(offset, value));
    return value;
  }

  void write(u32 offset, u32 value) {
    std::lock_guard lock(mutex_);
    if (!running_ && offset == csr::ap_ctrl && (value & 1) != 0) {
      running_ = true;
      changed_.notify_all();
    } else if (running_ && offset == csr::control && (value & 1) != 0) {
      aborting_ = true;
      (void)model_->abort();
    } else if (!running_) {
      must(model_->write_csr(offset, value));
      drive_line();
    }
  }

  void enable_interrupt() {
    std::lock_guard lock(mutex_);
    allowed_ = true;
    drive_line();
  }

  bool wait_interrupt(int milliseconds) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [this] { return pending_; })) return false;
    pending_ = false;
    return true;
  }

  Seen& seen() { return *seen_; }
  Device& model() { return *model_; }
  u64 base() const { return base_; }
  void fail(const std::string& mistake) { seen_->mistakes.push_back(mistake); }
  bool running() {
    std::lock_guard lock(mutex_);
    return running_;
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return running_ || closing_; });
      if (closing_) return;
      lock.unlock();
      const Status s = model_->start();
      lock.lock();
      if (!s.ok()) fail(s.message());
      running_ = aborting_ = false;
      drive_line();
    }
  }

  // A level: raised while a finished job is not acknowledged. The kernel masks it when it passes it on.
  void drive_line() {
    u32 isr = 0, ier = 0, gie = 0;
    must(model_->read_csr(csr::ap_isr, isr));
    must(model_->read_csr(csr::ap_ier, ier));
    must(model_->read_csr(csr::ap_gie, gie));
    if (!allowed_ || (isr & ier & gie & 1) == 0 || seen_->lose_interrupts) return;
    allowed_ = false;
    pending_ = true;
    ++seen_->interrupts;
    changed_.notify_all();
  }

  std::shared_ptr<Seen> seen_;
  std::unique_ptr<Device> model_;
  u64 base_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool running_ = false, aborting_ = false, closing_ = false;
  bool allowed_ = false, pending_ = false;
  std::thread thread_;
};

class DoubleRegisters final : public Registers {
 public:
  explicit DoubleRegisters(std::shared_ptr<Board> board) : board_(std::move(board)) {}
  u32 read(u32 offset) override { return board_->read(offset); }
  void write(u32 offset, u32 value) override { board_->write(offset, value); }
  void enable_interrupt() override { board_->enable_interrupt(); }
  bool wait_interrupt(int milliseconds) override { return board_->wait_interrupt(milliseconds); }

 private:
  std::shared_ptr<Board> board_;
};

// The processor's view is a copy that only the two operations bring in step with the machine's, line by line.
class CachedMemory final : public Memory {
 public:
  CachedMemory(std::shared_ptr<Board> board, u64 bytes) : board_(std::move(board)), view_(static_cast<std::size_t>(bytes), 0xEE) {}
  ~CachedMemory() override {
    if (board_->running()) board_->fail("memory given back while a job runs");
  }
  std::span<std::uint8_t> bytes() override { return view_; }
  u64 address() const override { return board_->base(); }
  void to_device(u64 at, u64 bytes) override {
    must(board_->model().copy_in(board_->base() + at, range(at, bytes)));
  }
  void from_device(u64 at, u64 bytes) override {
    must(board_->model().copy_out(board_->base() + at, range(at, bytes)));
  }

 private:
  std::span<std::uint8_t> range(u64 at, u64 bytes) {
    ++board_->seen().syncs;
    if (at % kCacheLine != 0 || bytes % kCacheLine != 0 || bytes == 0) board_->fail("cache operation on a part of a line");
    if (at + bytes > view_.size()) throw Error("uio double", "cache operation", std::to_string(at) + " + " + std::to_string(bytes), "inside the buffer");
    return std::span(view_).subspan(at, bytes);
  }

  std::shared_ptr<Board> board_;
  std::vector<std::uint8_t> view_;
};

}  // namespace

Ports make_double(const std::string& config, u64 memory_bytes, std::shared_ptr<Seen> seen) {
  auto board = std::make_shared<Board>(config, memory_bytes, std::move(seen));
  Ports ports;
  ports.place = "double";
  ports.registers = std::make_unique<DoubleRegisters>(board);
  ports.memory = std::make_unique<CachedMemory>(board, memory_bytes);
  return ports;
}

namespace {

const RegisterDouble registered("uio", [](const OpenOptions& options, std::unique_ptr<Device>& device) {
  return open_on(make_double("nano", options.memory_bytes, std::make_shared<Seen>()), options, device);
});

}  // namespace
}  // namespace jogak::driver::uio
