// Text to words, before byte-level merging: the patterns of GPT-2, Llama 3, Qwen 2, GPT-4o (gpt-oss) and SmolLM, scanned by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jogak {

enum class WordPattern {
  gpt2,      // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  llama3,    // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
  qwen2,     // the same with \p{N} in place of \p{N}{1,3}
  gpt4o,     // with U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], V = [\p{Ll}\p{Lm}\p{Lo}\p{M}], C = (?i:'s|'t|'re|'ve|'m|'ll|'d)?:
             // [^\r\n\p{L}\p{N}]?U*V+C|[^\r\n\p{L}\p{N}]?U+V*C|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
  digits,    // \p{N} stands alone, then gpt2
  standard,  // what files that name no pattern mean: runs of [\p{P}$+<=>^~|] stand alone, then gpt2, then \p{N}+ and [0-9][0-9][0-9] stand alone
};

// The pattern that GGUF's tokenizer.ggml.pre names. Throws jogak::Error for an unknown name.
WordPattern word_pattern(const std::string& name);

// The words of `text`, in order and without gaps. Bytes that are not UTF-8 count as symbols.
std::vector<std::string_view> words(WordPattern pattern, std::string_view text);

// Normal form NFC; text that is not UTF-8 stays as it is.
std::string composed(const std::string& text);

}  // namespace jogak
