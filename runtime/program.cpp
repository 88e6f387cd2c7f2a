#include "program.hpp"

#include "bytes.hpp"

namespace jogak {

namespace {

constexpr char kMagic[] = "JOGAKPRG";
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeaderBytes = 48, kSizeAt = 24, kChecksumAt = checksum_at, kAlign = 16;
enum Kind : std::uint32_t { kConfig = 1, kCode, kWindows, kSegments, kSymbols, kAbi, kMap, kLaunches, kPackage };
constexpr std::uint32_t kSections = kMap;  // one more with launches, two with several dies

std::uint32_t sections_of(const Program& p) { return p.mesh.dies() > 1 ? kPackage : p.launches.empty() ? kSections : kLaunches; }

// One step per 8 bytes; each is a bijection of the state, so a single changed word always shows.
class Checksum {
 public:
  explicit Checksum(std::uint64_t size) : h_(0x6A6F67616B000000u + size) {}
  void add(std::span<const std::uint8_t> bytes) {
    for (; open_ > 0 && open_ < 8 && !bytes.empty(); bytes = bytes.subspan(1)) part_[open_++] = bytes[0];
    if (open_ == 8) step(part_), open_ = 0;
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) step(bytes.data());
    for (; !bytes.empty(); bytes = bytes.subspan(1)) part_[open_++] = bytes[0];
  }
  std::uint64_t value() {
    if (open_ > 0) std::memset(part_ + open_, 0, 8 - open_), step(part_);
    open_ = 0;
    return h_;
  }

 private:
  void step(const std::uint8_t* at) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    h_ = std::rotl((h_ ^ word) * 0x9FB21C651E98DF25u, 29);
  }
  std::uint64_t h_;
  std::uint8_t part_[8] = {};
  std::size_t open_ = 0;
};

// Of a whole file, whatever stands where its checksum belongs.
std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  Checksum sum(bytes.size());
  const std::uint8_t zeros[8] = {};
  sum.add(bytes.first(std::min(bytes.size(), kChecksumAt)));
  if (bytes.size() > kChecksumAt) sum.add(std::span(zeros).first(std::min<std::size_t>(8, bytes.size() - kChecksumAt)));
  if (bytes.size() > kChecksumAt + 8) sum.add(bytes.subspan(kChecksumAt + 8));
  return sum.value();
}

// ---- writing ------------------------------------------------------------------------------

void put(ByteWriter& out, const std::vector<spec::Insn>& code) {
  out.number(static_cast<std::uint32_t>(code.size()));
  for (const spec::Insn& i : code) {
    out.number(i.lo);
    out.number(i.hi);
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

// A part of a file that stays in memory.
class Part : public SegmentSource {
 public:
  Part(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> keep) : bytes_(bytes), keep_(std::move(keep)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  void pieces(const Take& take) const override { take(bytes_); }

 private:
  std::span<const std::uint8_t> bytes_;
  std::shared_ptr<const void> keep_;
};

void get(ByteReader& in, std::vector<Segment>& segments, const std::shared_ptr<const void>& keep) {
  segments.resize(in.count("data segments", 20));
  for (Segment& s : segments) {
    s.window = in.number<std::uint32_t>("segment window");
    s.offset = in.number<std::uint64_t>("segment offset");
    const auto view = in.raw("segment bytes", in.number<std::uint64_t>("segment size"));
    if (keep) s.source = std::make_shared<const Part>(view, keep);
    else s.bytes.assign(view.begin(), view.end());
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

// How many sections there are.
std::uint32_t get_header(ByteReader& in, std::span<const std::uint8_t> bytes, Program& p) {
  const auto magic = in.raw("magic", 8);
  if (std::memcmp(magic.data(), kMagic, 8) != 0) {
    throw Error("program", "first bytes", "something else", std::string("\"") + kMagic + "\"");
  }
  expect("file version", in.number<std::uint32_t>("version"), kVersion);
  p.isa_hash = in.number<std::uint32_t>("isa_hash");
  p.config_hash = in.number<std::uint32_t>("config_hash");
  const auto sections = in.number<std::uint32_t>("section count");
  if (sections != kLaunches && sections != kPackage) expect("sections", sections, kSections);
  expect("file size", in.number<std::uint64_t>("file size"), bytes.size());
  expect("checksum", in.number<std::uint64_t>("checksum"), checksum(bytes));
  expect("header's spare word", in.number<std::uint64_t>("header"), 0);
  return sections;
}

}  // namespace

void Segment::pieces(const SegmentSource::Take& take) const {
  if (source) source->pieces(take);
  else take(bytes);
}
std::vector<std::uint8_t> Segment::all() const {
  if (!source) return bytes;
  std::vector<std::uint8_t> out;
  out.reserve(size());
  source->pieces([&](std::span<const std::uint8_t> piece) { out.insert(out.end(), piece.begin(), piece.end()); });
  return out;
}
bool Segment::operator==(const Segment& other) const { return window == other.window && offset == other.offset && die == other.die && all() == other.all(); }

namespace {

// A file but for the contents of its segments: they follow parts[i] for every i but the last.
struct Frame {
  std::vector<std::vector<std::uint8_t>> parts;
  std::uint64_t size = 0;
};

Frame frame(const Program& p) {
  verify(p);
  Frame f;
  ByteWriter out;
  const auto cut = [&](std::uint64_t more) {
    f.size += out.size() + more;
    f.parts.push_back(out.take());
    out = ByteWriter();
  };
  out.raw({reinterpret_cast<const std::uint8_t*>(kMagic), 8});
  out.number(kVersion);
  out.number(p.isa_hash);
  out.number(p.config_hash);
  out.number(sections_of(p));
  out.pad(kHeaderBytes);
  put_section(out, kConfig, [&](ByteWriter& w) { w.text(p.config); });
  put_section(out, kCode, [&](ByteWriter& w) { put(w, p.code); });
  put_section(out, kWindows, [&](ByteWriter& w) {
    for (const std::uint64_t size : p.window_bytes) w.number(size);
  });
  std::uint64_t payload = 4;
  for (const Segment& s : p.segments) payload += 20 + s.size();
  out.number(static_cast<std::uint32_t>(kSegments));
  out.number(std::uint32_t(0));
  out.number(payload);
  out.number(static_cast<std::uint32_t>(p.segments.size()));
  for (const Segment& s : p.segments) {
    out.number(s.window);
    out.number(s.offset);
    out.number(s.size());
    cut(s.size());
  }
  for (std::uint64_t at = f.size + out.size(); at % kAlign != 0; ++at) out.number(std::uint8_t{0});
  ByteWriter rest;  // aligned by itself, as the file is here
  put_section(rest, kSymbols, [&](ByteWriter& w) { put(w, p.symbols); });
  put_section(rest, kAbi, [&](ByteWriter& w) { w.text(p.abi); });
  put_section(rest, kMap, [&](ByteWriter& w) {
    put(w, p.map);
    put(w, p.weight_loads);
  });
  if (sections_of(p) >= kLaunches) put_section(rest, kLaunches, [&](ByteWriter& w) { put(w, p.launches); });
  if (sections_of(p) >= kPackage) put_section(rest, kPackage, [&](ByteWriter& w) {
    w.number(p.mesh.columns);
    w.number(p.mesh.rows);
    for (const Segment& s : p.segments) w.number(s.die);
  });
  out.raw(rest.take());
  cut(0);
  std::memcpy(&f.parts[0][kSizeAt], &f.size, 8);
  return f;
}

}  // namespace

std::uint64_t write_to(const Program& p, const SegmentSource::Take& take) {
  const Frame f = frame(p);
  Checksum sum(f.size);
  const auto both = [&](std::span<const std::uint8_t> piece) { sum.add(piece), take(piece); };
  for (std::size_t i = 0; i < f.parts.size(); ++i) {
    both(f.parts[i]);
    if (i + 1 == f.parts.size()) break;
    std::uint64_t made = 0;
    p.segments[i].pieces([&](std::span<const std::uint8_t> piece) { made += piece.size(), both(piece); });
    expect("bytes of a segment", made, p.segments[i].size());
  }
  return sum.value();
}

std::uint64_t file_bytes(const Program& p) { return frame(p).size; }

std::vector<std::uint8_t> to_bytes(const Program& p) {
  std::vector<std::uint8_t> bytes;
  const std::uint64_t sum = write_to(p, [&](std::span<const std::uint8_t> piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  std::memcpy(&bytes[kChecksumAt], &sum, 8);
  return bytes;
}

void seal(std::span<std::uint8_t> file) {
  if (file.size() < kHeaderBytes) return;
  const std::uint64_t size = file.size();
  std::memcpy(&file[kSizeAt], &size, 8);
  const std::uint64_t sum = checksum(file);
  std::memcpy(&file[kChecksumAt], &sum, 8);
}

Program from_bytes(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> keep) {
  ByteReader in(bytes);
  Program p;
  const std::uint32_t sections = get_header(in, bytes, p);
  get_section(in, kConfig, [&](ByteReader& r) { p.config = r.text("configuration name"); });
  get_section(in, kCode, [&](ByteReader& r) { get(r, p.code); });
  get_section(in, kWindows, [&](ByteReader& r) {
    for (std::uint64_t& size : p.window_bytes) size = r.number<std::uint64_t>("window size");
  });
  get_section(in, kSegments, [&](ByteReader& r) { get(r, p.segments, keep); });
  get_section(in, kSymbols, [&](ByteReader& r) { get(r, p.symbols); });
  get_section(in, kAbi, [&](ByteReader& r) { p.abi = r.text("launch ABI"); });
  get_section(in, kMap, [&](ByteReader& r) {
    get(r, p.map);
    get(r, p.weight_loads);
  });
  if (sections >= kLaunches) get_section(in, kLaunches, [&](ByteReader& r) { get(r, p.launches); });
  if (sections >= kPackage) get_section(in, kPackage, [&](ByteReader& r) {
    p.mesh.columns = r.number<std::uint32_t>("mesh");
    p.mesh.rows = r.number<std::uint32_t>("mesh");
    if (p.mesh.columns > 16 || p.mesh.rows > 16 || p.mesh.dies() < 2)
      throw Error("program", "mesh", std::to_string(p.mesh.columns) + " x " + std::to_string(p.mesh.rows), "2 dies or more, at most 16 a side");
    for (Segment& s : p.segments) s.die = r.number<std::uint32_t>("die of a segment");
  });
  expect("bytes after the last section", in.left(), 0);
  verify(p);
  return p;
}

}  // namespace jogak
