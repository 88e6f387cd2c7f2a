// C simulation only: the processes of a dataflow region as fibres of one thread. One runs until a stream stops it; order is fixed, so
// every run of the same program is the same. A process may have a region of its own: kernels beside each other are processes of one region.
#ifndef JOGAK_CSIM_PROCESSES_H
#define JOGAK_CSIM_PROCESSES_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace csim {

// No process can go on although some have not ended: says which waits for which stream.
class Deadlock : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Instance;

class Channel {
 public:
  explicit Channel(const char* name);
  const char* name() const { return name_; }

 protected:
  ~Channel() {}
  // At its end: how much is in it.
  void end(std::size_t count) const;

 private:
  const char* name_;
  Instance* of_;  // whose it is; nullptr: of no kernel
};

// Streams are this many times as deep as they are declared; 1 shows whether the declared depths are enough.
std::size_t depth_factor();
void set_depth_factor(std::size_t factor);

// Streams as they are declared, while somebody asks: all that are made in this thread. nullptr ends it.
struct Declared {
  const char* name;
  std::size_t bytes, depth;  // of an element; elements
};
void record_streams(std::vector<Declared>* to);
void declare(const Declared& stream);
// How the processes of a region have their turns: 0, always as they were made; else in another order every round, and one of them is left out
// for a while, as slow hardware is; the same for the same seed. What a kernel computes may not depend on it.
void set_order(std::uint64_t seed);

// The process at hand can't go on now. `why` is said of the channel in a deadlock.
void wait(const Channel& channel, const char* why);
// What the kernel's clock tells: 0, or what a test wants it to.
std::uint64_t time();
void set_time(std::function<std::uint64_t()> source);

// Something went through a stream.
void moved();

// What the processes of one kernel keep from call to call and from job to job: a T for each place in the sources that names one (Tag), 0 at
// first.
class Instance {
 public:
  template <class T, class Tag>
  T& state() {
    const std::size_t at = Place<T, Tag>::number;
    if (at >= kept_.size() || !kept_[at]) put(at, std::shared_ptr<void>(new Box<T>()));
    return static_cast<Box<T>*>(kept_[at].get())->value;
  }
  // Which of its streams ended with something in them since the last call: a device keeps that for the next job.
  std::string take_left();

 private:
  friend class Channel;
  template <class T>
  struct Box {
    T value;
  };
  template <class T, class Tag>
  struct Place {
    static const std::size_t number;
  };
  static std::size_t next_place();
  void put(std::size_t at, std::shared_ptr<void> box);

  std::vector<std::shared_ptr<void>> kept_;
  std::string left_;
};
template <class T, class Tag>
const std::size_t Instance::Place<T, Tag>::number = Instance::next_place();

// The one whose processes are made and run now.
inline Instance*& instance() {
  static thread_local Instance* now = nullptr;
  return now;
}
class Use {
 public:
  explicit Use(Instance& with) : before_(instance()) { instance() = &with; }
  ~Use() { instance() = before_; }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Instance* before_;
};
template <class T, class Tag>
T& state() {
  return instance()->state<T, Tag>();
}

class Region {
 public:
  Region();
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  // A process that ends; a task that is called again and again, and ends with the region.
  void process(const std::string& name, std::function<void()> body);
  void task(const std::string& name, std::function<void()> body);
  // Until every process has ended and tasks have nothing more to do. Where none can go on, the processes around this region may; throws
  // Deadlock if there are none, or what a process threw.
  void run();
  // Each process that has not ended once, until a stream stops it; whether anything happened.
  bool pass();
  bool over() const;  // every process has ended
  std::string stuck() const;  // which process waits for which stream

 private:
  struct Fibre;
  void tell_outer();
  void draw(std::size_t& at, std::size_t& step);
  friend void wait(const Channel&, const char*);
  friend void moved();
  void add(const std::string& name, bool task, std::function<void()> body);
  static void enter();
  void yield();
  void resume(Fibre& fibre);

  std::vector<std::unique_ptr<Fibre>> fibres_;
  Region* const outer_;
  Fibre* running_ = nullptr;
  std::size_t moves_ = 0, told_ = 0;
  std::size_t sleeper_ = 0, nap_ = 0;  // it is left out for so many rounds
  bool awake_ = true;                  // nobody is, as nothing else happened
};

}  // namespace csim

#endif
