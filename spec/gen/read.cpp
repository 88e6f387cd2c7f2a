#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "error.hpp"
#include "spec.hpp"

namespace jogak::specgen {
namespace {

// A YAML map whose keys are all known; where it is in the file is part of every message.
class Entry {
 public:
  Entry(std::string path, YAML::Node node, const std::set<std::string>& known)
      : path_(std::move(path)), node_(std::move(node)) {
    require(node_.IsMap(), "not a map", "something else", "key: value pairs");
    std::set<std::string> seen;
    for (const auto& item : node_) {
      const auto key = item.first.as<std::string>();
      if (!known.empty() && !known.count(key)) throw Error(path_, "unknown key", key, list(known));
      if (!seen.insert(key).second) throw Error(path_, "repeated key", key, "each key once");
    }
  }

  YAML::Node at(const std::string& key) const {
    if (!node_[key]) throw Error(path_, "missing key", "nothing", key);
    return node_[key];
  }
  bool has(const std::string& key) const { return bool(node_[key]); }
  const YAML::Node& node() const { return node_; }

  std::string text(const std::string& key) const { return scalar<std::string>(key, "text"); }
  bool flag(const std::string& key) const { return scalar<bool>(key, "true or false"); }
  std::uint32_t number(const std::string& key) const {
    return scalar<std::uint32_t>(key, "a number of 32 bits");
  }
  std::uint32_t number(const std::string& key, std::uint32_t otherwise) const {
    return has(key) ? number(key) : otherwise;
  }

 private:
  template <class T>
  T scalar(const std::string& key, const char* kind) const {
    const YAML::Node value = at(key);
    if (!value.IsScalar()) throw Error(path_ + "." + key, "wrong kind", "a list or map", kind);
    if constexpr (std::is_unsigned_v<T> && !std::is_same_v<T, bool>) {
      if (value.Scalar().front() == '-') throw Error(path_ + "." + key, "bad value", value.Scalar(), kind);
    }
    try {
      return value.as<T>();
    } catch (const YAML::Exception&) {
      throw Error(path_ + "." + key, "bad value", value.Scalar(), kind);
    }
  }
  void require(bool ok, const char* what, const char* found, const char* expected) const {
    if (!ok) throw Error(path_, what, found, expected);
  }
  static std::string list(const std::set<std::string>& names) {
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : " ") + name;
    return all;
  }

  std::string path_;
  YAML::Node node_;
};

// Calls visit(name, Entry) for every child of a map of maps.
template <class Visit>
void each(const Entry& parent, const std::string& key, const std::set<std::string>& known, Visit visit) {
  const Entry children(key, parent.at(key), {});
  for (const auto& item : children.node()) {
    const auto name = item.first.as<std::string>();
    visit(name, Entry(key + "." + name, item.second, known));
  }
}

std::vector<Field> read_fields(const std::string& where, const YAML::Node& list) {
  std::vector<Field> fields;
  if (!list.IsSequence()) throw Error(where, "wrong kind", "no list", "[[name, type], ...]");
  for (const auto& item : list) {
    if (!item.IsSequence() || item.size() != 2)
      throw Error(where, "bad field", YAML::Dump(item), "[name, type]");
    fields.push_back({.name = item[0].as<std::string>(), .type = item[1].as<std::string>()});
  }
  return fields;
}

Type read_type(const std::string& name, const Entry& e) {
  Type type{.name = name, .bits = e.number("bits"), .values = {}};
  if (!e.has("values")) return type;
  const Entry values("types." + name + ".values", e.at("values"), {});
  for (const auto& item : values.node()) {
    const auto key = item.first.as<std::string>();
    type.values.push_back({key, values.number(key)});
  }
  return type;
}

bool one_of(const Entry& e, const std::string& where, const char* yes, const char* no) {
  const std::string kind = e.text("kind");
  if (kind != yes && kind != no) throw Error(where, "bad kind", kind, std::string(yes) + " or " + no);
  return kind == yes;
}

Functions read_functions(const std::string& text) {
  Functions out;
  if (text.empty()) return out;
  const Entry root("functions", YAML::Load(text), {"format", "log2e", "tables", "rom"});
  each(root, "format", {"width", "frac", "signed"}, [&](const std::string& name, const Entry& e) {
    out.format.push_back({name, e.number("width"), e.number("frac"), e.flag("signed")});
  });
  const Entry log2e("log2e", root.at("log2e"), {"width", "frac", "value"});
  out.log2e = log2e.number("value");
  each(root, "tables", {"base", "entries", "value"}, [&](const std::string& name, const Entry& e) {
    out.tables.push_back({name, e.number("base"), e.number("entries")});
  });
  for (const auto& row : root.at("rom")) {
    if (row.size() != 3) throw Error("functions.rom", "bad entry", YAML::Dump(row), "[c0, c1, c2]");
    out.rom.push_back({row[0].as<std::int64_t>(), row[1].as<std::int64_t>(), row[2].as<std::int64_t>()});
  }
  return out;
}

void read_tables(const Entry& root, Spec& spec) {
  each(root, "types", {"bits", "values"},
       [&](const std::string& name, const Entry& e) { spec.types.push_back(read_type(name, e)); });
  each(root, "instructions", {"opcode", "engine", "doc", "fields"}, [&](const std::string& name, const Entry& e) {
    spec.instructions.push_back({.name = name, .engine = e.text("engine"), .doc = e.text("doc"),
                                 .opcode = e.number("opcode"),
                                 .fields = read_fields("instructions." + name, e.at("fields"))});
  });
  each(root, "faults", {"code", "kind", "doc"}, [&](const std::string& name, const Entry& e) {
    spec.faults.push_back({name, e.text("doc"), e.number("code"), one_of(e, "faults." + name, "async", "sync")});
  });
  each(root, "csrs", {"offset", "access", "doc", "count", "stride"}, [&](const std::string& name, const Entry& e) {
    spec.csrs.push_back({name, e.text("access"), e.text("doc"), e.number("offset"), e.number("count", 1),
                         e.number("stride", 4)});
  });
  each(root, "counters", {"index", "kind", "doc"}, [&](const std::string& name, const Entry& e) {
    spec.counters.push_back({name, e.text("doc"), e.number("index"), one_of(e, "counters." + name, "exact", "timing")});
  });
}

std::string slurp(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw Error("specgen", "cannot read", file.string(), "a file");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Runs a parser; the YAML library's own complaints become ours.
template <class Parse>
auto parse(const std::string& what, Parse run) {
  try {
    return run();
  } catch (const YAML::Exception& bad) {
    throw Error(what, "not readable as YAML", bad.what(), "YAML");
  }
}

}  // namespace

Spec parse_spec(const std::string& npu_text, const std::string& functions_text) {
  return parse("npu.yaml", [&] {
    const Entry root("npu.yaml", YAML::Load(npu_text),
                     {"isa", "limits", "types", "instructions", "faults", "csrs", "counters"});
    Spec spec;
    const Entry isa("isa", root.at("isa"), {"name", "version", "instr_bits"});
    spec.name = isa.text("name");
    spec.version = isa.number("version");
    spec.instr_bits = isa.number("instr_bits");
    const Entry limits("limits", root.at("limits"), {});
    for (const auto& item : limits.node()) {
      const auto name = item.first.as<std::string>();
      spec.limits.emplace_back(name, limits.number(name));
    }
    read_tables(root, spec);
    spec.functions = read_functions(functions_text);
    return spec;
  });
}

Config parse_config(const std::string& text, const std::string& source) {
  return parse(source, [&] {
    const Entry e(source, YAML::Load(text),
                  {"name", "rows", "cols", "lanes", "port_bytes", "wspm_kib", "aspm_kib", "vmem_kib",
                   "imem_words", "chiplets", "sparse"});
    Config c;
    c.name = e.text("name");
    c.rows = e.number("rows");
    c.cols = e.number("cols");
    c.lanes = e.number("lanes");
    c.port_bytes = e.number("port_bytes");
    const auto kib = [&](const char* key) {
      const std::uint32_t value = e.number(key);
      if (value == 0 || value > 65536) throw Error(source + "." + key, "bad size", std::to_string(value), "1..65536 KiB");
      return value * 1024;
    };
    c.wspm_bytes = kib("wspm_kib");
    c.aspm_bytes = kib("aspm_kib");
    c.vmem_bytes = kib("vmem_kib");
    c.imem_words = e.number("imem_words");
    c.chiplets = e.number("chiplets");
    c.sparse = e.number("sparse");
    return c;
  });
}

Spec read_spec(const std::filesystem::path& npu_yaml) {
  return parse_spec(slurp(npu_yaml), slurp(npu_yaml.parent_path() / "functions.yaml"));
}

Config read_config(const std::filesystem::path& yaml) {
  Config config = parse_config(slurp(yaml), yaml.filename().string());
  if (config.name != yaml.stem()) throw Error(yaml.string(), "wrong name", config.name, yaml.stem().string());
  return config;
}

std::vector<Config> read_configs(const std::filesystem::path& folder) {
  std::vector<Config> configs;
  for (const auto& item : std::filesystem::directory_iterator(folder))
    if (item.path().extension() == ".yaml") configs.push_back(read_config(item.path()));
  std::sort(configs.begin(), configs.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return configs;
}

}  // namespace jogak::specgen
