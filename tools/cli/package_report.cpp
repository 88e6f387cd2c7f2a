#include "package_report.hpp"

#include <cstdio>

#include "driver/package.hpp"

namespace jogak::cli {
namespace {

using spec::Counter;

double share(std::uint64_t part, std::uint64_t whole) { return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole); }

std::vector<LaunchRecord> sums(const Session& session) {
  std::vector<LaunchRecord> dies(session.dies());
  for (const Step& s : session.steps())
    for (std::size_t d = 0; d < s.dies.size(); ++d) dies[d].add(s.dies[d]);
  return dies;
}

struct Use {
  std::uint64_t cycles;
  double array, port, gathers;  // of the cycles; the last: the engine that needs the others' part waits for a semaphore
};
Use use(const LaunchRecord& r, const spec::Config& config) {
  const std::uint64_t cycles = r[Counter::cycles];
  return {cycles, share(r[Counter::macs], cycles * config.rows * config.cols), share(r[Counter::ld_beats] + r[Counter::st_beats], cycles),
          share(r[Counter::mx_wait_sem], cycles)};
}

}  // namespace

std::string package_text(const Session& session, const spec::Config& config) {
  if (session.dies() < 2) return "";
  std::string out = "\ndie          cycles    array     port   matrix engine waits   bytes stored   multiply-accumulates\n";
  char text[200];
  const auto dies = sums(session);
  for (std::size_t d = 0; d < dies.size(); ++d) {
    const Use u = use(dies[d], config);
    std::snprintf(text, sizeof text, "%3zu  %14llu  %5.1f %%  %5.1f %%               %5.1f %%   %12llu   %20llu\n", d, static_cast<unsigned long long>(u.cycles), 100 * u.array,
                  100 * u.port, 100 * u.gathers, static_cast<unsigned long long>(dies[d][Counter::store_bytes]), static_cast<unsigned long long>(dies[d][Counter::macs]));
    out += text;
  }
  for (std::size_t d = 0; d < dies.size(); ++d)
    for (const driver::LinkUse& l : session.links(d)) {
      if (out.find("link") == std::string::npos) out += "\nlink      payload bytes   lanes busy   flits sent again\n";
      const std::string payload = l.counted ? std::to_string(l.payload_bytes) : "-", again = l.counted ? std::to_string(l.replays) : "-";
      std::snprintf(text, sizeof text, "%zu > %u  %15s       %5.1f %%   %16s\n", d, l.to, payload.c_str(), 100 * share(l.busy_cycles, dies[d][Counter::cycles]), again.c_str());
      out += text;
    }
  return out;
}

nlohmann::json package_json(const Session& session, const spec::Config& config) {
  nlohmann::json list = nlohmann::json::array();
  const auto dies = sums(session);
  for (std::size_t d = 0; session.dies() > 1 && d < dies.size(); ++d) {
    const Use u = use(dies[d], config);
    nlohmann::json j = {{"cycles", u.cycles}, {"array_use", u.array}, {"port_use", u.port}, {"matrix_waits", u.gathers}, {"store_bytes", dies[d][Counter::store_bytes]}};
    for (const driver::LinkUse& l : session.links(d)) {
      nlohmann::json link = {{"to", l.to}, {"busy_cycles", l.busy_cycles}};
      if (l.counted) link.update({{"payload_bytes", l.payload_bytes}, {"replays", l.replays}});
      j["links"].push_back(link);
    }
    list.push_back(j);
  }
  return list;
}

}  // namespace jogak::cli
