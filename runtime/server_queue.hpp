// Many requests: so many have their turn at the same time, in the order in which they came, and only so many may wait.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace jogak::serve {

enum class Entry { mine, full, gone, closed };

class Turns {
 public:
  explicit Turns(int most_waiting, int at_once = 1) : most_(static_cast<std::size_t>(most_waiting)), at_once_(at_once) {}
  // Waits until it is this caller's turn (then leave() must follow), `gone` says that nobody waits for the answer any
  // more, or the queue is closed. Full: all turns are taken and `most_waiting` wait already.
  Entry enter(const std::function<bool()>& gone);
  void leave();
  // Turns all that wait and all that come away.
  void close();
  bool closed() const;
  int waiting() const;

 private:
  const std::size_t most_;
  const int at_once_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::uint64_t> waiting_;
  std::uint64_t next_ = 0;
  int taken_ = 0;
  bool closed_ = false;
};

}  // namespace jogak::serve
