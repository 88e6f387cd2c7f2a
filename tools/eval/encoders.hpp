// An encoder in the machine's arithmetic against itself in fp32: classes, masked words, the error behind every layer; formats within a budget.
#pragma once
#include <optional>

#include "encoder/model.hpp"
#include "encoder/reference.hpp"
#include "evaluate.hpp"
#include "examples.hpp"
#include "import/encoder_hf.hpp"
#include "sensitivity.hpp"

namespace jogak::eval {

using ReadEncoder = std::function<encoder::Encoder(const import::EncoderFormats&)>;
// Of an example: {channels, size, size} of an image, none for a text.
std::vector<std::int64_t> example_shape(const encoder::Encoder& model);
// What an array of examples may be named.
inline const char* input_name(const encoder::Encoder& model) { return model.embedding.source == encoder::Source::patches ? "pixel_values" : "input_ids"; }
// Values as images, or as token ids; a negative one ends the text. Throws jogak::Error for what the model cannot take.
std::vector<encoder::ReferenceInput> inputs_of(const encoder::Encoder& model, const Labelled& data);

// Texts by the model's own word pieces: each line, or pieces of the context's length. Where the model gives logits of every row, every seventh
// piece is hidden behind the mask token, and it alone has a class. most: texts, 0: all. Throws jogak::Error for a model without a tokenizer.
Labelled text_examples(const encoder::Encoder& model, const std::string& text, bool lines, int most);

struct EncoderOptions {
  std::string config = "edge", on = "model";
  int layer_examples = 4;  // for the errors behind layers; 0: none of that
};
struct EncoderQuality {
  std::string format;          // "fp32": the reference
  int judged = 0;              // classes that are known: one an example, or one a row (negative ones do not count)
  double right = 0, same = 1;  // share of right classes; of largest results in the same place as the reference's
  double error = 0;            // of the results, relative root of the mean square
  std::vector<LayerError> layers;
};
// A name and the formats of its matrices.
struct NamedFormats {
  std::string name;
  import::EncoderFormats formats;
};
// The reference, then each of them.
std::vector<EncoderQuality> evaluate_encoder(const ReadEncoder& read, const Labelled& data, const std::vector<NamedFormats>& formats, const EncoderOptions& options);

// The divergence is that of softmaxes (nats a row) where the model gives logits; else the square of the relative error of its result.
bool has_logits(const encoder::Encoder& model);
// By matrix, or by role where the configuration's instruction memory holds no body for every kind of layer.
Mixed mix_encoder(const ReadEncoder& read, const Labelled& data, const passes::Budget& budget, const std::string& config, const Progress& progress = {});
// Bytes of all matrices in int8.
std::uint64_t int8_bytes(const encoder::Encoder& model);
// "NAME=FORMAT" to what a reader takes.
import::EncoderFormats with_rules(ir::Format standard, const std::vector<std::string>& rules);

}  // namespace jogak::eval
