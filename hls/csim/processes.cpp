// Some compilers define it by themselves; its longjmp ends the program where a jump leads to another stack.
#undef _FORTIFY_SOURCE

#include "processes.h"

#include <setjmp.h>
#include <ucontext.h>

#include <exception>

namespace csim {

namespace {
thread_local Region* current = nullptr;
thread_local std::size_t factor = 1;
constexpr std::size_t kStack = 256 << 10;
}  // namespace

struct Region::Fibre {
  const char* name;
  bool task, ended = false;
  std::function<void()> body;
  std::unique_ptr<char[]> stack{new char[kStack]};
  ucontext_t context, home;  // to enter it for the first time
  jmp_buf here, back;        // to go on with it, and to come back: no system calls
  bool entered = false;
  const Channel* channel = nullptr;
  const char* why = "";
  std::exception_ptr thrown;
};

std::size_t depth_factor() { return factor; }
void set_depth_factor(std::size_t f) { factor = f; }

void moved() { ++current->moves_; }
void wait(const Channel& channel, const char* why) {
  current->running_->channel = &channel;
  current->running_->why = why;
  current->yield();
}

Region::Region() { current = this; }
Region::~Region() { current = nullptr; }

void Region::process(const char* name, std::function<void()> body) { add(name, false, std::move(body)); }
void Region::task(const char* name, std::function<void()> body) { add(name, true, std::move(body)); }

void Region::add(const char* name, bool task, std::function<void()> body) {
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
}

void Region::resume(Fibre& f) {
  running_ = &f;
  if (_setjmp(f.back) != 0) return;
  if (f.entered) _longjmp(f.here, 1);
  f.entered = true;
  swapcontext(&f.home, &f.context);
}

void Region::run() {
  for (bool open = true; open;) {
    open = false;
    const std::size_t before = moves_;
    bool ended = false;
    for (const auto& f : fibres_) {
      if (f->ended) continue;
      resume(*f);
      if (f->thrown) std::rethrow_exception(f->thrown);
      ended |= f->ended;
      open |= !f->task && !f->ended;
    }
    if (open && !ended && moves_ == before) throw Deadlock(stuck());
  }
}

std::string Region::stuck() const {
  std::string text = "hls: no process can go on:";
  for (const auto& f : fibres_) {
    if (f->ended || f->channel == nullptr) continue;
    text += std::string(" ") + f->name + " finds " + f->channel->name() + " " + f->why + ";";
  }
  return text;
}

}  // namespace csim
