#include "program.hpp"

#include "bytes.hpp"

namespace jogak {

namespace {

constexpr char kMagic[] = "JOGAKPRG";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeaderBytes = 48, kSizeAt = 24, kChecksumAt = 32, kAlign = 16;
enum Kind : std::uint32_t { kConfig = 1, kCode, kWindows, kSegments, kSymbols, kAbi, kMap, kLaunches };
constexpr std::uint32_t kSections = kMap;  // one more with launches

// One step per 8 bytes; each is a bijection of the state, so a single changed word always shows.
std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint64_t h = 0x6A6F67616B000000u + bytes.size();
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint64_t word = 0;
    if (at != kChecksumAt) std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
    h = std::rotl((h ^ word) * 0x9FB21C651E98DF25u, 29);
  }
  return h;
}

// ---- writing ------------------------------------------------------------------------------

void put(ByteWriter& out, const std::vector<spec::Insn>& code) {
  out.number(static_cast<std::uint32_t>(code.size()));
  for (const spec::Insn& i : code) {
    out.number(i.lo);
    out.number(i.hi);
  }
}

void put(ByteWriter& out, const std::vector<Segment>& segments) {
  out.number(static_cast<std::uint32_t>(segments.size()));
  for (const Segment& s : segments) {
    out.number(s.window);
    out.number(s.offset);
    out.number(static_cast<std::uint64_t>(s.bytes.size()));
    out.raw(s.bytes);
  }
}

void put(ByteWriter& out, const std::vector<Symbol>& symbols) {
  out.number(static_cast<std::uint32_t>(symbols.size()));
  for (const Symbol& s : symbols) {
    out.text(s.name);
    out.number(s.window);
    out.number(s.offset);
    out.number(s.bytes);
    out.text(s.dtype);
    out.number(static_cast<std::uint32_t>(s.shape.size()));
    for (const std::uint64_t d : s.shape) out.number(d);
  }
}

void put(ByteWriter& out, const std::vector<MapEntry>& map) {
  out.number(static_cast<std::uint32_t>(map.size()));
  for (const MapEntry& m : map) {
    out.number(m.first);
    out.number(m.last);
    out.text(m.op);
    out.number(static_cast<std::uint32_t>(m.layers.size()));
    for (const std::uint32_t layer : m.layers) out.number(layer);
  }
}

void put(ByteWriter& out, const std::vector<WeightLoads>& loads) {
  out.number(static_cast<std::uint32_t>(loads.size()));
  for (const WeightLoads& l : loads) {
    out.number(l.layer);
    out.number(l.pieces);
    out.text(l.op);
  }
}

template <class Fill>
void put_section(ByteWriter& out, Kind kind, Fill&& fill) {
  ByteWriter payload;
  fill(payload);
  out.number(static_cast<std::uint32_t>(kind));
  out.number(std::uint32_t(0));
  out.number(static_cast<std::uint64_t>(payload.size()));
  out.raw(payload.take());
  out.pad(kAlign);
}

// ---- reading ------------------------------------------------------------------------------

void get(ByteReader& in, std::vector<spec::Insn>& code) {
  code.resize(in.count("instructions", sizeof(spec::Insn)));
  for (spec::Insn& i : code) {
    i.lo = in.number<std::uint64_t>("instruction");
    i.hi = in.number<std::uint64_t>("instruction");
  }
}

void get(ByteReader& in, std::vector<Segment>& segments) {
  segments.resize(in.count("data segments", 20));
  for (Segment& s : segments) {
    s.window = in.number<std::uint32_t>("segment window");
    s.offset = in.number<std::uint64_t>("segment offset");
    const auto view = in.raw("segment bytes", in.number<std::uint64_t>("segment size"));
    s.bytes.assign(view.begin(), view.end());
  }
}

void get(ByteReader& in, std::vector<Symbol>& symbols) {
  symbols.resize(in.count("symbols", 32));
  for (Symbol& s : symbols) {
    s.name = in.text("symbol name");
    s.window = in.number<std::uint32_t>("symbol window");
    s.offset = in.number<std::uint64_t>("symbol offset");
    s.bytes = in.number<std::uint64_t>("symbol size");
    s.dtype = in.text("symbol type");
    s.shape.resize(in.count("symbol dimensions", 8));
    for (std::uint64_t& d : s.shape) d = in.number<std::uint64_t>("symbol dimension");
  }
}

void get(ByteReader& in, std::vector<MapEntry>& map) {
  map.resize(in.count("map entries", 16));
  for (MapEntry& m : map) {
    m.first = in.number<std::uint32_t>("map entry");
    m.last = in.number<std::uint32_t>("map entry");
    m.op = in.text("operator name");
    m.layers.resize(in.count("layers of a map entry", 4));
    for (std::uint32_t& layer : m.layers) layer = in.number<std::uint32_t>("layer");
  }
}

void get(ByteReader& in, std::vector<WeightLoads>& loads) {
  loads.resize(in.count("weight loads", 12));
  for (WeightLoads& l : loads) {
    l.layer = in.number<std::uint32_t>("weight load");
    l.pieces = in.number<std::uint32_t>("weight load");
    l.op = in.text("operator name");
  }
}

void put(ByteWriter& out, const std::vector<CodePart>& launches) {
  out.number(static_cast<std::uint32_t>(launches.size()));
  for (const CodePart& l : launches) {
    out.number(l.first);
    out.number(l.count);
  }
}

void get(ByteReader& in, std::vector<CodePart>& launches) {
  launches.resize(in.count("launches", 8));
  for (CodePart& l : launches) {
    l.first = in.number<std::uint32_t>("launch");
    l.count = in.number<std::uint32_t>("launch");
  }
}

void expect(const char* what, std::uint64_t found, std::uint64_t expected) {
  if (found == expected) return;
  throw Error("program", what, std::to_string(found), std::to_string(expected));
}

template <class Fill>
void get_section(ByteReader& in, Kind kind, Fill&& fill) {
  expect("section kind", in.number<std::uint32_t>("section kind"), kind);
  expect("section's spare word", in.number<std::uint32_t>("section header"), 0);
  const auto size = in.number<std::uint64_t>("section size");
  ByteReader payload(in.raw("section", size));
  fill(payload);
  expect("bytes left in a section", payload.left(), 0);
  for (const std::uint8_t b : in.raw("section padding", (kAlign - size % kAlign) % kAlign)) {
    expect("section padding", b, 0);
  }
}

// Whether launches follow the seven sections.
bool get_header(ByteReader& in, std::span<const std::uint8_t> bytes, Program& p) {
  const auto magic = in.raw("magic", 8);
  if (std::memcmp(magic.data(), kMagic, 8) != 0) {
    throw Error("program", "first bytes", "something else", std::string("\"") + kMagic + "\"");
  }
  expect("file version", in.number<std::uint32_t>("version"), kVersion);
  p.isa_hash = in.number<std::uint32_t>("isa_hash");
  p.config_hash = in.number<std::uint32_t>("config_hash");
  const auto sections = in.number<std::uint32_t>("section count");
  if (sections != kLaunches) expect("sections", sections, kSections);
  expect("file size", in.number<std::uint64_t>("file size"), bytes.size());
  expect("checksum", in.number<std::uint64_t>("checksum"), checksum(bytes));
  expect("header's spare word", in.number<std::uint64_t>("header"), 0);
  return sections == kLaunches;
}

}  // namespace

std::vector<std::uint8_t> to_bytes(const Program& p) {
  verify(p);
  ByteWriter out;
  out.raw({reinterpret_cast<const std::uint8_t*>(kMagic), 8});
  out.number(kVersion);
  out.number(p.isa_hash);
  out.number(p.config_hash);
  out.number(p.launches.empty() ? kSections : kLaunches);
  out.pad(kHeaderBytes);
  put_section(out, kConfig, [&](ByteWriter& w) { w.text(p.config); });
  put_section(out, kCode, [&](ByteWriter& w) { put(w, p.code); });
  put_section(out, kWindows, [&](ByteWriter& w) {
    for (const std::uint64_t size : p.window_bytes) w.number(size);
  });
  put_section(out, kSegments, [&](ByteWriter& w) { put(w, p.segments); });
  put_section(out, kSymbols, [&](ByteWriter& w) { put(w, p.symbols); });
  put_section(out, kAbi, [&](ByteWriter& w) { w.text(p.abi); });
  put_section(out, kMap, [&](ByteWriter& w) {
    put(w, p.map);
    put(w, p.weight_loads);
  });
  if (!p.launches.empty()) put_section(out, kLaunches, [&](ByteWriter& w) { put(w, p.launches); });
  std::vector<std::uint8_t> bytes = out.take();
  seal(bytes);
  return bytes;
}

void seal(std::span<std::uint8_t> file) {
  if (file.size() < kHeaderBytes) return;
  const std::uint64_t size = file.size();
  std::memcpy(&file[kSizeAt], &size, 8);
  const std::uint64_t sum = checksum(file);
  std::memcpy(&file[kChecksumAt], &sum, 8);
}

Program from_bytes(std::span<const std::uint8_t> bytes) {
  ByteReader in(bytes);
  Program p;
  const bool launches = get_header(in, bytes, p);
  get_section(in, kConfig, [&](ByteReader& r) { p.config = r.text("configuration name"); });
  get_section(in, kCode, [&](ByteReader& r) { get(r, p.code); });
  get_section(in, kWindows, [&](ByteReader& r) {
    for (std::uint64_t& size : p.window_bytes) size = r.number<std::uint64_t>("window size");
  });
  get_section(in, kSegments, [&](ByteReader& r) { get(r, p.segments); });
  get_section(in, kSymbols, [&](ByteReader& r) { get(r, p.symbols); });
  get_section(in, kAbi, [&](ByteReader& r) { p.abi = r.text("launch ABI"); });
  get_section(in, kMap, [&](ByteReader& r) {
    get(r, p.map);
    get(r, p.weight_loads);
  });
  if (launches) get_section(in, kLaunches, [&](ByteReader& r) { get(r, p.launches); });
  expect("bytes after the last section", in.left(), 0);
  verify(p);
  return p;
}

}  // namespace jogak
