// Guesses of what a model says next, for speculative decoding: a launch computes several rows for little more than one,
// so guesses that turn out right are tokens for free, and wrong ones never change what is said.
#pragma once

#include <span>
#include <vector>

namespace jogak {

class Session;

class Drafter {
 public:
  virtual ~Drafter() = default;
  // At most `most` ids that may follow `ids`, all tokens of the conversation so far; fewer or none where it has no idea.
  virtual std::vector<int> draft(std::span<const int> ids, int most) = 0;
};

// What followed the last few tokens where they stood before: the longest repetition of 2 to 4 tokens, the latest of equals.
class LookupDrafter final : public Drafter {
 public:
  std::vector<int> draft(std::span<const int> ids, int most) override;
};

// What a smaller model says, greedily. The session is the drafter's alone while it is used; both models must have the same
// vocabulary. Where the small model's context is full it has no idea.
class ModelDrafter final : public Drafter {
 public:
  // Throws jogak::Error where the vocabularies differ.
  ModelDrafter(Session& small, const Session& target);
  std::vector<int> draft(std::span<const int> ids, int most) override;

 private:
  Session& small_;
};

}  // namespace jogak
