// Random programs that are legal by construction, or have exactly one fault.
#pragma once

#include <memory>

#include "case.hpp"

namespace jogak::fuzz {

// What the model says about a case. The machine holds the memories at the end.
struct Meaning {
  Code code;
  model::Result result;
  std::vector<std::string> violations;
};

// One configuration's model, used for many programs.
class Oracle {
 public:
  explicit Oracle(std::string_view config);

  const spec::Config& config() const { return *config_; }
  model::Machine& machine() { return machine_; }
  std::span<u8> data() { return data_; }

  // Fills the memories and runs. hook may be null.
  Meaning run(const Case& c, std::function<void(const model::Step&, u32 item)> hook = {});
  // The environment that commands see, for model::touches().
  model::Env env(const Case& c);
  // Is another legal order of the engines the same? Runs on a machine of its own.
  bool replays(const Case& c, u64 seed);

 private:
  model::Launch launch_of(const Case& c, const Code& code) const;

  const spec::Config* config_;
  model::Machine machine_, recorder_;
  std::span<u8> data_, recorder_data_;
  model::Windows windows_{};
  model::Counters counters_;
};

// The case of a seed; the same for ever in one version of the generator.
Case generate(u64 seed, Oracle& oracle);

}  // namespace jogak::fuzz
