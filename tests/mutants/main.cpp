// jogak-mutants: which wrong designs the fuzzer finds out.
//   jogak-mutants <table> [--count 2000] [--seconds 60] [--jobs 1] [--only <number>]
// Each mutant runs programs of the seeds 0.. until a difference or an error. Exit status 0: no difference without a
// mutant, and at least 95 of 100 mutants found.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "mutant_id.hpp"
#include "table.hpp"
#include "tests/fuzz/arguments.hpp"
#include "tests/fuzz/bench.hpp"

unsigned jogak_mutant = 0;

namespace {

using namespace jogak;

constexpr unsigned kGroup = 8;
constexpr double kBar = 0.95;

struct Options {
  std::string table;
  std::uint64_t count = 2000, only = 0;
  unsigned seconds = 60, jobs = 1;
};

struct Verdict {
  bool found = false;
  std::string text;
};

// The first seed that tells, and its first difference; empty when none does in time.
std::string hunt(unsigned long count) {
  fuzz::Oracle oracle("nano24");
  std::unique_ptr<fuzz::Bench> bench;
  for (unsigned long seed = 0; seed < count; ++seed) {
    if (seed % kGroup == 0) bench = std::make_unique<fuzz::Bench>("nano24", seed / kGroup);
    const fuzz::Case c = fuzz::generate(seed, oracle);
    std::string difference = bench->run(c, oracle, nullptr);
    if (difference.empty() && seed % kGroup == kGroup - 1) difference = bench->silence(c, oracle);
    if (!difference.empty())
      return "program " + std::to_string(seed) + ": " + difference.substr(0, difference.find('\n'));
  }
  return {};
}

struct Child {
  pid_t pid;
  int pipe;
};

// A mutant may also end the process or hang: then it is found as well, by the signal or the clock.
Child start(unsigned mutant, const Options& o) {
  int ends[2];
  if (pipe(ends) != 0) throw Error("jogak-mutants", "pipe", "none", "one");
  const pid_t pid = fork();
  if (pid != 0) {
    close(ends[1]);
    return {pid, ends[0]};
  }
  jogak_mutant = mutant;
  alarm(o.seconds);
  std::string text;
  try {
    text = hunt(o.count);
  } catch (const std::exception& error) {
    text = error.what();
  }
  const bool written = write(ends[1], text.data(), text.size()) == ssize_t(text.size());
  _exit(written ? 0 : 1);
}

Verdict finish(const Child& child) {
  Verdict v;
  char buffer[512];
  for (ssize_t n; (n = read(child.pipe, buffer, sizeof buffer)) > 0;) v.text.append(buffer, std::size_t(n));
  close(child.pipe);
  int status = 0;
  waitpid(child.pid, &status, 0);
  const bool out_of_time = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
  if (out_of_time) v.text = "out of time";
  else if (WIFSIGNALED(status)) v.text = "ended by signal " + std::to_string(WTERMSIG(status));
  v.found = !out_of_time && !v.text.empty();
  return v;
}

Options parse(int argc, char** argv) {
  if (argc < 2) throw Error("jogak-mutants", "arguments", "none", "the table");
  Options o{.table = argv[1]};
  fuzz::read_arguments("jogak-mutants", argc, argv, {{"--count", &o.count}, {"--seconds", &o.seconds}, {"--jobs", &o.jobs}, {"--only", &o.only}}, 2);
  return o;
}

int run(const Options& o) {
  const std::vector<mutants::Mutant> table = mutants::read_table(o.table);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<unsigned> numbers;
  for (unsigned i = 1; i <= table.size(); ++i) {
    if (o.only == 0 || o.only == i) numbers.push_back(i);
  }
  const Verdict sound =
      finish(start(0, Options{.table = o.table, .count = std::min(o.count, 200ul), .seconds = o.seconds}));
  if (!sound.text.empty()) std::printf("without a mutant: %s\n", sound.text.c_str());
  std::size_t found = 0;
  std::vector<Child> children(numbers.size());
  for (std::size_t i = 0, started = 0; i < numbers.size(); ++i) {
    for (; started < numbers.size() && started < i + std::max(o.jobs, 1u); ++started)
      children[started] = start(numbers[started], o);
    const Verdict v = finish(children[i]);
    const mutants::Mutant& m = table[numbers[i] - 1];
    found += v.found;
    std::printf("%3u %s %s: %s -> %s\n      %s\n", numbers[i], v.found ? "found " : "MISSED", m.file.c_str(),
                m.before.c_str(), m.after.c_str(), v.text.c_str());
    std::fflush(stdout);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("mutants: %zu of %zu found (%.1f %%), %.0f s\n", found, numbers.size(),
              100.0 * double(found) / double(numbers.size()), seconds.count());
  return sound.text.empty() && double(found) >= kBar * double(numbers.size()) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
