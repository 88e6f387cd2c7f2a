// C simulation only: the processes of a dataflow region as fibres of one thread. One runs until a stream stops it; order is fixed, so
// every run of the same program is the same.
#ifndef JOGAK_CSIM_PROCESSES_H
#define JOGAK_CSIM_PROCESSES_H

#include <cstddef>
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

class Channel {
 public:
  explicit Channel(const char* name) : name_(name) {}
  virtual ~Channel() {}
  virtual std::size_t left() const = 0;
  const char* name() const { return name_; }

 private:
  const char* name_;
};

// Streams are this many times as deep as they are declared; 1 shows whether the declared depths are enough.
std::size_t depth_factor();
void set_depth_factor(std::size_t factor);

// The process at hand can't go on now. `why` is said of the channel in a deadlock.
void wait(const Channel& channel, const char* why);
// Something went through a stream.
void moved();

class Region {
 public:
  Region();
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  // A process that ends; a task that is called again and again, and ends with the region.
  void process(const char* name, std::function<void()> body);
  void task(const char* name, std::function<void()> body);
  // Until every process has ended. Throws Deadlock, or what a process threw.
  void run();

 private:
  struct Fibre;
  friend void wait(const Channel&, const char*);
  friend void moved();
  void add(const char* name, bool task, std::function<void()> body);
  static void enter();
  void yield();
  void resume(Fibre& fibre);
  std::string stuck() const;

  std::vector<std::unique_ptr<Fibre>> fibres_;
  Fibre* running_ = nullptr;
  std::size_t moves_ = 0;
};

}  // namespace csim

#endif
