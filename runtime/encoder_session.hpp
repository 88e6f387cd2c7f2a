// An encoder's program on a device: token ids or an image in, its head's result out.
//
//   EncoderSession session(read_program("bert.jgk"), "model");
//   EncoderResult logits = session.run({.ids = {2, 17, 40, 3}});
//
// Methods throw jogak::Error ("part: what, found, expected"). One thread at a time.
#pragma once

#include "loaded.hpp"
#include "word_pieces.hpp"

namespace jogak {

struct EncoderInput {
  std::vector<std::int32_t> ids = {};    // of a text, 1 .. context
  std::vector<std::int32_t> types = {};  // one an id, or none: all 0
  std::vector<float> pixels = {};        // of an image: [channels][size][size]
};
struct EncoderResult {
  std::uint64_t rows = 0, columns = 0;
  std::vector<float> values = {};  // row-major
};

class EncoderSession {
 public:
  // Refuses a program that is no encoder. The device serves this session alone.
  EncoderSession(const Program& program, const std::string& backend);
  EncoderSession(const Program& program, std::unique_ptr<driver::Device> device);

  // The model's own tokenizer. Throws jogak::Error where it has none that can be read here, saying why.
  const WordPieces& words() const;
  bool takes_image() const { return image_; }
  std::uint64_t context() const { return context_; }
  const std::string& output() const { return output_name_; }
  // One sequence, one launch.
  EncoderResult run(const EncoderInput& input);
  const LaunchRecord& record() const { return record_; }  // of the last launch

 private:
  const Symbol& symbol(const std::string& name) const;
  void write(const std::string& name, const void* values, std::size_t bytes);
  void put_text(const EncoderInput& input);

  std::vector<Symbol> symbols_;
  std::unique_ptr<driver::Device> device_;
  Loaded loaded_;
  std::uint64_t context_ = 0, columns_ = 0, vocab_ = 0, types_ = 0;
  bool image_ = false, all_rows_ = false;
  std::string output_name_;
  WordPieces words_;
  std::string no_words_ = "none in this program";
  LaunchRecord record_;
};

// Is this program one for an EncoderSession?
bool is_encoder(const Program& program);

}  // namespace jogak
