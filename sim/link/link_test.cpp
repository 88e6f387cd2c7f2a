// The model of a link: nothing lost, doubled or changed over channels that damage, lose and break.
#include <doctest/doctest.h>

#include <random>

#include "sim/link/traffic.hpp"

using namespace jogak::link;

namespace {

void run(LinkRun<LinkEnd>& r, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) r.step();
}

}  // namespace

TEST_CASE("link: the CRC finds up to three wrong bits and runs of 16, flits survive their wires") {
  std::mt19937_64 random(5);
  Flit f{FlitKind::kData, 77, 120, {}};
  for (auto& w : f.payload) w = static_cast<std::uint32_t>(random());
  const Wire good = encode(f);
  Flit back;
  REQUIRE(decode(good, back));
  CHECK(back == f);
  CHECK_FALSE(decode(Wire{}, back));
  const auto flip = [](Wire w, unsigned bit) {
    w[bit / 32] ^= 1u << bit % 32;
    return w;
  };
  for (unsigned i = 0; i < 8 * kFlitBytes; ++i) {
    const Wire one = flip(good, i);
    REQUIRE_FALSE(decode(one, back));
    for (unsigned j = i + 1; j < 8 * kFlitBytes; ++j) {
      const Wire two = flip(one, j);
      REQUIRE_FALSE(decode(two, back));
      if (random() % 8 == 0) REQUIRE_FALSE(decode(flip(two, (j + 1 + random() % 100) % (8 * kFlitBytes)), back));
    }
    Wire burst = good;
    for (unsigned k = 0; k < 16 && i + k < 8 * kFlitBytes; ++k)
      if (k == 0 || (random() & 1) != 0) burst = flip(burst, i + k);
    REQUIRE_FALSE(decode(burst, back));
  }
}

TEST_CASE("link: header words keep their fields") {
  std::mt19937_64 random(6);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t bits = random() & ((1ull << 59) - 1);
    REQUIRE(pack(unpack(bits)) == bits);
  }
}

TEST_CASE("link: all packets arrive, whatever the channel's errors, clocks, port and stalls") {
  struct Case { double rate, ber, offer, accept; std::uint64_t period; unsigned port; };
  for (const Case& c : {Case{68, 0, 1, 1, 1000, 16}, {4, 0, 1, 1, 1000, 16}, {17, 1e-5, 0.7, 1, 1130, 8}, {68, 1e-4, 1, 0.8, 940, 16}, {68, 1e-3, 1, 1, 1000, 64}, {34, 1e-4, 0.3, 0.1, 1000, 32}}) {
    CAPTURE(c.rate);
    CAPTURE(c.ber);
    PairOptions p;
    p.end.port_bytes = c.port;
    p.channel = {c.rate, 3000, c.ber, 9};
    p.period_ps = {1000, c.period};
    LinkRun<LinkEnd> r(p, {c.port, 0, c.offer, c.accept, 3});
    run(r, 60000);
    REQUIRE(r.drain(2000000));
    CHECK(r.way[0].packets_received > 10);
    CHECK(r.way[1].packets_received > 10);
    if (c.ber > 0) CHECK(r.pair.end(0).errors() + r.pair.end(1).errors() > 0);
    else CHECK(r.pair.end(0).replays() + r.pair.end(1).replays() == 0);
  }
}

TEST_CASE("link: broken lanes: half the width, a cut link trains again and goes on where it was") {
  PairOptions p;
  p.channel = {34, 2000, 1e-6, 4};
  LinkRun<LinkEnd> r(p, {16, 0, 1, 1, 8});
  run(r, 20000);
  REQUIRE(r.pair.end(0).up());
  r.pair.channel(0).break_lanes(true, false);
  run(r, 60000);
  CHECK(r.pair.end(0).up());
  CHECK(r.pair.end(0).width() == Width::kHigh);
  const auto before = r.way[0].words_received;
  run(r, 20000);
  CHECK(r.way[0].words_received > before + 5000);
  r.pair.channel(0).cut(true);
  r.pair.channel(1).cut(true);
  run(r, 20000);
  CHECK_FALSE(r.pair.end(0).up());
  CHECK_FALSE(r.pair.end(1).up());
  r.pair.channel(0).cut(false);
  r.pair.channel(1).cut(false);
  r.pair.channel(0).break_lanes(false, false);
  run(r, 60000);
  CHECK(r.pair.end(0).up());
  REQUIRE(r.drain(200000));
  CHECK(r.pair.end(0).trainings() >= 3);
}

TEST_CASE("link: one direction dead: both ends stop, nothing is lost when it comes back") {
  PairOptions p;
  LinkRun<LinkEnd> r(p, {16, 0, 1, 1, 21});
  run(r, 5000);
  r.pair.channel(1).cut(true);
  run(r, 30000);
  CHECK_FALSE(r.pair.end(0).up());
  CHECK_FALSE(r.pair.end(1).up());
  r.pair.channel(1).cut(false);
  run(r, 30000);
  REQUIRE(r.drain(100000));
}

TEST_CASE("link: noise that passes for right neither ends a link nor changes its words") {
  for (const std::uint64_t seed : {2u, 7u, 19u}) {
    CAPTURE(seed);
    PairOptions p;
    p.channel = {68, 0, 0, seed + 1};
    LinkRun<LinkEnd> r(p, {16, 0, 1, 1, seed});
    for (int outage = 0; outage < 8; ++outage) {
      run(r, 300);
      r.pair.channel(0).break_lanes(true, true);
      run(r, 8000);
      r.pair.channel(0).break_lanes(false, false);
      run(r, 5000);
      REQUIRE(r.pair.end(0).up());
    }
    REQUIRE(r.drain(200000));
  }
}

TEST_CASE("link: an end that forgot, or of another make, is refused") {
  LinkEnd old{EndOptions{}}, fresh{EndOptions{}}, other{EndOptions{.port_bytes = 8}};
  // One end's flits straight into the other's clock crossing.
  const auto join = [](LinkEnd& a, LinkEnd& b, int cycles) {
    for (int i = 0; i < cycles; ++i) {
      const Wire wa = a.phy_flit(), wb = b.phy_flit();
      const bool va = a.phy_valid(), vb = b.phy_valid(), ha = a.side_hear(), hb = b.side_hear();
      const unsigned ra = a.cross_read(), rb = b.cross_read();
      LinkEnd::Inputs in;
      in.phy_ready = in.out_ready = true;
      in.side_hear = hb, a.step(in), a.step_phy(vb ? &wb : nullptr, ra);
      in.side_hear = ha, b.step(in), b.step_phy(va ? &wa : nullptr, rb);
    }
  };
  LinkEnd first{EndOptions{}};
  join(old, first, 200);
  REQUIRE(old.up());
  join(old, fresh, 400);
  CHECK(old.lost());
  CHECK_FALSE(old.up());
  CHECK_FALSE(fresh.up());
  LinkEnd another{EndOptions{}};
  join(another, other, 200);
  CHECK(another.mismatch());
  CHECK_FALSE(another.up());
}
