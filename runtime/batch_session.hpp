// Several conversations on one device, or on the dies of a package: a launch takes rows of any of them and reads the weights once.
//
//   BatchSession batch(program, "model");            // compiled for several sequences
//   const int a = batch.add(), b = batch.add();
//   const auto logits = batch.step({{a, first_prompt}, {b, second_prompt}});
//
// How sequences share launches changes no bit of the tokens, logits or KV cache of any of them. The cache lies in pages, which a sequence
// takes as it grows and gives back when it is removed or rewound. Methods throw jogak::Error. One thread at a time, except abort().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "dies.hpp"
#include "language_model.hpp"

namespace jogak {

// Tokens that one sequence goes on with.
struct BatchPart {
  int sequence = 0;
  std::vector<int> ids;
};

struct BatchStep {
  int sequences = 0, rows = 0;  // of the launch
  LaunchRecord record;
  std::vector<LaunchRecord> dies = {};  // of a package: of each of its dies
};

class BatchSession {
 public:
  BatchSession(const Program& program, const std::string& backend);
  BatchSession(const Program& program, std::unique_ptr<driver::Device> device);
  BatchSession(const Program& program, std::vector<std::unique_ptr<driver::Device>> dies);

  const LanguageModel& language_model() const { return lm_; }
  const ModelInfo& model() const { return lm_.info; }
  driver::DeviceInfo device() const { return loaded_.device().info(); }
  std::size_t dies() const { return loaded_.count(); }
  int most() const { return lm_.sequences; }  // sequences of one launch; any number may wait between launches

  // As those of Session, for all sequences; refused while there are any.
  void load_adapter(std::span<const std::uint8_t> image);
  void drop_adapter();

  // A new sequence without tokens.
  int add();
  // Forgets a sequence.
  void remove(int sequence);
  // Keeps the first tokens of a sequence.
  void rewind(int sequence, int tokens);
  std::span<const int> history(int sequence) const { return at(sequence).history; }
  int room(int sequence) const { return lm_.info.context - static_cast<int>(at(sequence).history.size()); }
  int free_pages() const { return static_cast<int>(free_.size()); }
  int page_tokens() const { return lm_.kv.tokens; }

  // One launch: each part's tokens go to its sequence, `vocab` logits after the last of each come back, in the order of the parts; none after an
  // abort. Refuses no parts or more than most(), a sequence twice, no tokens or unknown ones, more than model().rows together, what
  // exceeds the context, and what finds no free page; nothing has changed then.
  std::vector<std::vector<float>> step(const std::vector<BatchPart>& parts);

  // From any thread: ends the launch in flight. What it appended is lost; resume() before the next step.
  void abort();
  void resume() { aborted_ = false; }
  bool aborted() const { return aborted_; }

  const std::vector<BatchStep>& steps() const { return steps_; }
  void clear_steps() { steps_.clear(); }

  // A sequence's keys and values: of each layer and region the planes, token by token.
  std::vector<std::uint8_t> kv_cache(int sequence) const;

 private:
  struct Sequence {
    std::vector<int> history, pages;
  };
  const Sequence& at(int sequence) const;
  Sequence& at(int sequence) { return const_cast<Sequence&>(std::as_const(*this).at(sequence)); }
  std::size_t pages_for(std::size_t tokens) const;
  void check(const std::vector<BatchPart>& parts) const;
  void take_pages(const std::vector<BatchPart>& parts);
  void refuse_sequences() const;
  void give_back(Sequence& s, std::size_t pages);
  std::vector<std::uint32_t> table(const std::vector<const BatchPart*>& order) const;
  void write_words(const Symbol& to, std::span<const std::uint32_t> words);
  bool launch(const std::vector<const BatchPart*>& order);

  Program program_;  // without its segments
  LanguageModel lm_;
  Dies loaded_;
  Symbol tokens_, logits_, kv_, table_;
  std::map<int, Sequence> sequences_;
  std::vector<int> free_;  // pages
  int next_ = 0;
  bool adapter_ = false;
  std::vector<BatchStep> steps_;
  std::atomic<bool> aborted_ = false;
};

// The same of a cache read as a whole: `tokens` of them, page i of the sequence being pages[i].
std::vector<std::uint8_t> kv_rows(const KvLayout& layout, int layers, std::span<const std::uint8_t> cache, std::span<const int> pages, int tokens);

}  // namespace jogak
