#include "server_queue.hpp"

#include <algorithm>
#include <chrono>

namespace jogak::serve {

// How soon the end of a waiting client is noticed.
constexpr std::chrono::milliseconds kLook{100};

Entry Turns::enter(const std::function<bool()>& gone) {
  std::unique_lock lock(mutex_);
  if (closed_) return Entry::closed;
  if ((taken_ == at_once_ || !waiting_.empty()) && waiting_.size() >= most_) return Entry::full;
  const std::uint64_t ticket = next_++;
  waiting_.push_back(ticket);
  Entry result = Entry::gone;
  while (true) {
    if (closed_) {
      result = Entry::closed;
      break;
    }
    if (taken_ < at_once_ && waiting_.front() == ticket) {
      if (gone()) break;
      ++taken_;
      result = Entry::mine;
      break;
    }
    if (changed_.wait_for(lock, kLook) == std::cv_status::timeout && gone()) break;
  }
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), ticket));
  changed_.notify_all();
  return result;
}

void Turns::leave() {
  const std::lock_guard lock(mutex_);
  --taken_;
  changed_.notify_all();
}

void Turns::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Turns::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

int Turns::waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(waiting_.size());
}

}  // namespace jogak::serve
