#include "batcher.hpp"

#include <algorithm>

#include "teller.hpp"

namespace jogak {

namespace {
// Tokens that a caller may lag behind before its sequence is left out of launches.
constexpr std::size_t kAhead = 8;
}  // namespace

struct Batcher::Job {
  Job(const Tokenizer& tokenizer, const std::vector<int>& prompt_ids, const GenerateOptions& wishes)
      : options(wishes), prompt(prompt_ids), teller(tokenizer, prompt, options), sampler(wishes.sampling) {}

  GenerateOptions options;
  std::vector<int> prompt;
  Teller teller;
  Sampler sampler;
  std::size_t fed = 0;    // tokens of the prompt in the cache
  int next = -1;          // the token to feed once the prompt is done
  int sequence = -1;
  // For the caller, under the batcher's mutex.
  std::deque<Token> made;
  bool cancelled = false, done = false;
  Generation result;
  std::exception_ptr error;
};

Batcher::Batcher(BatchSession& batch) : batch_(batch), thread_([this] { work(); }) {}

Batcher::~Batcher() {
  stop();
  thread_.join();
  for (const int sequence : idle_) batch_.remove(sequence);
  batch_.resume();
}

void Batcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  batch_.abort();
  changed_.notify_all();
}

std::uint64_t Batcher::launches() const {
  const std::lock_guard lock(mutex_);
  return launches_;
}
std::uint64_t Batcher::rows() const {
  const std::lock_guard lock(mutex_);
  return rows_;
}

Generation Batcher::generate(const std::vector<int>& prompt, const GenerateOptions& options, const std::function<bool(const Token&)>& on_token) {
  const ModelInfo& model = batch_.model();
  if (options.drafter != nullptr) throw Error("batch", "guesses", "a drafter", "none where several sequences share launches");
  if (options.tokens < 0) throw Error("batch", "tokens to make", std::to_string(options.tokens), "0 (no limit) or more");
  if (prompt.empty() || static_cast<int>(prompt.size()) > model.context)
    throw Error("batch", "length of the prompt", std::to_string(prompt.size()) + " tokens", "1 to the context of " + std::to_string(model.context));
  for (const int id : prompt)
    if (id < 0 || id >= model.vocab) throw Error("batch", "token", std::to_string(id), "0 to " + std::to_string(model.vocab - 1));
  const auto job = std::make_shared<Job>(batch_.language_model().tokenizer, prompt, options);
  std::unique_lock lock(mutex_);
  if (stopping_) return job->teller.finish(Stop::aborted);
  waiting_.push_back(job);
  changed_.notify_all();
  while (true) {
    changed_.wait(lock, [&] { return job->done || !job->made.empty(); });
    if (job->made.empty()) break;
    const Token token = std::move(job->made.front());
    job->made.pop_front();
    changed_.notify_all();
    lock.unlock();
    const bool more = !on_token || on_token(token);
    lock.lock();
    job->cancelled |= !more;
  }
  if (job->error) std::rethrow_exception(job->error);
  return std::move(job->result);
}

std::size_t Batcher::pages_of(const Job& job) const {
  const auto context = static_cast<std::size_t>(batch_.model().context), page = static_cast<std::size_t>(batch_.page_tokens());
  const std::size_t most = job.options.tokens == 0 ? context : std::min(context, job.prompt.size() + static_cast<std::size_t>(job.options.tokens));
  return (most + page - 1) / page;
}

void Batcher::admit() {
  const auto pages = static_cast<std::size_t>(batch_.language_model().kv.pages);
  while (!waiting_.empty() && static_cast<int>(running_.size()) < batch_.most() && reserved_ + pages_of(*waiting_.front()) <= pages) {
    const std::shared_ptr<Job> job = waiting_.front();
    waiting_.pop_front();
    job->sequence = sequence_for(*job);
    reserved_ += pages_of(*job);
    running_.push_back(job);
  }
}

int Batcher::sequence_for(Job& job) {
  std::size_t best = 0;
  auto found = idle_.end();
  for (auto i = idle_.begin(); job.options.keep_prefix && i != idle_.end(); ++i) {
    const auto history = batch_.history(*i);
    const std::size_t most = std::min(history.size(), job.prompt.size() - 1);
    const auto same = static_cast<std::size_t>(std::mismatch(history.begin(), history.begin() + static_cast<std::ptrdiff_t>(most), job.prompt.begin()).first - history.begin());
    if (same > best && 2 * same >= history.size()) best = same, found = i;
  }
  if (found == idle_.end()) return batch_.add();
  const int sequence = *found;
  idle_.erase(found);
  batch_.rewind(sequence, static_cast<int>(best));
  job.fed = best;
  job.teller.generation.reused = static_cast<int>(best);
  return sequence;
}

void Batcher::end(Job& job, Stop stop, std::exception_ptr error) {
  if (job.sequence >= 0) {
    reserved_ -= pages_of(job);
    if (error) batch_.remove(job.sequence);
    else idle_.push_back(job.sequence);
  }
  job.result = job.teller.finish(stop);
  job.error = error;
  job.done = true;
}

void Batcher::end_all(Stop stop, std::exception_ptr error) {
  for (const auto& job : running_) end(*job, stop, error);
  running_.clear();
  if (error) return;
  for (const auto& job : waiting_) end(*job, stop);
  waiting_.clear();
}

void Batcher::drop_gone() {
  const auto gone = [this](const std::shared_ptr<Job>& job) {
    if (!job->cancelled && (!job->options.go_on || job->options.go_on())) return false;
    end(*job, Stop::callback);
    return true;
  };
  std::erase_if(running_, gone);
  std::erase_if(waiting_, gone);
}

std::vector<BatchPart> Batcher::compose(Jobs& jobs) {
  std::vector<BatchPart> parts;
  auto left = static_cast<std::size_t>(batch_.model().rows);
  for (const auto& job : running_)
    if (job->fed == job->prompt.size() && job->made.size() < kAhead) parts.push_back({job->sequence, {job->next}}), jobs.push_back(job), --left;
  for (const auto& job : running_) {
    const std::size_t now = std::min(left, job->prompt.size() - job->fed);
    if (now == 0) continue;
    const auto from = job->prompt.begin() + static_cast<std::ptrdiff_t>(job->fed);
    parts.push_back({job->sequence, {from, from + static_cast<std::ptrdiff_t>(now)}});
    jobs.push_back(job);
    left -= now;
  }
  return parts;
}

// Pages of those that ended long ago go to those that run.
void Batcher::make_room(const std::vector<BatchPart>& parts) {
  const auto page = static_cast<std::size_t>(batch_.page_tokens());
  std::size_t pages = 0;
  for (const BatchPart& p : parts) {
    const std::size_t had = batch_.history(p.sequence).size();
    pages += (had + p.ids.size() + page - 1) / page - (had + page - 1) / page;
  }
  while (static_cast<std::size_t>(batch_.free_pages()) < pages && !idle_.empty()) {
    batch_.remove(idle_.front());
    idle_.pop_front();
  }
}

// The launch had `rows` of the job's tokens; behind the last of a prompt, and behind every token made, comes the next one.
void Batcher::take(Job& job, std::size_t rows, const std::vector<float>& logits) {
  if (job.fed < job.prompt.size()) job.fed += rows;
  if (job.fed < job.prompt.size()) return;
  job.next = job.sampler.pick(logits);
  std::optional<Stop> stop = job.teller.put(job.next, [&](const Token& t) {
    job.made.push_back(t);
    return true;
  });
  if (!stop && batch_.room(job.sequence) == 0) stop = Stop::context;
  if (!stop) return;
  end(job, *stop);
  std::erase_if(running_, [&](const auto& other) { return other.get() == &job; });
}

void Batcher::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty() || !running_.empty(); });
    drop_gone();
    admit();
    Jobs jobs;
    const std::vector<BatchPart> parts = compose(jobs);
    if (stopping_) break;
    if (parts.empty()) {  // all have ended, or their callers lag behind
      changed_.notify_all();
      if (!running_.empty()) changed_.wait(lock);
      continue;
    }
    make_room(parts);
    lock.unlock();
    std::vector<std::vector<float>> logits;
    std::exception_ptr error;
    try {
      logits = batch_.step(parts);
    } catch (...) {
      error = std::current_exception();
    }
    batch_.clear_steps();
    lock.lock();
    ++launches_;
    if (error && !stopping_) end_all(Stop::aborted, error);
    for (std::size_t i = 0; i < logits.size(); ++i) {
      rows_ += parts[i].ids.size();
      take(*jobs[i], parts[i].ids.size(), logits[i]);
    }
    changed_.notify_all();
  }
  end_all(Stop::aborted, {});
  changed_.notify_all();
}

}  // namespace jogak
