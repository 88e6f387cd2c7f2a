// Consistency of a program, and its file on disk.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <unistd.h>

#include "mapped_file.hpp"
#include "program.hpp"

namespace jogak {

namespace {

constexpr std::uint64_t kWindowMax = 0xFFFFFFFF;

std::string hex(std::uint32_t v) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", v);
  return text;
}

[[noreturn]] void refuse(const std::string& what, std::uint64_t found, std::uint64_t most) {
  throw Error("program", what, std::to_string(found), "at most " + std::to_string(most));
}

// [offset, offset + bytes) lies inside the window.
void inside(const Program& p, const std::string& what, std::uint64_t window, std::uint64_t offset,
            std::uint64_t bytes) {
  if (window >= p.window_bytes.size()) refuse(what + "'s window", window, p.window_bytes.size() - 1);
  const std::uint64_t size = p.window_bytes[window];
  if (offset > size) refuse(what + "'s offset", offset, size);
  if (bytes > size - offset) refuse(what + "'s size", bytes, size - offset);
}

// Each launch fits the instruction memory and lies inside the code, where the machine can load it from.
void check_code(const Program& p, const spec::Config& config) {
  if (p.launches.empty() && p.code.size() > config.imem_words) refuse("instructions", p.code.size(), config.imem_words);
  for (const CodePart& l : p.launches) {
    if (l.count > config.imem_words) refuse("instructions of a launch", l.count, config.imem_words);
    if (l.first % 4 != 0) throw Error("program", "first instruction of a launch", std::to_string(l.first), "a multiple of 4");
    if (l.count == 0 || l.first > p.code.size() || l.count > p.code.size() - l.first)
      throw Error("program", "launch", std::to_string(l.first) + " + " + std::to_string(l.count), "a part of " + std::to_string(p.code.size()) + " instructions");
  }
}

const spec::Config& known_config(const Program& p) {
  const spec::Config* config = spec::find_config(p.config.c_str());
  if (config != nullptr) return *config;
  std::string names;
  for (const spec::Config& c : spec::configs) names += std::string(names.empty() ? "" : ", ") + c.name;
  throw Error("program", "configuration", "\"" + p.config + "\"", "one of " + names);
}

}  // namespace

const Symbol* Program::find(const std::string& name) const {
  for (const Symbol& s : symbols) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

const MapEntry* Program::at(std::uint32_t pc) const {
  for (const MapEntry& m : map) {
    if (m.first <= pc && pc <= m.last) return &m;
  }
  return nullptr;
}

std::string describe(const MapEntry& entry) {
  if (entry.layers.empty()) return entry.op;
  if (entry.layers.size() == 1) return "layer " + std::to_string(entry.layers.front()) + " " + entry.op;
  const std::uint32_t first = entry.layers.front(), last = entry.layers.back();
  const bool all = last - first + 1 == entry.layers.size();
  return "layers " + std::to_string(first) + (all ? ".." : ", ..., ") + std::to_string(last) + " " + entry.op;
}

Program make_program(const spec::Config& config) {
  Program p;
  p.config = config.name;
  p.config_hash = config.hash;
  return p;
}

void verify(const Program& p) {
  if (p.isa_hash != spec::isa_hash) {
    throw Error("program", "instruction set", hex(p.isa_hash), hex(spec::isa_hash));
  }
  const spec::Config& config = known_config(p);
  if (p.config_hash != config.hash) {
    throw Error("program", "configuration " + p.config, hex(p.config_hash), hex(config.hash));
  }
  check_code(p, config);
  for (const std::uint64_t size : p.window_bytes) {
    if (size > kWindowMax) refuse("window size", size, kWindowMax);
  }
  if (p.mesh.columns == 0 || p.mesh.rows == 0 || p.mesh.columns > 16 || p.mesh.rows > 16 || p.mesh.dies() > std::min(config.chiplets, kMostDies))
    throw Error("program", "mesh", std::to_string(p.mesh.columns) + " x " + std::to_string(p.mesh.rows) + " dies",
                "1 to " + std::to_string(std::min(config.chiplets, kMostDies)) + " dies of " + p.config);
  for (std::uint32_t w = kPeerWindow; w + 1 < kPeerWindow + p.mesh.dies(); ++w)
    if (p.window_bytes[w] != 0) refuse("bytes of window " + std::to_string(w) + ", which shows another die", p.window_bytes[w], 0);
  for (const Segment& s : p.segments)
    if (s.die >= p.mesh.dies()) refuse("a segment's die", s.die, p.mesh.dies() - 1);
  for (const Segment& s : p.segments) inside(p, "a segment", s.window, s.offset, s.size());
  for (const Symbol& s : p.symbols) inside(p, "symbol " + s.name, s.window, s.offset, s.bytes);
  for (const MapEntry& m : p.map) {
    if (m.last >= p.code.size()) refuse("map entry's last pc", m.last, p.code.size() - 1);
    if (m.first > m.last) refuse("map entry's first pc", m.first, m.last);
  }
}

void require_dies(const Program& p, std::uint32_t dies) {
  if (p.mesh.dies() == dies) return;
  const auto count = [](std::uint32_t n) { return n == 1 ? std::string("one die") : "a package of " + std::to_string(n) + " dies"; };
  throw Error("program", "machine", count(dies), count(p.mesh.dies()) + ", for which it was compiled");
}

void require_config(const Program& p, const spec::Config& config) {
  if (p.config_hash == config.hash) return;
  throw Error("program", "machine", std::string(config.name) + " (" + hex(config.hash) + ")",
              p.config + " (" + hex(p.config_hash) + "), for which it was compiled");
}

void write_program(const Program& p, const std::filesystem::path& path) {
  std::filesystem::path temporary = path;
  temporary += ".tmp" + std::to_string(::getpid());
  std::error_code error;
  bool good = false;
  try {
    std::ofstream out(temporary, std::ios::binary);
    const std::uint64_t sum = write_to(p, [&](std::span<const std::uint8_t> piece) {
      out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
    });
    out.seekp(static_cast<std::streamoff>(checksum_at));
    out.write(reinterpret_cast<const char*>(&sum), sizeof sum);
    out.close();
    good = static_cast<bool>(out);
  } catch (...) {
    std::filesystem::remove(temporary, error);
    throw;
  }
  if (good) std::filesystem::rename(temporary, path, error);
  if (good && !error) return;
  std::filesystem::remove(temporary, error);
  throw Error("program", "file " + path.string(), "a place that cannot be written", "a writable one");
}

Program read_program(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>("program", path, "a .jgk file");
  const auto bytes = file->bytes();
  return from_bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, file);
}

}  // namespace jogak
