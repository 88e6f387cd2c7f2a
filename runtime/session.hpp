// A language model on a device: prompt in, tokens out.
//
//   Session session(read_program("stories.jgk"), "model");
//   session.generate("Once upon a time", {.tokens = 64}, [](const Token& t) { std::cout << t.text << std::flush; return true; });
//
// Methods throw jogak::Error ("part: what, found, expected"). One thread at a time, except abort().
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "dies.hpp"
#include "drafter.hpp"
#include "language_model.hpp"
#include "profile.hpp"
#include "sampler.hpp"

namespace jogak {

namespace driver {
struct LinkUse;
}

struct Step {
  int position = 0, rows = 0;  // of the launch
  LaunchRecord record;
  std::vector<LaunchRecord> dies = {};  // of a package: of each of its dies
};

struct GenerateOptions {
  int tokens = 0;          // most to make; 0: until the end or the context is full
  Sampling sampling = {};
  bool stop_at_end = true; // stop at the end-of-text token (or at a new begin-of-text)
  std::vector<std::string> stop = {};  // end before the first of these texts; none may be empty
  std::vector<int> ends = {};          // tokens that end it too, as the end-of-text token does
  // The prompt is the whole conversation: what the KV cache holds of its beginning is kept, the rest forgotten.
  bool keep_prefix = false;
  // Guesses the next tokens; one launch then computes them all and keeps the right ones. The tokens stay the same.
  Drafter* drafter = nullptr;
  int draft = 4;                       // most guesses of one launch
  std::function<bool()> go_on = {};    // asked before every launch; false ends the generation (Stop::callback)
};

struct Token {
  int id;
  std::string text;  // may be empty: control tokens, parts of a character or of what may become a stop text
  int index;         // 0 for the first one made
};

enum class Stop { tokens, end, context, callback, aborted, text };
const char* name(Stop stop);

struct Generation {
  std::vector<int> prompt, ids;
  std::string text;  // of ids, without a stop text and what follows it
  Stop stop = Stop::tokens;
  int reused = 0;              // tokens of the prompt that were in the KV cache
  int drafted = 0, kept = 0;   // guesses computed, guesses that were right and used
};

class Session {
 public:
  // Opens the backend named, or takes a device (of a package all its dies); uploads the program.
  Session(const Program& program, const std::string& backend);
  Session(const Program& program, std::unique_ptr<driver::Device> device);
  Session(const Program& program, std::vector<std::unique_ptr<driver::Device>> dies);
  ~Session();

  const LanguageModel& language_model() const { return lm_; }
  const ModelInfo& model() const { return lm_.info; }
  const Tokenizer& tokenizer() const { return lm_.tokenizer; }
  driver::DeviceInfo device() const { return loaded_.device().info(); }
  std::size_t dies() const { return loaded_.count(); }
  // What the links by which a die sends have carried so far (driver/package.hpp); none without a package or a clock.
  std::vector<driver::LinkUse> links(std::size_t die) const;
  const std::string& chat_template() const { return lm_.chat_template; }  // the model's own (Jinja), may be empty
  int position() const { return position_; }                    // tokens in the KV cache
  int room() const { return lm_.info.context - position_; }

  // Appends tokens to the KV cache in launches of at most rows() tokens; returns the logits after the last one (vocab
  // values, valid until the next call; none if an abort came). Refuses no tokens, unknown ids, and more than room().
  std::span<const float> feed(std::span<const int> ids);
  // The same, and the logits after every one: ids.size() rows of vocab values.
  std::vector<float> feed_all(std::span<const int> ids);
  // Fewer tokens a launch than the program could take: 1 .. model().rows.
  void limit_rows(int rows);
  int rows() const { return rows_; }

  // From the current position; on_token may return false to stop.
  Generation generate(const std::string& prompt, const GenerateOptions& options, const std::function<bool(const Token&)>& on_token = {});
  Generation generate(const std::vector<int>& prompt, const GenerateOptions& options, const std::function<bool(const Token&)>& on_token = {});

  // A LoRA adapter as pack_adapter() made it for this program; the conversation is forgotten. Nothing else is loaded again.
  void load_adapter(std::span<const std::uint8_t> image);
  // Back to the model without one, with the bits of a program that never had any.
  void drop_adapter();
  bool has_adapter() const { return adapter_; }

  // Forgets the conversation.
  void reset() { rewind(0); }
  // Keeps the first tokens of the KV cache and forgets the others; what follows has the bits of a cold start. Throws where can_rewind()
  // says no: a sliding window's ring has lost keys that the next token would see.
  void rewind(int tokens);
  // To 0 always, to all tokens of the last launch and before it at least to the one; anywhere without sliding windows.
  bool can_rewind(int tokens) const;
  // Rewinds to what the KV cache has in common with the beginning of a prompt, so that at least its last token is to be
  // fed, or, where that cannot be, to 0; returns how many tokens that are.
  int rewind_to(std::span<const int> prompt);
  std::span<const int> history() const { return history_; }  // tokens in the KV cache
  // From any thread: ends the launch in flight and the generation it belongs to. The session must then be reset or rewound.
  void abort();

  // Launches since construction or clear_steps().
  const std::vector<Step>& steps() const { return steps_; }
  void clear_steps() { steps_.clear(); }
  // Attributes cycles to operators from now on; refuses a device without a clock. keep: spans for a trace file.
  void start_timeline(std::size_t keep);
  const Timeline* timeline() const { return timeline_ ? &*timeline_ : nullptr; }

  // Experts that the machine chose in the last launch: [layers that have some][rows of that launch][experts of a token], largest logit first. Empty for a
  // model without experts.
  std::vector<int> experts() const;
  // The whole KV cache as the device holds it, or, where each die has some heads, as one die would; where it has what.
  std::vector<std::uint8_t> kv_cache() const;
  const KvLayout& kv_layout() const { return lm_.kv; }

 private:
  void launch(std::span<const int> ids, int logit_row, int logit_rows);
  void write_tokens(std::span<const int> ids);
  // A pipeline's launches that overlap (session_pipeline.cpp): whether so many tokens take less time so; all but the logits, false where go_on
  // says no.
  bool overlap_helps(std::size_t tokens) const;
  bool overlap(std::span<const int> ids, const std::function<bool()>& go_on);
  std::size_t overlap_rows() const;
  // The launch is over; `done`: tokens that all layers have seen now.
  void end_launch(LaunchRecord record, std::span<const int> done);
  void check_ids(std::span<const int> ids) const;
  void check_state() const;
  // feed, but empty after an abort or where go_on says no
  std::span<const float> advance(std::span<const int> ids, const std::function<bool()>& go_on = {});
  void truncate(int tokens);
  friend class Making;  // session_generate.cpp
  void read_logits(int rows, std::vector<float>& out) const;

  Program program_;  // without its segments
  LanguageModel lm_;
  Dies loaded_;
  const ModelInfo& model_ = lm_.info;
  const Tokenizer& tokenizer_ = lm_.tokenizer;
  Symbol tokens_, logits_, kv_;
  bool adapter_ = false;
  int rows_ = 0, position_ = 0;
  int intact_ = 0;  // with a ring: no key from here to position_ has been written over
  std::vector<int> history_;
  std::vector<float> last_;
  std::vector<Step> steps_;
  std::optional<Timeline> timeline_;
  std::atomic<bool> aborted_ = false;
};

}  // namespace jogak
