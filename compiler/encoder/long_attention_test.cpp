#include "long_attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "long_attention_data.hpp"
#include "sim/model/machine.hpp"

using namespace jogak;
using encoder::LongAttention;

TEST_CASE("long attention: within 1.5 % of softmax(q k) v over the quantised keys, any number of them, no race, the same room on chip") {
  for (const char* name : {"nano", "edge"}) {
    const int chunk = std::string(name) == "edge" ? 64 : 32;
    for (const int keys : {1, 31, 64, 65, 200, 512}) {
      const LongAttention a{.config = *spec::find_config(name), .queries = 40, .head_dim = 32, .keys = 512, .chunk = chunk};
      const auto code = encoder::lower_attention(a).program().code();
      model::Machine machine(a.config, {.check = true});
      machine.randomize(5);
      const auto dram = machine.dram().allocate(0, 1 << 20);
      std::fill(dram.begin(), dram.end(), std::uint8_t(0xff));
      const auto expected = encoder::fill_attention(a, keys, dram);
      model::Launch launch{.code = code};
      launch.args[0] = static_cast<std::uint32_t>(keys);
      launch.windows[0] = {0, a.input_bytes(), true, false};
      launch.windows[1] = {1 << 19, a.output_bytes(), true, true};
      const model::Result done = machine.launch(launch);
      INFO(name << " keys " << keys << " fault " << static_cast<int>(done.fault.code) << " at " << done.fault.pc);
      REQUIRE(done.ok());
      REQUIRE(machine.violations() == std::vector<std::string>{});
      double off = 0, whole = 0;
      for (int i = 0; i < a.queries; ++i)
        for (int c = 0; c < a.head_dim; ++c) {
          float found = 0;
          std::memcpy(&found, dram.data() + (1 << 19) + 4 * (i * a.words() + c), 4);
          const double e = expected[static_cast<std::size_t>(i * a.head_dim + c)];
          off += (found - e) * (found - e), whole += e * e;
        }
      INFO("error " << std::sqrt(off / whole));
      CHECK(std::sqrt(off / whole) <= 0.015);
    }
  }
  const auto words = [](int keys) {
    return LongAttention{.config = *spec::find_config("edge"), .keys = keys}.vector_words();
  };
  CHECK(words(64) == words(1 << 20));
}

TEST_CASE("long attention: what does not fit is refused") {
  CHECK_THROWS_AS((void)encoder::lower_attention({.config = *spec::find_config("nano")}), Error);
  CHECK_THROWS_AS((void)encoder::lower_attention({.config = *spec::find_config("edge"), .keys = 100}), Error);
}
