// Load and store engine against a byte-level reference: random boxes under stalls and port conflicts, gathers,
// faults, exact beats and bursts, throughput.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>

#include "npu_memory_rig.hpp"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace memory_test {
namespace {

u64 seed_base() {
  const char* text = std::getenv("JOGAK_SEED");
  return text ? std::strtoull(text, nullptr, 0) : 1;
}

u32 below(Rig& rig, u64 end) { return static_cast<u32>(rig.rng() % end); }

// On-chip bytes that a random box may touch: loads the lower half, stores the upper one, less the noise's.
struct Region {
  u32 begin, end;
};
Region region(Space space, bool load) {
  const u32 bytes[] = {config.wspm_bytes, config.wsc_bytes, config.aspm_bytes, config.asc_bytes, config.vmem_bytes};
  const u32 size = bytes[u32(space)];
  if (load) return {0, size / 2};
  const u32 noise = space == Space::vmem   ? Rig::noise_rows * config.cols * 4
                    : space == Space::aspm ? Rig::noise_blocks * 32
                    : space == Space::asc  ? Rig::noise_blocks * 2
                                           : 0;
  return {size / 2, size - noise};
}

u32 random_len(Rig& rig) {
  switch (below(rig, 4)) {
    case 0: return 2 + below(rig, 8);
    case 1: return 2 + below(rig, 80);
    case 2: return 2 + below(rig, 600);
    default: return 2 + below(rig, 5000);
  }
}

// A box inside its region and its half of the window; on-chip runs may lie anywhere in it.
Box random_box(Rig& rig, bool load) {
  for (;;) {
    Box box;
    box.load = load;
    box.space = load ? Space(below(rig, 5)) : Space(2 + below(rig, 3));
    const u32 granule = box.space == Space::vmem ? 4 : 2;
    const Region chip = region(box.space, load);
    const auto even = [&](u32 x, u32 g) { return x / g * g; };
    box.len = even(random_len(rig) + granule, granule);
    box.n1 = 1 + below(rig, 6);
    box.n2 = 1 + below(rig, 3);
    box.ca = even(chip.begin + below(rig, chip.end - chip.begin), granule);
    box.cs1 = rig.rng() % 2 ? box.len : even(below(rig, 2 * box.len), granule);
    box.cs2 = rig.rng() % 2 ? box.len * box.n1 : even(below(rig, 4000), granule);
    const u64 half = dram_bytes / 2;
    box.da = even(below(rig, half), 2) + (load ? 0 : half);
    box.ds1 = rig.rng() % 2 ? box.len : even(below(rig, 9000), 2);
    box.ds2 = even(below(rig, 20000), 2);
    if (load) box.window = half;
    const u64 chip_end = box.ca + u64(box.n1 - 1) * box.cs1 + u64(box.n2 - 1) * box.cs2 + box.len;
    const u64 dram_end = box.da + u64(box.n1 - 1) * box.ds1 + u64(box.n2 - 1) * box.ds2 + box.len;
    if (chip_end > chip.end || dram_end > box.window) continue;
    if (box.n1 == 1) box.ds1 = static_cast<u32>(rig.rng() & ~1ull);  // unused strides may be anything
    if (box.n2 == 1) box.ds2 = static_cast<u32>(rig.rng() & ~1ull), box.cs2 = static_cast<u32>(rig.rng() & ~3ull);
    return box;
  }
}

// A gather whose list is first brought in by a load right before it.
void push_gather(Rig& rig, bool bad_index) {
  Box box = random_box(rig, true);
  box.gather = true;
  box.n1 = 1 + below(rig, 20);
  box.n2 = 1 + below(rig, 2);
  const Region chip = region(box.space, true);
  const u32 granule = box.space == Space::vmem ? 4 : 2;
  box.len = (2 + below(rig, 200)) / granule * granule + granule;
  box.cs1 = box.len;
  box.cs2 = box.len * box.n1;
  box.ca = chip.begin + (box.space == Space::vmem ? 1024 : 0);
  if (box.ca + u64(box.cs2) * box.n2 > chip.end) box.n1 = box.n2 = 1;
  box.da = 2 * below(rig, 1000);
  box.ds2 = 2 * below(rig, 500);
  // A stride of 2^11 lets index 2^21 look like 0 to 32 bits.
  const bool wraps = bad_index && rig.rng() % 2;
  box.ds1 = wraps ? 2048 : 2 * (1 + below(rig, 3000));
  box.idx = 3 + below(rig, 200);
  box.window -= box.room() % box.ds1;  // the last legal row ends with the window
  const u32 rows = box.room() / box.ds1 + 1;
  const u64 list = dram_bytes / 2 - 4096 + 2 * below(rig, 500);
  for (u32 i = 0; i < box.n1; ++i) {
    u32 index = i == 0 ? rows - 1 : below(rig, rows);
    if (bad_index && i == box.n1 / 2) index = wraps ? 1u << 21 : rows;
    std::memcpy(&rig.dram[list + 4 * i], &index, 4);
    std::memcpy(&rig.reference[list + 4 * i], &index, 4);
  }
  rig.push({.space = Space::vmem, .da = list, .ca = box.idx * 4, .len = 4 * box.n1});
  rig.push(box, !bad_index);
}

void check_counts(const Rig& rig) {
  CHECK(rig.memory.counts().read_beats == rig.read_beats);
  CHECK(rig.memory.counts().read_bursts == rig.read_bursts);
  CHECK(rig.memory.counts().write_beats == rig.write_beats);
  CHECK(rig.memory.counts().write_bursts == rig.write_bursts);
  CHECK(rig.ev_read_beats == rig.read_beats);
  CHECK(rig.ev_read_bursts == rig.read_bursts);
  CHECK(rig.ev_write_beats == rig.write_beats);
  CHECK(rig.ev_write_bursts == rig.write_bursts);
}

void random_run(u64 seed, u32 stall, u32 latency, Noise noise, int rounds) {
  CAPTURE(seed);
  Rig rig(seed, stall, latency);
  for (int round = 0; round < rounds; ++round) {
    rig.noise = noise;
    for (int i = 0; i < 12; ++i) {
      if (rig.rng() % 3 != 0) rig.push(random_box(rig, true));
      if (rig.rng() % 3 != 0) rig.push(random_box(rig, false));
    }
    rig.drain();
    // The list is written to DRAM here, so nothing else may be in flight.
    push_gather(rig, false);
    rig.drain();
    rig.noise = {};
  }
  CHECK(rig.load_dones == rig.load_cmds);
  CHECK(rig.store_dones == rig.store_cmds);
  CHECK(rig.faults.empty());
  CHECK(rig.memory.quiet());
  CHECK(rig.wrong == "");
  CHECK((rig.looked > 1000) == (noise.reads != 0));
  check_counts(rig);
  CHECK(rig.compare() == "");
}

TEST_CASE("random boxes, free memory") { random_run(seed_base(), 0, 64, {}, 12); }
TEST_CASE("random boxes, short latency") { random_run(seed_base() + 1, 0, 1, {}, 8); }
TEST_CASE("random boxes, stalls") { random_run(seed_base() + 2, 100, 20, {}, 8); }
TEST_CASE("random boxes, heavy stalls") { random_run(seed_base() + 3, 220, 5, {}, 3); }
TEST_CASE("random boxes, port conflicts") { random_run(seed_base() + 4, 0, 64, {120, 120, 120}, 8); }
TEST_CASE("random boxes, stalls and conflicts") { random_run(seed_base() + 5, 60, 30, {150, 150, 150}, 6); }

TEST_CASE("gathers behind the load of their list") {
  Rig rig(seed_base() + 6);
  for (int i = 0; i < 30; ++i) {
    push_gather(rig, false);
    rig.drain();
  }
  CHECK(rig.faults.empty());
  check_counts(rig);
  CHECK(rig.compare() == "");
}

TEST_CASE("index beyond the window: one fault, command ends, the next one works") {
  for (u64 i = 0; i < 12; ++i) {
    Rig rig(seed_base() + 100 + i, i % 2 ? 80 : 0);
    push_gather(rig, true);
    const Box box = random_box(rig, true);
    rig.push(box);
    rig.drain();
    REQUIRE(rig.faults.size() == 1);
    CHECK(rig.faults[0].load);
    CHECK(rig.faults[0].code == u32(jogak::spec::Fault::index));
    CHECK(rig.faults[0].dones_before == 3);  // wspm, wsc, the list
    CHECK(rig.load_dones == rig.load_cmds);
    push_gather(rig, false);
    rig.drain();
    CHECK(rig.faults.size() == 1);
  }
}

TEST_CASE("read error: one fault with the burst's address, data drained, the next command works") {
  Rig rig(seed_base() + 7, 30);
  const u64 cut = 64 * config.port_bytes;
  rig.push({.space = Space::vmem, .da = 0, .len = 4096});
  // Bad word in the middle of the second burst of the second run.
  const u64 start = 8192 + 64, burst = (dram_base + start) / cut * cut + cut;
  rig.memory.add_error(burst + 5 * config.port_bytes, burst + 7 * config.port_bytes);
  rig.memory.add_error(burst + cut, burst + cut + 2);
  rig.push({.space = Space::aspm, .da = 64, .len = 3000, .n1 = 3, .ds1 = 8192, .cs1 = 3000}, false);
  rig.push({.space = Space::wspm, .da = 40000, .len = 4000});
  rig.drain();
  REQUIRE(rig.faults.size() == 1);
  CHECK(rig.faults[0].code == u32(jogak::spec::Fault::bus));
  CHECK(rig.faults[0].addr == burst);
  CHECK(rig.faults[0].dones_before == 3);
  CHECK(rig.load_dones == rig.load_cmds);
  CHECK(rig.memory.quiet());
  check_counts(rig);
  rig.memory.clear_errors();
  rig.push({.space = Space::aspm, .da = 64, .len = 3000, .n1 = 3, .ds1 = 8192, .cs1 = 3000});
  rig.drain();
  CHECK(rig.faults.size() == 1);
  CHECK(rig.compare() == "");
}

TEST_CASE("write error: one fault with the burst's address, the next command works") {
  Rig rig(seed_base() + 8, 30);
  const u64 cut = 64 * config.port_bytes;
  const u64 start = dram_base + 300000, burst = start / cut * cut + cut;
  rig.memory.add_error(burst + 3 * config.port_bytes, burst + 4 * config.port_bytes);
  rig.memory.add_error(burst + cut, burst + cut + 2);
  rig.push({.load = false, .space = Space::vmem, .da = 200000, .len = 1000});
  rig.push({.load = false, .space = Space::aspm, .da = 300000, .len = u32(3 * cut)}, false);
  rig.push({.load = false, .space = Space::asc, .da = 400000, .len = 200});
  rig.drain();
  REQUIRE(rig.faults.size() == 1);
  CHECK_FALSE(rig.faults[0].load);
  CHECK(rig.faults[0].code == u32(jogak::spec::Fault::bus));
  CHECK(rig.faults[0].addr == burst);
  CHECK(rig.faults[0].dones_before == 1);
  CHECK(rig.store_dones == rig.store_cmds);
  check_counts(rig);
  rig.memory.clear_errors();
  rig.push({.load = false, .space = Space::aspm, .da = 300000, .len = u32(3 * cut)});
  rig.drain();
  CHECK(rig.faults.size() == 1);
  CHECK(rig.compare() == "");
}

TEST_CASE("done means visible") {
  Rig rig(seed_base() + 9);
  // Load: the last block is read in the cycle of done. Store: DRAM is right when done comes.
  for (u32 i = 0; i < 20; ++i) {
    const u32 blk = 5 + i;
    rig.push({.space = Space::aspm, .da = 1000 + 2 * i, .ca = blk * 32, .len = 32});
    while (rig.load_dones < rig.load_cmds) rig.tick();
    rig.dut().a_blk_i = blk;
    rig.dut().a_ren_i = 1;
    rig.tick();
    CHECK(std::memcmp(raw(rig.dut().a_rdata_o), &rig.chip[2][blk * 32], 32) == 0);
    rig.dut().a_ren_i = 0;
    rig.push({.load = false, .space = Space::aspm, .da = 700000 + 50 * i, .ca = blk * 32, .len = 32});
    while (rig.store_dones < rig.store_cmds) rig.tick();
    CHECK(rig.dram == rig.reference);
  }
}

// Beats per cycle from the first to the last beat of some commands, latency 64, nobody else.
double rate(Rig& rig, const std::vector<Box>& boxes) {
  const u64 before = rig.ev_read_beats + rig.ev_write_beats;
  rig.first_beat = rig.last_beat = 0;
  for (const Box& box : boxes) rig.push(box);
  rig.drain();
  const u64 beats = rig.ev_read_beats + rig.ev_write_beats - before;
  return double(beats) / double(rig.last_beat - rig.first_beat + 1);
}

TEST_CASE("throughput") {
  Rig rig(seed_base() + 10);
  const u32 p = config.port_bytes;
  const auto box = [](bool load, Space space, u64 da, u32 len, u32 n1, u32 ds1, u32 cs1) {
    return Box{.load = load, .space = space, .da = da, .len = len, .n1 = n1, .ds1 = ds1, .cs1 = cs1};
  };
  std::map<std::string, double> got;
  for (const bool load : {true, false}) {
    const std::string name = load ? "load" : "store";
    got[name + " long"] = rate(rig, {box(load, Space::vmem, 0, 16384, 1, 0, 0),
                                     box(load, Space::aspm, 40000, 16384, 1, 0, 0),
                                     box(load, Space::vmem, 80000, 16384, 1, 0, 0)});
    got[name + " long, odd halfword"] = rate(rig, {box(load, Space::aspm, 2, 16384, 1, 0, 0)});
    got[name + " rows of 16 beats"] = rate(rig, {box(load, Space::vmem, 0, 16 * p, 64, 20 * p, 16 * p)});
    got[name + " rows of 2 beats"] = rate(rig, {box(load, Space::aspm, 0, 2 * p, 200, 4 * p, 2 * p)});
    got[name + " rows of 1 beat"] = rate(rig, {box(load, Space::aspm, 0, p, 400, 4 * p, p)});
  }
  for (const auto& [name, beats] : got)
    MESSAGE(std::string(MEMORY_CONFIG) << ": " << name << ": " << beats << " beats a cycle");
  for (const std::string name : {"load", "store"}) {
    CHECK(got[name + " long"] >= 0.99);
    CHECK(got[name + " long, odd halfword"] >= 0.99);
    CHECK(got[name + " rows of 16 beats"] >= 0.99);
    CHECK(got[name + " rows of 1 beat"] >= 0.25);
  }
  CHECK(rig.compare() == "");
}

}  // namespace
}  // namespace memory_test
