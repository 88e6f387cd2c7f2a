// Word pieces as a model's files have them; runtime/word_pieces.hpp says what each part means.
#pragma once
#include <string>
#include <vector>

namespace jogak::encoder {

struct Words {
  std::vector<std::string> tokens;  // none: the files have no tokenizer of this kind
  std::string refused;              // why the one they have cannot be read; the model runs on ids all the same
  int unk = -1, cls = -1, sep = -1, mask = -1, longest = 100;
  std::string prefix = "##";
  bool clean = true, split_ideographs = true, strip_accents = true, lowercase = true;
};

}  // namespace jogak::encoder
