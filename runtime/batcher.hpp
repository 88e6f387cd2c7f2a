// Continuous batching: callers in several threads, whose sequences share launches. A prompt goes in beside the tokens that others make, and
// each caller gets the tokens it would get alone.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "batch_session.hpp"
#include "session.hpp"

namespace jogak {

class Batcher {
 public:
  // The session is the batcher's as long as this lives.
  explicit Batcher(BatchSession& batch);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // From any thread, which waits for the end; on_token runs in it. As Session::generate with keep_prefix, but without a drafter, which is
  // refused; throws what the machine throws, and then all callers in that launch get it.
  Generation generate(const std::vector<int>& prompt, const GenerateOptions& options, const std::function<bool(const Token&)>& on_token = {});
  // From any thread: every generation ends with Stop::aborted, later ones at once.
  void stop();
  std::uint64_t launches() const;
  std::uint64_t rows() const;  // of all launches

 private:
  struct Job;
  using Jobs = std::vector<std::shared_ptr<Job>>;
  void work();
  void admit();
  // A sequence with what is kept of the job's prompt: an idle one of which at least half is the prompt's beginning, or a new one.
  int sequence_for(Job& job);
  std::size_t pages_of(const Job& job) const;
  void end(Job& job, Stop stop, std::exception_ptr error = {});
  void end_all(Stop stop, std::exception_ptr error);
  void drop_gone();
  // Next tokens of all that run: one of each that makes tokens, the rest of the rows for prompts in their order.
  std::vector<BatchPart> compose(Jobs& jobs);
  void make_room(const std::vector<BatchPart>& parts);
  void take(Job& job, std::size_t rows, const std::vector<float>& logits);

  BatchSession& batch_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> waiting_;
  Jobs running_;
  std::deque<int> idle_;       // sequences of generations that ended, the oldest first: prefixes of others to come
  std::size_t reserved_ = 0;   // pages that those that run may come to need
  std::uint64_t launches_ = 0, rows_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace jogak
