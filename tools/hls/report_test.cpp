// What the report says is what the sources have.
#include "report.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "hls/depths.hpp"

using namespace jogak;

namespace {

std::uint64_t of(const std::vector<hls_csim::Ram>& rams, const std::string& name) {
  for (const auto& ram : rams)
    if (name == ram.name) return ram.block_rams();
  FAIL("no memory " << name);
  return 0;
}

}  // namespace

TEST_CASE("hls report: block RAMs by the shape of a memory") {
  using hls_csim::Ram;
  CHECK(Ram{"", 512, 8, 4, 1}.block_rams() == 1);
  CHECK(Ram{"", 513, 8, 4, 1}.block_rams() == 2);
  CHECK(Ram{"", 512, 12, 4, 1}.block_rams() == 2);
  CHECK(Ram{"", 2048, 1, 1, 1}.block_rams() == 1);   // a half
  CHECK(Ram{"", 4096, 1, 1, 1}.block_rams() == 1);   // two halves
  CHECK(Ram{"", 4097, 1, 1, 1}.block_rams() == 2);
  CHECK(Ram{"", 256, 32, 1, 1}.block_rams() == 16);  // 32 halves, nearly empty
  CHECK(Ram{"", 1024, 64, 4, 4}.block_rams() == 64);
}

TEST_CASE("hls report: memories hold what the configuration says") {
  for (const spec::Config& config : spec::configs) {
    std::uint64_t bytes = 0;
    for (const auto& ram : hls_csim::rams(config)) {
      bytes += ram.words * ram.bytes * ram.banks;
      CHECK(ram.block_rams() * 4096 >= ram.words * ram.bytes * ram.banks);
    }
    const std::uint64_t memories = config.wspm_bytes + config.wsc_bytes + config.aspm_bytes + config.asc_bytes + config.vmem_bytes;
    CHECK(bytes == memories + config.imem_words * sizeof(spec::Insn) + config.vmem_bytes / config.lanes);
  }
  // kria by hand: 64-byte words of weights; rows of 128 bytes, 512 in each bank.
  const auto rams = hls_csim::rams(*spec::find_config("kria"));
  CHECK(of(rams, "wspm") == 64);
  CHECK(of(rams, "wsc") == 32);
  CHECK(of(rams, "vmem") == 64);
}

TEST_CASE("hls report: the streams are those that npu.cpp declares") {
  std::stringstream text;
  text << std::ifstream("hls/npu.cpp").rdbuf();
  const std::string source = text.str();
  const std::regex single(R"(\n  JG_STREAM\()");  // nano has no links, so none inside JG_IF_LINKS
  const std::size_t declared = static_cast<std::size_t>(std::distance(std::sregex_iterator(source.begin(), source.end(), single), {}));
  REQUIRE(declared > 30);
  const auto streams = hls_csim::resources(*spec::find_config("nano")).streams;
  const auto named = std::count_if(streams.begin(), streams.end(), [](const auto& s) { return s.name != "stream"; });
  CHECK(static_cast<std::size_t>(named) == declared);
  CHECK(streams.size() > declared);
  const auto load = std::find_if(streams.begin(), streams.end(), [](const auto& s) { return s.name == "load_data"; });
  REQUIRE(load != streams.end());
  CHECK(load->bits == 8 * spec::find_config("nano")->port_bytes);
  CHECK(load->depth == 64);
  CHECK(load->luts() == 2 * load->bits);
}

TEST_CASE("hls report: times are of the work's own products, and a larger array is faster") {
  const hls_report::Report edge = hls_report::make("edge"), kria = hls_report::make("kria");
  REQUIRE(edge.works.size() == 2);
  CHECK(edge.works[0].macs == 512ull * 512 * 512);
  CHECK(edge.works[1].macs > 15'000'000);  // the parameters, and attention
  for (const auto* r : {&edge, &kria}) {
    for (const auto& w : r->works) CHECK(w.cycles * r->config.rows * r->config.cols >= w.macs);
  }
  CHECK(edge.works[0].cycles < 560'000);  // 95 % of peak, nearly
  CHECK(2 * kria.works[0].cycles < edge.works[0].cycles);
  const auto j = hls_report::json(kria);
  CHECK(j["dsp"]["array"] == 1024);
  CHECK(j["works"][0]["cycles"] == kria.works[0].cycles);
  CHECK(hls_report::text(edge, 200).find("at 200 MHz") != std::string::npos);
}

TEST_CASE("hls report: configurations that have no HLS kernel are refused") {
  CHECK_THROWS_WITH(hls_report::make("huge"), doctest::Contains("huge"));
  CHECK_THROWS_WITH(hls_report::make("alveo"), doctest::Contains("alveo"));
}
