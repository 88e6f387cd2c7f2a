// A board with LiteX's bridge: memory and registers through the line, the end of a job by asking.
//
// A line is slow and each question costs a way there and back, so registers that only a launch reads are collected and
// sent together, those that have their value already are not sent again, and the results of a job are fetched in two
// bursts.
#include "litex.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "../arena.hpp"
#include "../backends.hpp"
#include "../guard.hpp"
#include "../waits.hpp"
#include "board.hpp"
#include "error.hpp"
#include "untouched.hpp"

namespace jogak::driver {
namespace litex {
namespace {

namespace csr = spec::csr;

constexpr u32 kBusy = 1, kStart = 1, kAbort = 1;
constexpr u32 kCountersEnd = csr::counter + 8 * 64;
constexpr u32 kResultsEnd = csr::fault_addr_hi + 4;
constexpr std::size_t kZeros = 4096;  // words

// Registers that keep what is written and that nothing but a launch reads.
bool is_plain(u32 offset) {
  return (offset >= csr::launch_flags && offset <= csr::place) ||
         (offset >= csr::arg && offset < csr::arg + 4 * 16) ||
         (offset >= csr::win_base_lo && offset < csr::win_base_lo + 16 * 8);
}

class LitexDevice final : public Device {
 public:
  LitexDevice(std::unique_ptr<Bridge> bridge, Board board, std::string backend, const OpenOptions& options)
      : bridge_(std::move(bridge)), board_(std::move(board)), backend_(std::move(backend)), config_(options.config) {
    memory_.attach((options.memory_bytes + kPage - 1) / kPage * kPage, board_.memory);
  }
  // The machine must not go on writing into memory that somebody else gets next.
  ~LitexDevice() override {
    (void)guarded([&] {
      if (running_ && (ask(csr::status) & kBusy) != 0) tell(csr::control, kAbort);
      return Status{};
    });
  }

  DeviceInfo info() const override {
    return {backend_,
            "Configuration " + config_ + " on board " + board_.name + " at " + bridge_->name() + ", " +
                std::to_string(board_.clock_hz / 1'000'000) + " MHz.",
            config_, memory_.size(), true};
  }

  Status alloc(u64 bytes, u64& address) override {
    return guarded([&] {
      Status s = memory_.alloc(bytes, address);
      if (s.ok()) untouched_.add(address, (address + bytes + 3) / 4 * 4);
      return s;
    });
  }
  Status free(u64 address) override {
    return guarded([&] {
      const u64 bytes = memory_.bytes_of(address);
      Status s = memory_.free(address);
      if (s.ok()) untouched_.remove(address, address + (bytes + 3) / 4 * 4);
      return s;
    });
  }
  Status copy_in(u64 address, std::span<const u8> bytes) override {
    return guarded([&] {
      Status s = memory_.check(address, bytes.size());
      if (s.ok() && !bytes.empty()) write_memory(address, bytes);
      return s;
    });
  }
  Status copy_out(u64 address, std::span<u8> bytes) override {
    return guarded([&] {
      Status s = memory_.check(address, bytes.size());
      if (s.ok() && !bytes.empty()) read_memory(address, bytes);
      return s;
    });
  }

  Status write_csr(u32 offset, u32 value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (!s.ok()) return s;
      if (is_plain(offset)) {
        pending_[offset] = value;
      } else {
        flush();
        tell(offset, value);
      }
      return s;
    });
  }
  Status read_csr(u32 offset, u32& value) override {
    return guarded([&] {
      Status s = check_csr(offset);
      if (!s.ok()) return s;
      if (results_valid_ && result(offset, value)) return s;
      flush();
      value = ask(offset);
      return s;
    });
  }

  Status start() override {
    return guarded([&] {
      keep_promise(0, ~u64(0));
      flush();
      results_valid_ = false;
      stop_ = false;
      tell(csr::ap_isr, 1);
      ring();
      running_ = true;
      return Status{};
    });
  }
  Status wait(u64 limit) override {
    return guarded([&] { return wait_job(limit); });
  }
  Status abort() override {
    stop_ = true;
    return {};
  }
  Status trace(TraceCallback callback) override {
    if (!callback) return {};
    return {Code::unsupported, "litex device: trace, found registers only, expected the rtl backend"};
  }

 private:
  u32 ask(u32 offset) {
    u32 value = 0;
    bridge_->read(board_.npu + offset, std::span(&value, 1));
    return value;
  }
  void tell(u32 offset, u32 value) {
    results_valid_ = false;
    bridge_->write(board_.npu + offset, std::span(&value, 1));
  }

  // Sends what launch registers lack, neighbours together. After trouble a garbled command may have changed any of
  // them.
  void flush() {
    do {
      if (troubles_ != bridge_->troubles()) {
        pending_.merge(known_);
        known_.clear();
      }
      troubles_ = bridge_->troubles();
      send_pending();
    } while (troubles_ != bridge_->troubles());
  }
  void send_pending() {
    std::erase_if(pending_, [&](const auto& p) {
      const auto k = known_.find(p.first);
      return k != known_.end() && k->second == p.second;
    });
    for (auto it = pending_.begin(); it != pending_.end();) {
      const u32 first = it->first;
      std::vector<u32> words;
      for (; it != pending_.end() && it->first == first + 4 * words.size(); ++it) words.push_back(it->second);
      bridge_->write(board_.npu + first, words);
    }
    for (const auto& [offset, value] : pending_) known_[offset] = value;
    pending_.clear();
  }

  // A start is never sent twice: after trouble the machine is asked whether it came.
  void ring() {
    for (;;) {
      const u32 go = kStart;
      const Trouble t = bridge_->try_write(board_.npu + csr::ap_ctrl, std::span(&go, 1));
      if (t == Trouble::none) return;
      if ((ask(csr::status) & kBusy) != 0 || (ask(csr::ap_isr) & 1) != 0) {
        tell(csr::control, kAbort);
        throw Error("litex", "start of a job on board " + board_.name, "the line disturbed while it was sent",
                    "an undisturbed one; the job was aborted");
      }
      if (++lost_starts_ > kMostLostStarts)
        throw Error("litex", "start of a job on board " + board_.name, "it lost again and again",
                    "an undisturbed line");
      flush();
    }
  }

  Status wait_job(u64 limit) {
    auto pause = std::chrono::microseconds(50);
    while (running_ && (ask(csr::status) & kBusy) != 0) {
      if (stop_.exchange(false)) tell(csr::control, kAbort);
      if (limit != 0 && ask(csr::counter) >= limit)
        return {Code::timeout,
                "litex device: job, found it running after " + std::to_string(limit) + " cycles" + semaphore_waits([this](u32 offset) { return ask(offset); }) + ", expected its end"};
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::microseconds(5000));
    }
    if (running_) fetch_results();
    running_ = false;
    return {};
  }

  void fetch_results() {
    tell(csr::ap_isr, 1);
    std::vector<u32> head((kResultsEnd - csr::id) / 4), counters((kCountersEnd - csr::counter) / 4);
    bridge_->read(board_.npu + csr::id, head);
    bridge_->read(board_.npu + csr::counter, counters);
    head_ = std::move(head), counters_ = std::move(counters);
    results_valid_ = true;
  }
  bool result(u32 offset, u32& value) const {
    if (offset >= csr::id && offset < kResultsEnd) return value = head_[(offset - csr::id) / 4], true;
    if (offset >= csr::counter && offset < kCountersEnd) return value = counters_[(offset - csr::counter) / 4], true;
    return false;
  }

  // Writes the zeros that were promised between from and to.
  void keep_promise(u64 from, u64 to) {
    const std::vector<u32> zeros(kZeros);
    for (;;) {
      const auto [begin, end] = untouched_.within(from, to);
      if (begin == end) return;
      const u64 bytes = std::min<u64>(end - begin, 4 * kZeros);
      bridge_->write(static_cast<u32>(begin), std::span(zeros).first(static_cast<std::size_t>(bytes / 4)));
      untouched_.remove(begin, begin + bytes);
    }
  }

  // Whole words go over the line; what stands beside the bytes in the outer ones is read first.
  void write_memory(u64 address, std::span<const u8> bytes) {
    const u64 begin = address / 4 * 4, end = (address + bytes.size() + 3) / 4 * 4;
    std::vector<u8> whole(static_cast<std::size_t>(end - begin));
    if (begin != address) read_memory(begin, std::span(whole).first(4));
    if (end != address + bytes.size()) read_memory(end - 4, std::span(whole).last(4));
    std::copy(bytes.begin(), bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(address - begin));
    std::vector<u32> words(whole.size() / 4);
    for (std::size_t i = 0; i < whole.size(); ++i) words[i / 4] |= static_cast<u32>(whole[i]) << 8 * (i % 4);
    bridge_->write(static_cast<u32>(begin), words);
    untouched_.remove(begin, end);
  }
  void read_memory(u64 address, std::span<u8> bytes) {
    const u64 begin = address / 4 * 4, end = (address + bytes.size() + 3) / 4 * 4;
    keep_promise(begin, end);
    std::vector<u32> words(static_cast<std::size_t>(end - begin) / 4);
    bridge_->read(static_cast<u32>(begin), words);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const u64 at = address - begin + i;
      bytes[i] = static_cast<u8>(words[at / 4] >> 8 * (at % 4));
    }
  }

  static constexpr int kMostLostStarts = 4;

  std::unique_ptr<Bridge> bridge_;
  Board board_;
  std::string backend_, config_;
  Ranges memory_;
  Untouched untouched_;
  std::map<u32, u32> pending_, known_;  // launch registers by offset: to send, sent
  u64 troubles_ = 0;
  int lost_starts_ = 0;
  bool running_ = false, results_valid_ = false;
  std::vector<u32> head_, counters_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

Status open_on(std::unique_ptr<Transport> line, const std::string& backend, const OpenOptions& options,
               std::unique_ptr<Device>& device, Patience patience) {
  return guarded([&] {
    const spec::Config* config = spec::find_config(options.config.c_str());
    if (config == nullptr)
      return Status(Code::bad_argument,
                    "litex device: configuration, found " + options.config + ", expected one of spec/configs");
    auto bridge = std::make_unique<Bridge>(std::move(line), patience);
    Board board = meet(*bridge);
    check_machine(*bridge, board, *config);
    if (options.memory_bytes > board.memory_bytes)
      return Status(Code::out_of_memory, "litex device: memory of board " + board.name + ", found " +
                                             std::to_string(board.memory_bytes) + " bytes, expected at least " +
                                             std::to_string(options.memory_bytes));
    start_board(*bridge, board);
    device = std::make_unique<LitexDevice>(std::move(bridge), std::move(board), backend, options);
    return Status{};
  });
}

std::string config_on(std::unique_ptr<Transport> line, Patience patience) {
  Bridge bridge(std::move(line), patience);
  return config_of(bridge, meet(bridge));
}

}  // namespace litex

namespace {

std::string target_of(const std::string& backend) { return backend.substr(backend.find(':') + 1); }

Status ask_config(std::unique_ptr<litex::Transport> line, std::string& config) {
  config = litex::config_on(std::move(line));
  return {};
}

}  // namespace

Status open_litex(const OpenOptions& options, std::unique_ptr<Device>& device) {
  return guarded([&] { return litex::open_on(litex::open_tcp(target_of(options.backend)), "litex", options, device); });
}
Status open_uart(const OpenOptions& options, std::unique_ptr<Device>& device) {
  return guarded([&] { return litex::open_on(litex::open_uart(target_of(options.backend)), "uart", options, device); });
}
Status litex_config(const std::string& backend, std::string& config) {
  return guarded([&] { return ask_config(litex::open_tcp(target_of(backend)), config); });
}
Status uart_config(const std::string& backend, std::string& config) {
  return guarded([&] { return ask_config(litex::open_uart(target_of(backend)), config); });
}

}  // namespace jogak::driver
