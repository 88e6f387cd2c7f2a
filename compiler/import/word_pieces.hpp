// Tokenizers of BERT's kind from model files.
#pragma once
#include <filesystem>

#include "../encoder/words.hpp"

namespace jogak::import {

class GgufFile;

// tokenizer.json of type WordPiece; without one, vocab.txt (a token a line) with do_lower_case of tokenizer_config.json. No tokens where the
// folder has none of that kind. Throws jogak::Error for a tokenizer.json whose normalizer, cutting or template is not BERT's, by its name.
encoder::Words read_word_pieces(const std::filesystem::path& folder);

// GGUF's tokenizer model "bert": tokens that begin a word are marked by U+2581 there. Files do not say whether capitals count: they do where
// a token has one.
encoder::Words read_word_pieces(const GgufFile& file);

}  // namespace jogak::import
