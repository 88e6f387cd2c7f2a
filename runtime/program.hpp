// The program file (.jgk): everything a runtime needs to run a compiled model.
//
// Little endian. A 48-byte header, then seven sections in fixed order, or eight or nine:
//   header   magic "JOGAKPRG", u32 version, u32 isa_hash, u32 config_hash, u32 sections,
//            u64 file bytes, u64 checksum (of the whole file with these 8 bytes zero), u64 zero
//   section  u32 kind (1..9), u32 zero, u64 payload bytes, payload, zeros up to a multiple of 16
//   1 name of the configuration   2 code   3 window sizes   4 data segments
//   5 symbols   6 launch ABI, a JSON text   7 map from pc to operator and layers, order of the weight loads
//   8 launches: only where the code is more than one, or a section follows
//   9 package: only where there are several dies: columns and rows of the mesh, the die of each data segment
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "error.hpp"
#include "npu_spec.hpp"

namespace jogak {

// Bytes that are made when somebody takes them: a model's weights, packed from its file, or a part of a mapped program file.
class SegmentSource {
 public:
  using Take = std::function<void(std::span<const std::uint8_t>)>;
  virtual ~SegmentSource() = default;
  virtual std::uint64_t size() const = 0;
  // All bytes in order, piece by piece; the same ones each time.
  virtual void pieces(const Take& take) const = 0;
};

struct Segment {
  std::uint32_t window = 0;
  std::uint64_t offset = 0;  // in the window, bytes
  std::vector<std::uint8_t> bytes;
  std::shared_ptr<const SegmentSource> source = nullptr;  // instead of `bytes`
  std::uint32_t die = 0;     // of a package, whose memory it lies in

  std::uint64_t size() const { return source ? source->size() : bytes.size(); }
  void pieces(const SegmentSource::Take& take) const;
  std::vector<std::uint8_t> all() const;  // in memory
  bool operator==(const Segment& other) const;  // contents
};

// A named tensor in a window.
struct Symbol {
  std::string name;
  std::uint32_t window = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::string dtype;  // "f32", "i8", ...: the compiler's word, not checked here
  std::vector<std::uint64_t> shape;
  bool operator==(const Symbol&) const = default;
};

// Instructions first..last (inclusive) belong to an operator. Layers of a kind share a body of code: `layers` are those
// its passes serve, in their order; a body's entries all have the same list, different bodies have no layer in common.
// An engine begins the next pass where it is back at an earlier operator; so in a body it has commands of two operators
// or more, or none.
struct MapEntry {
  std::uint32_t first = 0, last = 0;
  std::string op;
  std::vector<std::uint32_t> layers;  // empty: not part of a layer
  bool operator==(const MapEntry&) const = default;
};

// Entries of this operator load weights ahead of their use: each pass through one loads the next piece of `weight_loads`.
inline constexpr const char* kWeightLoads = "weights";
inline constexpr std::uint32_t kNoLayer = ~std::uint32_t(0);

// Consecutive pieces of weights, and the operator that uses them.
struct WeightLoads {
  std::uint32_t layer = kNoLayer, pieces = 0;
  std::string op;
  bool operator==(const WeightLoads&) const = default;
};

// A part of the code that is launched by itself; its loops' ends count from its first instruction.
struct CodePart {
  std::uint32_t first = 0, count = 0;  // instructions; first is a multiple of 4
  bool operator==(const CodePart&) const = default;
};

// Windows kPeerWindow + i of a package's die show the memory of die (its own number + 1 + i) modulo dies, so that all dies run the same
// code. Nothing is said of their sizes: all of a die is seen.
inline constexpr std::uint32_t kPeerWindow = 4, kMostDies = 4;

// Of a package's dies: die x + y * columns lies at (x, y).
struct Mesh {
  std::uint32_t columns = 1, rows = 1;
  std::uint32_t dies() const { return columns * rows; }
  bool operator==(const Mesh&) const = default;
};

struct Program {
  std::string config;  // name, as in spec/configs
  std::uint32_t isa_hash = spec::isa_hash;
  std::uint32_t config_hash = 0;
  std::vector<spec::Insn> code;
  std::array<std::uint64_t, spec::limit::windows> window_bytes{};  // 0: not used
  std::vector<Segment> segments;
  std::vector<Symbol> symbols;
  std::string abi = "{}";
  std::vector<MapEntry> map;
  std::vector<WeightLoads> weight_loads;
  std::vector<CodePart> launches;  // run in this order, over the same DRAM; empty: one launch of all the code
  Mesh mesh;                       // all dies run this code, with windows of these sizes in each one's DRAM

  bool operator==(const Program&) const = default;
  const Symbol* find(const std::string& name) const;  // null if there is none
  const MapEntry* at(std::uint32_t pc) const;         // null if no entry covers pc
};

// "layer 3 attn_q", "layers 0..6 attn_q", "output".
std::string describe(const MapEntry& entry);

// An empty program for a configuration.
Program make_program(const spec::Config& config);

// Throws Error("program: what, found, expected") unless all of it is consistent: ISA and
// configuration known and of the same hash, segments and symbols inside their windows.
void verify(const Program& program);

std::vector<std::uint8_t> to_bytes(const Program& program);
std::uint64_t file_bytes(const Program& program);  // of to_bytes, without making them
// The same bytes piece by piece, with zeros for the checksum, which is returned: it belongs at byte checksum_at.
std::uint64_t write_to(const Program& program, const SegmentSource::Take& take);
inline constexpr std::size_t checksum_at = 32;
// Never reads past bytes, never allocates more than a few times their length; throws Error.
// With `keep`, which keeps `bytes` where they are, segments are parts of them.
Program from_bytes(std::span<const std::uint8_t> bytes, std::shared_ptr<const void> keep = nullptr);

// Puts length and checksum into the header of a whole file; nothing if it is shorter than a header.
void seal(std::span<std::uint8_t> file);

// Writes a temporary file beside path and renames it: path is the old file or the whole new one. Segments go piece by piece: memory does
// not grow with the weights. Reading maps the file, whose segments stay where they are.
void write_program(const Program& program, const std::filesystem::path& path);
Program read_program(const std::filesystem::path& path);

// Throws one sentence when the program is not for so many dies; 1: one machine.
void require_dies(const Program& program, std::uint32_t dies);

// Throws one sentence when the program was not made for this configuration.
void require_config(const Program& program, const spec::Config& config);

}  // namespace jogak
