// Some compilers define it by themselves; its longjmp ends the program where a jump leads to another stack.
#undef _FORTIFY_SOURCE

#include "processes.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <exception>

namespace csim {

namespace {
thread_local Region* current = nullptr;
thread_local std::size_t factor = 1;
thread_local std::vector<Declared>* recorded = nullptr;
thread_local std::function<std::uint64_t()> source;
thread_local std::uint64_t order = 0;
constexpr std::size_t kStack = 256 << 10;
struct Cancelled {};  // what ends a process whose region ends before it
}  // namespace

struct Region::Fibre {
  std::string name;
  bool task, ended = false, cancelled = false;
  Instance* instance = csim::instance();
  std::function<void()> body;
  std::unique_ptr<char[]> stack{new char[kStack]};
  ucontext_t context, home;  // to enter it for the first time
  jmp_buf here, back;        // to go on with it, and to come back: no system calls
  bool entered = false;
  const Channel* channel = nullptr;
  const char* why = "";
  const Region* inner = nullptr;  // where it has one
  std::exception_ptr thrown;
};

std::size_t depth_factor() { return factor; }
void set_depth_factor(std::size_t f) { factor = f; }
void set_order(std::uint64_t seed) { order = seed; }

std::uint64_t time() { return source ? source() : 0; }
void set_time(std::function<std::uint64_t()> from) { source = std::move(from); }

void record_streams(std::vector<Declared>* to) { recorded = to; }
void declare(const Declared& stream) {
  if (recorded != nullptr) recorded->push_back(stream);
}

void moved() { ++current->moves_; }
void wait(const Channel& channel, const char* why) {
  current->running_->channel = &channel;
  current->running_->why = why;
  current->yield();
}

Channel::Channel(const char* name) : name_(name), of_(instance()) {}
void Channel::end(std::size_t count) const {
  if (count != 0 && of_ != nullptr) of_->left_ += (of_->left_.empty() ? "" : ", ") + std::to_string(count) + " in " + name_;
}

std::string Instance::take_left() {
  std::string left;
  left.swap(left_);
  return left;
}
std::size_t Instance::next_place() {
  static std::size_t places = 0;
  return places++;
}
void Instance::put(std::size_t at, std::shared_ptr<void> box) {
  if (at >= kept_.size()) kept_.resize(at + 1);
  kept_[at] = std::move(box);
}

Region::Region() : outer_(current) { current = this; }
// Processes leave their stacks as an exception would; tasks have nothing to leave.
Region::~Region() {
  Instance* const used = instance();
  for (const auto& f : fibres_) {
    if (f->task || f->ended || !f->entered) continue;
    f->cancelled = true;
    current = this;
    instance() = f->instance;
    resume(*f);
  }
  current = outer_;
  instance() = used;
}

void Region::process(const std::string& name, std::function<void()> body) { add(name, false, std::move(body)); }
void Region::task(const std::string& name, std::function<void()> body) { add(name, true, std::move(body)); }

void Region::add(const std::string& name, bool task, std::function<void()> body) {
  fibres_.emplace_back(new Fibre);
  Fibre& f = *fibres_.back();
  f.name = name, f.task = task, f.body = std::move(body);
  getcontext(&f.context);
  f.context.uc_stack.ss_sp = f.stack.get();
  f.context.uc_stack.ss_size = kStack;
  f.context.uc_link = nullptr;
  makecontext(&f.context, &Region::enter, 0);
}

// On the fibre's own stack. A task that has moved nothing in a call waits for others to.
void Region::enter() {
  Region& region = *current;
  Fibre& f = *region.running_;
  try {
    do {
      const std::size_t before = region.moves_;
      f.body();
      if (f.task && region.moves_ == before) {
        f.channel = nullptr;
        region.yield();
      }
    } while (f.task);
  } catch (...) {
    f.thrown = std::current_exception();
  }
  f.ended = true;
  _longjmp(f.back, 1);
}

void Region::yield() {
  Fibre& f = *running_;
  if (_setjmp(f.here) == 0) _longjmp(f.back, 1);
  if (f.cancelled) throw Cancelled();
}

void Region::resume(Fibre& f) {
  running_ = &f;
  if (_setjmp(f.back) != 0) return;
  if (f.entered) _longjmp(f.here, 1);
  f.entered = true;
  swapcontext(&f.home, &f.context);
}

bool Region::pass() {
  Region* const region = current;
  Instance* const used = instance();
  const std::size_t before = moves_, count = fibres_.size();
  bool ended = false;
  std::size_t at = 0, step = 1;
  if (order != 0) draw(at, step);
  for (std::size_t i = 0; i < count; ++i, at += step) {
    Fibre* const f = fibres_[at % count].get();
    if (f->ended || (nap_ > 0 && at % count == sleeper_)) continue;
    current = this;
    instance() = f->instance;
    resume(*f);
    ended |= f->ended;
    if (f->thrown) break;
  }
  running_ = nullptr;
  current = region;
  instance() = used;
  for (const auto& f : fibres_)
    if (f->thrown) std::rethrow_exception(f->thrown);
  const bool moved = ended || moves_ != before;
  const bool again = !moved && nap_ > 0;  // perhaps the sleeper can go on
  awake_ = again;
  if (again) nap_ = 0;
  return moved || again;
}

void Region::draw(std::size_t& at, std::size_t& step) {
  constexpr std::size_t kSteps[] = {1, 61, 67, 71};  // from any process on, each as far behind the last: primes above their number
  constexpr std::size_t kNap = 32;
  order = order * 6364136223846793005u + 1442695040888963407u;
  at = order >> 40;
  if (fibres_.size() < kSteps[1]) step = kSteps[order >> 38 & 3];
  if (nap_ > 0) --nap_;
  else if (!awake_) sleeper_ = (order >> 33) % fibres_.size(), nap_ = (order >> 20) % kNap;
}

bool Region::over() const {
  return std::none_of(fibres_.begin(), fibres_.end(), [](const auto& f) { return !f->task && !f->ended; });
}

// What happens here is something that happens there.
void Region::tell_outer() {
  if (outer_ == nullptr) return;
  outer_->moves_ += moves_ - told_;
  told_ = moves_;
}

void Region::run() {
  while (!over()) {
    if (pass()) continue;
    if (outer_ == nullptr || outer_->running_ == nullptr) throw Deadlock("hls: no process can go on:" + stuck());
    tell_outer();
    outer_->running_->channel = nullptr;
    outer_->running_->inner = this;
    outer_->yield();
    current = this;
    outer_->running_->inner = nullptr;
  }
  while (pass()) {}
  tell_outer();
}

std::string Region::stuck() const {
  std::string text;
  for (const auto& f : fibres_) {
    if (f->ended) continue;
    if (f->inner != nullptr) text += " " + f->name + ":" + f->inner->stuck();
    else if (f->channel != nullptr) text += " " + f->name + " finds " + f->channel->name() + " " + f->why + ";";
  }
  return text;
}

}  // namespace csim
