// The kernel's link ports, the router and packages of kernels.
#include <doctest/doctest.h>

#include <cstring>
#include <memory>

#include "arrivals.hpp"
#include "csim/kernel.hpp"
#include "router.hpp"
#include "runtime/builder.hpp"
#include "sim/link/flit.hpp"
#include "sim/model/package.hpp"

using namespace jogak;
using namespace jogak::hls_nanoquad;
using spec::Engine;
using spec::Space;

namespace {

constexpr u32 kMemoryBytes = 1 << 15;

// Dies beside each other with programs at address 0, their memories clear; window w shows die w - 1.
class Row4 {
 public:
  explicit Row4(u32 columns) : package(hls_csim::make_package("nanoquad", columns, 1)), programs(columns), memory(columns), regs(columns) {}

  std::string run() {
    std::vector<hls_csim::Job> jobs;
    for (u32 d = 0; d < package->dies(); ++d) {
      programs[d].halt();
      std::memcpy(memory[d].byte, programs[d].code().data(), programs[d].code().size() * sizeof(spec::Insn));
      regs[d] = {};
      regs[d][spec::csr::code_len / 4] = static_cast<u32>(programs[d].code().size());
      for (u32 w = 0; w < package->dies(); ++w) {
        const u64 base = model::remote_base(w, 0);
        regs[d][spec::csr::win_base_lo_at(1 + w) / 4] = static_cast<u32>(base), regs[d][spec::csr::win_base_hi_at(1 + w) / 4] = static_cast<u32>(base >> 32);
        regs[d][spec::csr::win_size_at(1 + w) / 4] = model::kRemoteWindowBytes, regs[d][spec::csr::win_flags_at(1 + w) / 4] = 2;
      }
      jobs.push_back({regs[d], memory[d].byte, 0});
    }
    std::atomic<bool> stop = false;
    return package->run(jobs, stop, 1);
  }
  void poke(u32 die, u32 word, u32 value) {
    for (u32 i = 0; i < 4; ++i) package->die(die).byte(Space::vmem, 4 * word + i) = static_cast<u8>(value >> (8 * i));
  }
  u32 peek(u32 die, u32 word) {
    u32 value = 0;
    for (u32 i = 0; i < 4; ++i) value |= u32(package->die(die).byte(Space::vmem, 4 * word + i)) << (8 * i);
    return value;
  }
  // `len` bytes of vector memory from `from` on to an offset of die `to`.
  void push(u32 die, u32 to, u32 offset, u32 from, u32 len) {
    ProgramBuilder& b = programs[die];
    b.li(20, offset), b.li(21, from), b.li(22, len), b.li(23, 1);
    spec::Store s{};
    s.win = static_cast<u8>(1 + to), s.space = Space::vmem, s.da = 20, s.ca = 21, s.len = 22, s.n1 = s.n2 = 23;
    b.store(s);
  }

  struct alignas(64) Memory {
    u8 byte[kMemoryBytes] = {};
  };
  std::unique_ptr<hls_csim::Package> package;
  std::vector<ProgramBuilder> programs;
  std::vector<Memory> memory;
  std::vector<std::array<u32, hls_csim::kRegisterWords>> regs;
};

struct Order {
  explicit Order(u64 seed) { csim::set_order(seed); }
  ~Order() { csim::set_order(0); }
};

}  // namespace

TEST_CASE("a packet's header has the fields of rtl/link/npu_link_pkg.sv") {
  const u32 place = 1 | 2 << 4 | 3 << 8 | 3 << 12;
  const u64 to = model::remote_base(3, 1);
  // As the models of links read it, which are compared with the RTL.
  const u64 write = packet_of(to | model::remote_offset(Space::vmem, 0x94), 16, place);
  CHECK(link::unpack(write) == link::PacketHead{.kind = link::PacketKind::kWrite, .dst_x = 3, .dst_y = 1, .src_x = 1, .src_y = 2, .addr = 0x12, .space = 4, .words = 3, .head = 4, .tail = 3});
  const u64 signal = packet_of(to | model::remote_signal_offset(37, 9), 4, place);
  CHECK(link::unpack(signal) == link::PacketHead{.kind = link::PacketKind::kSignal, .dst_x = 3, .dst_y = 1, .src_x = 1, .src_y = 2, .addr = 5 + 32 * 9});
  link::PacketHead far{.kind = link::PacketKind::kWrite, .dst_x = 15, .dst_y = 14, .src_x = 13, .src_y = 12, .addr = 0xabcde, .space = 3, .words = 64, .head = 7, .tail = 6};
  const u64 header = link::pack(far);
  CHECK((kind_of(header) == Packet::write && to_x(header) == 15 && to_y(header) == 14 && address_of(header) == far.addr && space_of(header) == Space::asc));
  CHECK((words_of(header) == 64 && first_byte(header) == 7 && last_byte(header) == 6));
  CHECK(packet_of(model::remote_base(4, 1) | model::remote_offset(Space::vmem, 0), 4, place) == 0);
  CHECK(packet_of(to | model::remote_offset(Space::wspm, 0), 4, place) == 0);
  CHECK(packet_of(to | model::remote_offset(Space::vmem, 2), 4, place) == 0);
  CHECK(packet_of(to | model::remote_offset(Space::aspm, 2), 2, place) != 0);
  CHECK(packet_of(to | model::remote_offset(Space::asc, kConfig.asc_bytes - 2), 4, place) == 0);
  CHECK(packet_of(to | model::remote_signal_offset(37, 9), P + 2, place) == 0);
}

TEST_CASE("the router: packets stay whole, inputs take turns, ways are first along x") {
  constexpr u32 kPlace = 1 | 1 << 4 | 2 << 8 | 2 << 12;  // the middle of 3 x 3
  std::vector<std::unique_ptr<NetStream>> in, out;
  std::vector<std::unique_ptr<Leaving>> leaving;
  for (u32 p = 0; p < kPorts; ++p) {
    in.push_back(std::make_unique<NetStream>("in")), out.push_back(std::make_unique<NetStream>("out"));
    leaving.push_back(std::make_unique<Leaving>("leaving"));
  }
  std::array<std::vector<u64>, kPorts> came;
  csim::Instance instance;
  csim::Region region;
  const auto send = [&](u32 port, u32 x, u32 y, u32 words) {
    for (u32 k = 0; k < 4; ++k) {
      const u64 header = packet_of(model::remote_base(x, y) | model::remote_offset(Space::vmem, 0), 4, kPlace);
      for (u32 w = 0; w <= words; ++w) in[port]->write(net_word(PortWord(w == 0 ? header : u64(port) << 32 | w), w == words));
    }
  };
  region.process("north in", [&] { send(kNorth, 1, 1, 3); });
  region.process("east in", [&] { send(kEast, 1, 1, 5); });
  region.process("local in", [&] { send(kLocal, 2, 0, 2); });
  u32 words = 0;
  region.process("sink", [&] {
    while (words < 4 * (4 + 6 + 3)) {
      bool any = false;
      for (u32 p = 0; p < kPorts; ++p) {
        NetWord w;
        if (out[p]->read_nb(w)) came[p].push_back(u64(w.data.range(63, 0))), ++words, any = true;
      }
      if (!any) csim::wait(out[0]->channel(), "empty");
    }
  });
  const csim::Use use(instance);
  region.task("router", [&] {
    router(kPlace, *in[0], *in[1], *in[2], *in[3], *in[4], *leaving[0], *leaving[1], *leaving[2], *leaving[3], *leaving[4]);
  });
  for (u32 p = 0; p < kPorts; ++p) region.task("out", [&, p] { router_out(*leaving[p], *out[p]); });
  region.run();
  CHECK(came[kEast].size() == 12);  // to x = 2, although y differs, too
  CHECK(came[kWest].size() + came[kNorth].size() + came[kSouth].size() == 0);
  REQUIRE(came[kLocal].size() == 40);
  u32 changes = 0, last = kPorts;
  for (std::size_t i = 0; i < came[kLocal].size();) {
    const u32 from = static_cast<u32>(came[kLocal][i + 1] >> 32), length = from == kNorth ? 3 : 5;
    for (u32 w = 1; w <= length; ++w) REQUIRE(came[kLocal][i + w] == (u64(from) << 32 | w));
    changes += from != last;
    last = from;
    i += length + 1;
  }
  CHECK(changes == 8);
}

TEST_CASE("a signal never overtakes its data, whatever the pace of the processes") {
  for (u64 seed = 1; seed <= 150; ++seed) {
    const Order order(seed);
    Row4 row(2);
    constexpr u32 kInbox = 8 * 40, kOut = 8 * 50;  // words
    for (u32 i = 0; i < 64; ++i) row.poke(0, i, 0x3f800000u + (i << 16));
    // Seven rows and, last, the row that is read first.
    row.push(0, 1, model::remote_offset(Space::vmem, 4 * (kInbox + 8)), 32, 7 * 32);
    row.push(0, 1, model::remote_offset(Space::vmem, 4 * kInbox), 0, 32);
    row.push(0, 1, model::remote_signal_offset(33, 1), 0, 4);
    ProgramBuilder& b = row.programs[1];
    b.wait(Engine::ve, 33);
    b.li(1, kOut), b.li(2, 8), b.li(3, kInbox), b.li(4, 0x3f800000), b.li(5, 1);
    spec::Vec v{};
    v.op = spec::Vop::mul, v.bmode = spec::Bmode::scalar, v.wr = true, v.dst = 1, v.ds = 2, v.a = 3, v.as = 2, v.b = 4, v.rows = 5, v.cols = 2;
    b.vec(v);
    REQUIRE(row.run().empty());
    CAPTURE(seed);
    for (u32 i = 0; i < 8; ++i) REQUIRE(row.peek(1, kOut + i) == 0x3f800000u + (i << 16));
    for (u32 i = 0; i < 64; ++i) REQUIRE(row.peek(1, kInbox + i) == 0x3f800000u + (i << 16));
  }
}

TEST_CASE("what passes through a chiplet that has ended arrives") {
  Row4 row(4);
  row.poke(0, 3, 77);
  row.push(0, 3, model::remote_offset(Space::vmem, 400), 12, 4);
  row.push(0, 3, model::remote_signal_offset(40, 2), 0, 4);
  row.programs[3].wait(Engine::seq, 40, 2);
  REQUIRE(row.run().empty());
  CHECK(row.peek(3, 100) == 77);
}

TEST_CASE("who waits in vain is named, ends as aborted, and the package runs on") {
  Row4 row(2);
  row.programs[1].wait(Engine::mx, 41, 3);
  CHECK(row.run() == "die 1: its matrix engine waits for 3 of semaphore 41");
  CHECK((row.regs[0][spec::csr::status / 4] & 8) == 0);
  CHECK((row.regs[1][spec::csr::status / 4] & 8) != 0);
  row.programs[1] = ProgramBuilder();
  CHECK(row.run().empty());
  CHECK(row.regs[1][spec::csr::status / 4] == 0);
}

TEST_CASE("a store to no memory stops the sequencer, too") {
  Row4 row(1);
  constexpr u32 kRounds = 1 << 20;
  row.push(0, 0, u32(Space::wspm) << spec::limit::remote_region_bit, 0, 32);
  ProgramBuilder& b = row.programs[0];
  const u32 pc = static_cast<u32>(b.code().size()) - 1;
  b.li(1, kRounds);
  b.loop(1, [&] { b.alui(spec::AluFn::add, 2, 2, 1); });
  REQUIRE(row.run().empty());
  const auto& r = row.regs[0];
  CHECK(r[spec::csr::fault_cause / 4] == static_cast<u32>(spec::Fault::bus));
  CHECK(r[spec::csr::fault_pc / 4] == pc);
  CHECK(r[spec::csr::counter_at(static_cast<u32>(spec::Counter::instructions)) / 4] < kRounds / 2);
}

TEST_CASE("what comes behind a die's end is told, as a device would find it at the next job, and so is a network that stays full") {
  for (const u32 packets : {1u, 40u}) {
    Row4 row(2);
    for (u32 i = 0; i < packets; ++i) row.push(1, 0, model::remote_offset(Space::vmem, 8 * i), 0, 8);  // die 0 is the first to run
    if (packets == 1) CHECK_THROWS_WITH(row.run(), doctest::Contains("end of die 0, found packets behind it"));
    else CHECK(row.run() == "die 1: nobody takes what it sends");
  }
}

TEST_CASE("a job that throws away what arrives writes nothing and counts nothing") {
  for (const bool drain : {false, true}) {
    NetStream in("network");
    Fifo<bool, 2> gate("gate");
    Fifo<ChunkWrite, 4> activations("activations");
    Fifo<bool, 4> activations_ack("activations_ack");
    Fifo<RowWrite, 8> rows("rows");
    Fifo<bool, 32> rows_ack("rows_ack");
    Fifo<SemRequest, 4> give("give");
    u32 written = 0, given = 0;
    csim::Region region;
    region.process("sender", [&] {
      gate.write(drain);
      in.write(net_word(PortWord(packet_of(model::remote_base(0, 0) | model::remote_offset(Space::vmem, 32), 8, 0)), false));
      in.write(net_word(PortWord(5), true));
      in.write(net_word(PortWord(packet_of(model::remote_base(0, 0) | model::remote_signal_offset(32, 1), 4, 0)), true));
      gate.write(true);
    });
    region.process("arrivals", [&] { arrivals(in, gate, activations, activations_ack, rows, rows_ack, give); });
    region.task("memory", [&] {
      const RowWrite w = rows.read();
      written += w.mask == 3 && w.row == 1;
      rows_ack.write(true);
    });
    region.task("semaphores", [&] { given += give.read().sem == 32; });
    region.run();
    SemRequest late;
    given += give.read_nb(late) && late.sem == 32;
    CHECK(written == (drain ? 0 : 1));
    CHECK(given == (drain ? 0 : 1));
  }
}

TEST_CASE("packages are refused where there are no links or too many dies") {
  CHECK_THROWS_WITH(hls_csim::make_package("nano", 2, 1), doctest::Contains("configuration, found nano, expected one with links"));
  CHECK_THROWS_WITH(hls_csim::make_package("nanoquad", 3, 2), doctest::Contains("mesh, found 3 x 2, expected 1 to 4 chiplets"));
}
