// jogak-fuzz: random programs on the model and on the RTL; jogak-hls-fuzz: on the model and on the HLS kernel in C simulation.
//   jogak-fuzz --config nano --seed 0 --count 1600 [--jobs 2] [--no-shrink] [--failures 1] [--coverage] [--quiet]
// Exit status 0: all the same, and with --coverage every cell of the table is reached.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>

#include "arguments.hpp"
#include "bench.hpp"
#include "runtime/asm.hpp"
#include "shrink.hpp"

namespace {

using namespace jogak;
using namespace jogak::fuzz;

constexpr u32 kGroup = 8;        // programs on one RTL machine
constexpr u32 kSilentShare = 2;  // one group in so many ends with a memory that falls silent
constexpr u32 kShrinkTries = 400;
constexpr u32 kReplayShare = 16;  // one program in so many is also replayed

struct Options {
  std::string config = "nano";
  u64 seed = 0, count = 100;
  u32 jobs = 1, failures = 1;
  bool shrink = true, coverage = false, quiet = false;
};

struct Report {
  u64 programs = 0, cycles = 0, failures = 0;
  Coverage coverage;
  std::string text;
};

class Runner {
 public:
  explicit Runner(const Options& options) : o_(options), oracle_(options.config) {}

  // Groups first, first + step, ...
  Report run(u64 first, u64 step) {
    const u64 end = o_.seed + o_.count;
    for (u64 group = o_.seed / kGroup + first; group * kGroup < end; group += step) {
      const u64 from = std::max(o_.seed, group * kGroup), to = std::min(end, (group + 1) * kGroup);
      run_group(group, from, to);
      if (report_.failures >= o_.failures) break;
    }
    return std::move(report_);
  }

 private:
  void run_group(u64 group, u64 from, u64 to) {
    auto bench = std::make_unique<Bench>(o_.config, group);
    for (u64 seed = from; seed < to && report_.failures < o_.failures; ++seed) {
      const Case c = generate(seed, oracle_);
      if (c.error && !bench->has_bus()) continue;
      std::string difference = bench->run(c, oracle_, &report_.coverage);
      ++report_.programs;
      if (!difference.empty()) {
        failed(c, group, from, difference);
        bench = std::make_unique<Bench>(o_.config, group);
      } else if (seed % kReplayShare == 0 && c.fault == spec::Fault::none && !oracle_.replays(c, seed)) {
        ++report_.failures;
        report_.text += "seed " + std::to_string(seed) + ": another legal order gives other memories\n";
      } else {
        report_.cycles += bench->cycles() - cycles_seen_;
      }
      cycles_seen_ = bench->cycles();
    }
    cycles_seen_ = 0;
    if (bench->has_bus() && group % kSilentShare == 0 && report_.failures < o_.failures) silent(*bench, to - 1);
  }

  void silent(Bench& bench, u64 seed) {
    const std::string wrong = bench.silence(generate(seed, oracle_), oracle_);
    if (wrong.empty()) return;
    ++report_.failures;
    report_.text += "after the programs up to seed " + std::to_string(seed) + ", that one again: " + wrong;
  }

  std::string alone(const Case& c, u64 group) { return Bench(o_.config, group).run(c, oracle_, nullptr); }

  void failed(const Case& c, u64 group, u64 from, const std::string& difference) {
    ++report_.failures;
    std::ostringstream out;
    out << "FAIL --config " << o_.config << " --seed " << c.seed << " --count 1\n" << difference;
    const std::string again = alone(c, group);
    if (again.empty()) {
      out << "The program alone is right: it takes those before it, --seed " << from << " --count " << c.seed - from + 1
          << "\n";
    } else if (o_.shrink) {
      const Case small = shrink(c, oracle_, [&](const Case& s) { return !alone(s, group).empty(); }, kShrinkTries);
      out << "Smallest program found:\n"
          << disassemble(emit(small.items).insns) << "Its commands:\n"
          << commands_of(small, oracle_) << "Its difference:\n"
          << alone(small, group);
      for (u32 i = 0; i < small.windows.size(); ++i) {
        const sim::WindowSetup& w = small.windows[i];
        out << "window " << i << ": base data + " << w.base - kDataBase << " size " << w.size
            << (w.readable ? " r" : "") << (w.writable ? " w" : "") << "\n";
      }
      if (small.error)
        out << "bus error: data + " << small.error->begin - kDataBase << " .. " << small.error->end - kDataBase << "\n";
    }
    report_.text += out.str() + "\n";
  }

  Options o_;
  Oracle oracle_;
  Report report_;
  u64 cycles_seen_ = 0;
};

// A report as lines, for the pipe from a job to its parent.
std::string to_lines(const Report& r) {
  std::ostringstream out;
  out << r.programs << " " << r.cycles << " " << r.failures << "\n";
  for (const auto& [cell, n] : r.coverage.cells()) out << n << " " << cell << "\n";
  out << "\n" << r.text;
  return out.str();
}

void add_lines(Report& r, const std::string& lines) {
  std::istringstream in(lines);
  u64 programs = 0, cycles = 0, failures = 0;
  if (!(in >> programs >> cycles >> failures)) {
    ++r.failures;
    r.text += "a job ended without a report\n";
    return;
  }
  r.programs += programs, r.cycles += cycles, r.failures += failures;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line) && !line.empty()) {
    const std::size_t space = line.find(' ');
    r.coverage.add(line.substr(space + 1), std::stoull(line.substr(0, space)));
  }
  std::ostringstream rest;
  rest << in.rdbuf();
  r.text += rest.str();
}

std::string read_all(int fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) all.append(buffer, std::size_t(n));
  return all;
}

Report run_jobs(const Options& o) {
  if (o.jobs <= 1) return Runner(o).run(0, 1);
  std::vector<int> pipes;
  for (u32 job = 0; job < o.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0) throw Error("fuzz", "pipe", "none", "one for each job");
    std::fflush(nullptr);
    if (fork() == 0) {
      int status = 1;
      try {
        const std::string lines = to_lines(Runner(o).run(job, o.jobs));
        status = write(ends[1], lines.data(), lines.size()) == ssize_t(lines.size()) ? 0 : 1;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
      _exit(status);
    }
    close(ends[1]);
    pipes.push_back(ends[0]);
  }
  Report all;
  for (const int fd : pipes) add_lines(all, read_all(fd));
  while (wait(nullptr) > 0) {
  }
  return all;
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view key = argv[i];
    const auto value = [&]() -> const char* {
      if (i + 1 == argc) throw Error("jogak-fuzz", std::string(key), "nothing", "a value");
      return argv[++i];
    };
    if (key == "--config") o.config = value();
    else if (key == "--seed") o.seed = number<u64>("jogak-fuzz", key, value());
    else if (key == "--count") o.count = number<u64>("jogak-fuzz", key, value());
    else if (key == "--jobs") o.jobs = number<u32>("jogak-fuzz", key, value());
    else if (key == "--failures") o.failures = number<u32>("jogak-fuzz", key, value());
    else if (key == "--no-shrink") o.shrink = false;
    else if (key == "--coverage") o.coverage = true;
    else if (key == "--quiet") o.quiet = true;
    else
      throw Error("jogak-fuzz", "argument", std::string(key),
                  "--config --seed --count --jobs --failures --no-shrink --coverage --quiet");
  }
  return o;
}

int tell(const Options& o, const Report& r, double seconds) {
  const spec::Config& config = *spec::find_config(o.config.c_str());
  if (!o.quiet) {
    for (const auto& [cell, n] : r.coverage.cells())
      std::printf("%10llu  %s\n", static_cast<unsigned long long>(n), cell.c_str());
  }
  std::fputs(r.text.c_str(), stdout);
  const std::vector<std::string> missing = r.coverage.missing(config);
  for (const std::string& cell : missing) std::printf("not covered: %s\n", cell.c_str());
  std::printf("%s: %llu programs, %llu cycles each, %.1f programs/s, %zu of %zu cells covered, %llu failures\n",
              o.config.c_str(), static_cast<unsigned long long>(r.programs),
              static_cast<unsigned long long>(r.cycles / std::max<u64>(r.programs, 1)), double(r.programs) / seconds,
              Coverage::wanted(config).size() - missing.size(), Coverage::wanted(config).size(),
              static_cast<unsigned long long>(r.failures));
  return r.failures == 0 && (!o.coverage || missing.empty()) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    const auto start = std::chrono::steady_clock::now();
    const Report report = run_jobs(options);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    return tell(options, report, seconds.count());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
