// The link's RTL against its model, cycle by cycle, over channels that damage, lose and break.
#include <doctest/doctest.h>

#include "rtl_end.hpp"
#include "sim/link/traffic.hpp"

double sc_time_stamp() { return 0; }

using namespace jogak::link;

namespace {

// Both descriptions side by side: every output of every cycle is the same.
class Both {
 public:
  using Inputs = LinkEnd::Inputs;
  explicit Both(const EndOptions& o) : model_(o), rtl_(o) {}
  bool in_ready() const { return model_.in_ready(); }
  bool out_valid() const { return model_.out_valid(); }
  const std::uint32_t* out_word() const { return model_.out_word(); }
  bool out_first() const { return model_.out_first(); }
  bool out_last() const { return model_.out_last(); }
  bool phy_valid() const { return model_.phy_valid(); }
  const Wire& phy_flit() const { return model_.phy_flit(); }
  Width width() const { return model_.width(); }
  bool side_hear() const { return model_.side_hear(); }
  bool up() const { return model_.up(); }
  std::uint32_t errors() const { return model_.errors(); }
  std::uint32_t replays() const { return model_.replays(); }
  std::uint32_t trainings() const { return model_.trainings(); }
  unsigned cross_read() const { return model_.cross_read(); }

  void step(const Inputs& in) {
    rtl_.step(in);
    rtl_.settle();
    compare();
    model_.step(in);
  }
  void step_phy(const Wire* wire, unsigned read) {
    rtl_.step_phy(wire, read);
    model_.step_phy(wire, read);
    ++cycle_;
  }

 private:
  void compare() {
    CAPTURE(cycle_);
    REQUIRE(rtl_.in_ready() == model_.in_ready());
    REQUIRE(rtl_.out_valid() == model_.out_valid());
    if (model_.out_valid()) {
      REQUIRE(rtl_.out_first() == model_.out_first());
      REQUIRE(rtl_.out_last() == model_.out_last());
      REQUIRE(rtl_.out_word()[0] == model_.out_word()[0]);
    }
    REQUIRE(rtl_.phy_valid() == model_.phy_valid());
    if (model_.phy_valid()) REQUIRE(rtl_.phy_flit() == model_.phy_flit());
    REQUIRE(rtl_.width() == model_.width());
    REQUIRE(rtl_.side_hear() == model_.side_hear());
    REQUIRE(rtl_.up() == model_.up());
    REQUIRE(rtl_.lost() == model_.lost());
    REQUIRE(rtl_.mismatch() == model_.mismatch());
    REQUIRE(rtl_.replays() == model_.replays());
    REQUIRE(rtl_.errors() == model_.errors());
    REQUIRE(rtl_.trainings() == model_.trainings());
  }
  LinkEnd model_;
  RtlEnd rtl_;
  long cycle_ = 0;
};

struct Case {
  double rate, ber, offer, accept;
  std::uint64_t period;
};

}  // namespace

TEST_CASE("link: RTL and model show the same in every cycle, and all packets arrive") {
  std::uint64_t seed = 1;
  for (const Case& c : {Case{68, 0, 1, 1, 1000}, {4, 0, 1, 1, 1000}, {17, 1e-5, 0.7, 1, 1130}, {68, 1e-4, 1, 0.6, 940}, {68, 1e-3, 1, 1, 1000}, {34, 3e-4, 0.3, 0.1, 1370}}) {
    CAPTURE(c.rate);
    CAPTURE(c.ber);
    PairOptions p;
    p.end.port_bytes = LINK_PORT_BYTES;
    p.channel = {c.rate, 3000, c.ber, ++seed};
    p.period_ps = {1000, c.period};
    LinkRun<Both> r(p, {LINK_PORT_BYTES, 0, c.offer, c.accept, seed});
    for (int i = 0; i < 12000; ++i) r.step();
    CHECK(r.way[0].words_received > 100);
    CHECK(r.way[1].words_received > 100);
    if (c.ber > 0) CHECK(r.pair.end(0).errors() + r.pair.end(1).errors() > 0);
    if (c.ber < 1e-3) REQUIRE(r.drain(100000));
  }
}

TEST_CASE("link: RTL and model train again in the same cycles") {
  PairOptions p;
  p.end.port_bytes = LINK_PORT_BYTES;
  p.channel = {34, 2000, 1e-5, 4};
  LinkRun<Both> r(p, {LINK_PORT_BYTES, 0, 1, 1, 8});
  const auto run = [&](int steps) { for (int i = 0; i < steps; ++i) r.step(); };
  run(3000);
  REQUIRE(r.pair.end(0).up());
  r.pair.channel(0).break_lanes(true, false);
  run(12000);
  CHECK(r.pair.end(0).width() == Width::kHigh);
  CHECK(r.pair.end(0).up());
  r.pair.channel(1).cut(true);
  run(6000);
  CHECK_FALSE(r.pair.end(0).up());
  CHECK_FALSE(r.pair.end(1).up());
  r.pair.channel(1).cut(false);
  run(12000);
  CHECK(r.pair.end(0).up());
  REQUIRE(r.drain(20000));
}
