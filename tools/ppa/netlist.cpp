#include "netlist.hpp"

#include <fstream>
#include <set>
#include <unordered_map>

#include "error.hpp"

namespace jogak::ppa {
namespace {

using Pins = std::vector<std::pair<std::string, std::string>>;  // formal, actual

struct Part {
  std::string kind;
  Pins pins;
};

struct Model {
  std::string name;
  std::vector<std::string> inputs = {}, outputs = {};
  std::vector<Part> parts = {};
  std::vector<std::pair<std::string, std::string>> aliases = {};  // source, name
  std::vector<std::pair<std::string, bool>> constants = {};
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  for (std::size_t at = 0;;) {
    at = line.find_first_not_of(" \t\r", at);
    if (at == std::string::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
}

class BlifReader {
 public:
  explicit BlifReader(const std::filesystem::path& path) : path_(path), in_(path) {
    if (!in_) throw Error("netlist", "file " + path.string(), "nothing", "a BLIF file");
  }

  void read(std::vector<Model>& models) {
    std::string line;
    while (next(line)) {
      const std::vector<std::string> w = split(line);
      if (w.empty()) continue;
      if (w[0] == ".model") models.push_back({.name = w.at(1)});
      else if (models.empty()) fail(w[0], ".model");
      else statement(models.back(), w);
    }
    finish_names();
  }

 private:
  [[noreturn]] void fail(const std::string& found, const std::string& expected) const {
    throw Error("netlist " + path_.filename().string(), "line " + std::to_string(number_), found, expected);
  }
  bool next(std::string& line) {
    line.clear();
    for (std::string piece; std::getline(in_, piece);) {
      ++number_;
      if (const auto hash = piece.find('#'); hash == 0) continue;
      if (!piece.empty() && piece.back() == '\\') {
        line += piece.substr(0, piece.size() - 1);
        continue;
      }
      line += piece;
      return true;
    }
    return !line.empty();
  }
  void statement(Model& m, const std::vector<std::string>& w) {
    if (w[0][0] != '.') {  // a row of .names: an input, or a constant's value
      if (names_.empty() || w.size() != names_.size() || (w.size() == 2 && w[0] != "1") || w.back() != "1") fail(w[0], "a buffer or a constant");
      one_ = true;
      return;
    }
    finish_names();
    if (w[0] == ".inputs") m.inputs.insert(m.inputs.end(), w.begin() + 1, w.end());
    else if (w[0] == ".outputs") m.outputs.insert(m.outputs.end(), w.begin() + 1, w.end());
    else if (w[0] == ".gate" || w[0] == ".subckt") {
      Part part{w.at(1), {}};
      for (std::size_t i = 2; i < w.size(); ++i) {
        const std::size_t eq = w[i].find('=');
        if (eq == std::string::npos) fail(w[i], "pin=net");
        part.pins.emplace_back(w[i].substr(0, eq), w[i].substr(eq + 1));
      }
      m.parts.push_back(std::move(part));
    } else if (w[0] == ".names") {
      names_.assign(w.begin() + 1, w.end());
      if (names_.empty() || names_.size() > 2) fail(".names of " + std::to_string(names_.size()), "a buffer or a constant");
      model_ = &m;
      one_ = false;
    } else if (w[0] == ".latch") {
      fail(".latch", "library cells only");
    }
  }
  void finish_names() {
    if (!names_.empty()) {
      if (names_.size() == 1) model_->constants.emplace_back(names_[0], one_);
      else if (one_) model_->aliases.emplace_back(names_[0], names_[1]);
      else model_->constants.emplace_back(names_[1], false);
    }
    names_.clear();
  }

  std::filesystem::path path_;
  std::ifstream in_;
  std::size_t number_ = 0;
  std::vector<std::string> names_;
  bool one_ = false;
  Model* model_ = nullptr;
};

class Flattener {
 public:
  Flattener(const std::vector<Model>& models, const Library& library) : library_(library) {
    for (const Model& m : models) by_name_[m.name] = &m;
    out_.nets = {"0", "1"};
  }

  void top(const Model& m) {
    Names names;
    for (const std::string& p : m.inputs) out_.inputs.push_back({p, names[p] = fresh(p)});
    expand(m, names);
    for (const std::string& p : m.outputs) out_.outputs.push_back({p, net(names, "", p)});
  }
  Netlist finish() {
    resolve();
    return std::move(out_);
  }

 private:
  using Names = std::unordered_map<std::string, int>;

  int fresh(const std::string& name) {
    out_.nets.push_back(name);
    same_.resize(out_.nets.size(), -1);
    return static_cast<int>(out_.nets.size()) - 1;
  }
  int net(Names& names, const std::string& prefix, const std::string& name) {
    const auto [it, added] = names.try_emplace(name, -1);
    if (added) it->second = fresh(prefix + name);
    return it->second;
  }
  int root(int n) const {
    while (same_[static_cast<std::size_t>(n)] >= 0) n = same_[static_cast<std::size_t>(n)];
    return n;
  }
  void join(int source, int alias) {
    source = root(source), alias = root(alias);
    if (source != alias) same_[static_cast<std::size_t>(alias)] = source;
  }

  static std::string path_of(const std::string& model) {
    const std::size_t at = model.find("$npu.");
    return at == std::string::npos ? "" : model.substr(at + 5);
  }

  void expand(const Model& m, Names& names) {
    const int block = static_cast<int>(out_.blocks.size());
    out_.blocks.push_back(path_of(m.name));
    const std::string prefix = out_.blocks.back().empty() ? "" : out_.blocks.back() + "/";
    for (const auto& [name, one] : m.constants) join(one ? Netlist::kHigh : Netlist::kLow, net(names, prefix, name));
    for (const Part& part : m.parts) {
      if (const auto it = by_name_.find(part.kind); it != by_name_.end()) {
        Names inner;
        for (const auto& [formal, actual] : part.pins) inner[formal] = net(names, prefix, actual);
        expand(*it->second, inner);
        continue;
      }
      const Cell* cell = library_.find(part.kind);
      if (cell == nullptr && part.kind.find("$npu.") != std::string::npos) continue;  // a block that was not given
      if (cell == nullptr) throw Error("netlist", "cell " + part.kind, "neither a block nor in the library", "one of them");
      Instance instance{cell, block, std::vector<int>(cell->pins.size(), -1)};
      for (const auto& [formal, actual] : part.pins)
        if (const int p = cell->pin(formal); p >= 0) instance.nets[static_cast<std::size_t>(p)] = net(names, prefix, actual);
      out_.instances.push_back(std::move(instance));
    }
    for (const auto& [source, alias] : m.aliases) join(net(names, prefix, source), net(names, prefix, alias));
  }

  void resolve() {
    same_.resize(out_.nets.size(), -1);
    for (Instance& i : out_.instances)
      for (int& n : i.nets)
        if (n >= 0) n = root(n);
    for (Port& p : out_.inputs) p.net = root(p.net);
    for (Port& p : out_.outputs) p.net = root(p.net);
  }

  const Library& library_;
  std::unordered_map<std::string, const Model*> by_name_;
  std::vector<int> same_ = {-1, -1};
  Netlist out_;
};

}  // namespace

Netlist read_netlist(const std::vector<std::filesystem::path>& files, const Library& library) {
  std::vector<Model> models;
  for (const auto& file : files) BlifReader(file).read(models);
  std::set<std::string> used;
  for (const Model& m : models)
    for (const Part& p : m.parts) used.insert(p.kind);
  Flattener flattener(models, library);
  bool any = false;
  for (const Model& m : models)
    if (!used.count(m.name)) flattener.top(m), any = true;
  if (!any) throw Error("netlist", "top", "none", "a model that no other one uses");
  return flattener.finish();
}

}  // namespace jogak::ppa
