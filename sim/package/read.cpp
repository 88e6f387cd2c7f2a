// A package's YAML.
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "check.hpp"
#include "error.hpp"
#include "sim/dram/dram.hpp"

namespace jogak::package {

namespace {

using Kinds = std::set<std::string>;

std::string text(const YAML::Node& n) { return n.IsScalar() ? n.Scalar() : n.IsDefined() ? "a list or map" : "nothing"; }

// A map of the file, whose keys must be known.
class Map {
 public:
  Map(const YAML::Node& node, std::string where, const Kinds& keys) : node_(node), where_(std::move(where)) {
    if (!node.IsMap()) throw Error(where_, "entry", text(node), "a map");
    for (const auto& item : node) {
      const std::string key = item.first.Scalar();
      std::string known;
      for (const std::string& k : keys) known += (known.empty() ? "" : ", ") + k;
      if (keys.count(key) == 0) throw Error(where_, "key", key, "one of " + known);
    }
  }
  bool has(const char* key) const { return node_[key].IsDefined(); }
  YAML::Node at(const char* key) const {
    if (!has(key)) throw Error(where_, key, "nothing", "a value");
    return node_[key];
  }
  std::string word(const char* key) const {
    if (!at(key).IsScalar() || at(key).Scalar().empty()) throw Error(where_, key, text(at(key)), "a word");
    return at(key).Scalar();
  }
  double number(const char* key, double low, double high) const {
    double value = 0;
    if (!at(key).IsScalar() || !YAML::convert<double>::decode(at(key), value) || !(value >= low && value <= high))
      throw Error(where_, key, text(at(key)), "a number from " + brief(low) + " to " + brief(high));
    return value;
  }
  std::uint64_t whole(const char* key, std::uint64_t low, std::uint64_t high) const { return whole(at(key), key, low, high); }
  std::array<std::uint32_t, 2> pair(const char* key, std::uint32_t low, std::uint32_t high) const {
    const YAML::Node n = at(key);
    if (!n.IsSequence() || n.size() != 2) throw Error(where_, key, text(n), "two numbers");
    return {std::uint32_t(whole(n[0], key, low, high)), std::uint32_t(whole(n[1], key, low, high))};
  }
  const std::string& where() const { return where_; }

 private:
  static std::string brief(double v) {
    std::ostringstream out;
    out << v;
    return out.str();
  }
  std::uint64_t whole(const YAML::Node& n, const char* key, std::uint64_t low, std::uint64_t high) const {
    std::uint64_t value = 0;
    const bool good = n.IsScalar() && !n.Scalar().empty() && n.Scalar()[0] != '-' && YAML::convert<std::uint64_t>::decode(n, value);
    if (!good || value < low || value > high)
      throw Error(where_, key, text(n), "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    return value;
  }
  YAML::Node node_;
  std::string where_;
};

LinkKind link_kind(const std::string& name, const YAML::Node& node, const PackageSpec& spec) {
  const Map m(node, "package " + spec.name + ", link " + name, {"type", "lanes", "gt_per_s", "latency_ns", "bit_error_rate"});
  LinkKind kind;
  std::string names;
  for (const LinkKind& t : link_types()) {
    if (t.type == m.word("type")) kind = t;
    names += (names.empty() ? "" : ", ") + t.type;
  }
  if (kind.type.empty()) throw Error(m.where(), "type", m.word("type"), "one of " + names);
  kind.name = name;
  if (m.has("lanes")) kind.lanes = std::uint32_t(m.whole("lanes", 1, 1024));
  if (m.has("gt_per_s")) kind.gt_per_s = m.number("gt_per_s", 0.1, 256);
  if (m.has("latency_ns")) kind.latency_ns = m.number("latency_ns", 0, 1e6);
  if (m.has("bit_error_rate")) kind.bit_error_rate = m.number("bit_error_rate", 0, 0.01);
  if (kind.latency_ns * 1000 < double(spec.period_ps()))
    throw Error(m.where(), "latency_ns", std::to_string(kind.latency_ns), "at least a clock period of " + std::to_string(spec.period_ps()) + " ps");
  return kind;
}

MemoryKind memory_kind(const std::string& name, const YAML::Node& node, const PackageSpec& spec) {
  const Map m(node, "package " + spec.name + ", memory " + name, {"preset", "channels", "controller_ns", "mib"});
  MemoryKind kind{.name = name, .timing = m.word("preset"), .bytes = m.whole("mib", 1, 1 << 18) << 20};
  if (kind.timing == "ideal") {
    for (const char* key : {"channels", "controller_ns"})
      if (m.has(key)) throw Error(m.where(), key, "it with an ideal memory", "none");
    return kind;
  }
  kind.timing += ":mhz=" + std::to_string(spec.clock_mhz);
  if (m.has("channels")) kind.timing += ",channels=" + std::to_string(m.whole("channels", 1, 64));
  if (m.has("controller_ns")) kind.timing += ",controller=" + std::to_string(m.whole("controller_ns", 1, 1000));
  (void)dram::parse_memory(kind.timing);
  return kind;
}

// Entries by name of a section.
template <class Kind, class Read>
std::map<std::string, Kind> section(const Map& top, const char* key, const PackageSpec& spec, Read read) {
  std::map<std::string, Kind> kinds;
  if (!top.has(key)) return kinds;
  if (!top.at(key).IsMap()) throw Error(top.where(), key, text(top.at(key)), "a map of names");
  for (const auto& item : top.at(key)) {
    const std::string name = item.first.Scalar();
    if (!kinds.emplace(name, read(name, item.second, spec)).second) throw Error(top.where(), key, name + " twice", "each name once");
  }
  return kinds;
}

template <class Kind>
const Kind& named(const Map& m, const char* key, const std::string& name, const std::map<std::string, Kind>& kinds) {
  const auto found = kinds.find(name);
  std::string known;
  for (const auto& [k, unused] : kinds) known += (known.empty() ? "" : ", ") + k;
  if (found == kinds.end()) throw Error(m.where(), key, name, known.empty() ? "a section that defines it" : "one of " + known);
  return found->second;
}

class Reader {
 public:
  Reader(const YAML::Node& node, const std::string& where)
      : top_(node, "package file " + where, {"name", "config", "clock_mhz", "mesh", "links", "memories", "dies"}) {}

  PackageSpec read() {
    spec_.name = top_.word("name");
    const auto mesh = top_.pair("mesh", 1, 16);
    spec_.columns = mesh[0], spec_.rows = mesh[1];
    if (top_.has("clock_mhz")) spec_.clock_mhz = std::uint32_t(top_.whole("clock_mhz", 1, 10'000));
    links_ = section<LinkKind>(top_, "links", spec_, link_kind);
    memories_ = section<MemoryKind>(top_, "memories", spec_, memory_kind);
    if (!top_.at("dies").IsSequence()) throw Error(top_.where(), "dies", text(top_.at("dies")), "a list");
    std::vector<Die> dies;
    for (const auto& node : top_.at("dies")) dies.push_back(die(node));
    spec_.dies = placed(spec_, std::move(dies));
    check_links(spec_);
    check_ways(spec_);
    check_memories(spec_);
    return spec_;
  }

 private:
  Die die(const YAML::Node& node) {
    const std::string name = node.IsMap() && node["name"].IsDefined() ? text(node["name"]) : "without a name";
    const Map m(node, "package " + spec_.name + ", die " + name, {"name", "at", "kind", "config", "as", "memory", "base", "links"});
    Die d;
    d.name = m.word("name");
    d.config = m.has("config") ? m.word("config") : top_.word("config");
    const auto at = m.pair("at", 0, 15);
    d.x = at[0], d.y = at[1];
    d.kind = kind(m);
    if (m.has("as")) d.as = m.word("as");
    if (!d.as.empty() && d.as != "cycle" && d.as != "rtl") throw Error(m.where(), "as", d.as, "cycle or rtl");
    if (m.has("memory")) d.memory = named(m, "memory", m.word("memory"), memories_);
    if (m.has("base")) d.base = m.whole("base", 0, std::uint64_t(1) << 39);
    else d.base = next_base_;
    if (d.memory) next_base_ = std::max(next_base_, (d.base + d.memory->bytes + kGap - 1) / kGap * kGap);
    if (m.has("links")) sides(Map(m.at("links"), m.where(), {"east", "west", "north", "south"}), d);
    return d;
  }
  static DieKind kind(const Map& m) {
    if (!m.has("kind") || m.word("kind") == "compute") return DieKind::compute;
    if (m.word("kind") == "memory") return DieKind::memory;
    if (m.word("kind") == "io") return DieKind::io;
    throw Error(m.where(), "kind", m.word("kind"), "compute, memory or io");
  }
  void sides(const Map& m, Die& d) {
    constexpr const char* names[kSides] = {"east", "west", "north", "south"};
    for (int s = 0; s < kSides; ++s)
      if (m.has(names[s])) d.links[s] = named(m, names[s], m.word(names[s]), links_);
  }

  static constexpr std::uint64_t kGap = std::uint64_t(1) << 30;
  Map top_;
  PackageSpec spec_;
  std::map<std::string, LinkKind> links_;
  std::map<std::string, MemoryKind> memories_;
  std::uint64_t next_base_ = 0;  // of a die that does not say its own
};

}  // namespace

PackageSpec parse_package(const std::string& yaml, const std::string& where) {
  YAML::Node node;
  try {
    node = YAML::Load(yaml);
  } catch (const YAML::Exception& e) {
    throw Error("package file " + where, "line " + std::to_string(e.mark.line + 1), e.msg, "YAML");
  }
  return Reader(node, where).read();
}

PackageSpec read_package(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw Error("package file", "path", file.string(), "a file that can be read");
  std::ostringstream all;
  all << in.rdbuf();
  return parse_package(all.str(), file.string());
}

}  // namespace jogak::package
