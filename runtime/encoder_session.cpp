#include "encoder_session.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace jogak {
namespace {

constexpr const char* kOutput = "output/";

nlohmann::json abi_of(const Program& program) {
  const auto abi = nlohmann::json::parse(program.abi, nullptr, false);
  return abi.is_object() ? abi : nlohmann::json::object();
}

WordPieces words_of(const nlohmann::json& j) {
  WordPieceData d{.tokens = j.at("tokens"), .unk = j.at("unk"), .cls = j.at("cls"), .sep = j.at("sep"), .mask = j.at("mask"), .prefix = j.at("prefix"), .longest = j.at("longest"),
                  .clean = j.at("clean"), .split_ideographs = j.at("split_ideographs"), .strip_accents = j.at("strip_accents"), .lowercase = j.at("lowercase")};
  return WordPieces(std::move(d));
}

}  // namespace

bool is_encoder(const Program& program) { return abi_of(program).value("kind", nlohmann::json()) == "encoder"; }

EncoderSession::EncoderSession(const Program& program, const std::string& backend) : EncoderSession(program, open_for(program, backend)) {}

EncoderSession::EncoderSession(const Program& program, std::unique_ptr<driver::Device> device)
    : symbols_(program.symbols), device_(std::move(device)), loaded_(*device_, program) {
  if (!jogak::is_encoder(program)) throw Error("session", "kind of program", "no encoder", "an encoder");
  try {
    const auto abi = abi_of(program);
    context_ = abi.at("context"), columns_ = abi.at("columns"), vocab_ = abi.at("vocab"), types_ = abi.at("types");
    image_ = abi.at("input") == "image", all_rows_ = abi.at("output_rows") == "all", output_name_ = abi.at("output");
    if (abi.contains("tokenizer")) {
      const auto& j = abi.at("tokenizer");
      if (j.contains("refused")) no_words_ = j.at("refused");
      else words_ = words_of(j);
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error("session", "launch ABI", e.what(), "that of an encoder");
  }
  const Symbol& out = symbol(kOutput + output_name_);
  if (out.shape.size() != 2 || out.shape[1] < columns_ || out.bytes != out.shape[0] * out.shape[1] * 4)
    throw Error("session", "output " + output_name_, std::to_string(out.bytes) + " bytes", "rows of " + std::to_string(columns_) + " values");
}

const WordPieces& EncoderSession::words() const {
  if (words_.size() == 0) throw Error("session", "tokenizer", no_words_, "word pieces (tokenizer.json of type WordPiece, vocab.txt, GGUF's bert); ids can be given instead");
  return words_;
}

const Symbol& EncoderSession::symbol(const std::string& name) const {
  const auto found = std::find_if(symbols_.begin(), symbols_.end(), [&](const Symbol& s) { return s.name == name; });
  if (found == symbols_.end()) throw Error("session", "tensor " + name, "none in this program", "one");
  return *found;
}

void EncoderSession::write(const std::string& name, const void* values, std::size_t bytes) {
  const Symbol& s = symbol(name);
  if (bytes > s.bytes) throw Error("session", name, std::to_string(bytes) + " bytes", "at most " + std::to_string(s.bytes));
  loaded_.write(s.window, s.offset, {static_cast<const std::uint8_t*>(values), bytes});
}

void EncoderSession::put_text(const EncoderInput& input) {
  if (input.ids.empty() || input.ids.size() > context_)
    throw Error("session", "text", std::to_string(input.ids.size()) + " tokens", "1 to " + std::to_string(context_));
  const auto check = [](const char* what, const std::vector<std::int32_t>& list, std::uint64_t end) {
    const auto bad = std::find_if(list.begin(), list.end(), [&](std::int32_t i) { return i < 0 || static_cast<std::uint64_t>(i) >= end; });
    if (bad != list.end()) throw Error("session", what, std::to_string(*bad), "0 to " + std::to_string(end - 1));
  };
  check("token id", input.ids, vocab_);
  write("input/input_ids", input.ids.data(), input.ids.size() * 4);
  if (types_ == 0 && !input.types.empty()) throw Error("session", "token types", std::to_string(input.types.size()), "none: this model has no types");
  if (types_ == 0) return;
  std::vector<std::int32_t> types = input.types;
  types.resize(types.empty() ? input.ids.size() : types.size());
  if (types.size() != input.ids.size()) throw Error("session", "token types", std::to_string(types.size()), std::to_string(input.ids.size()) + ", one an id");
  check("token type", types, types_);
  write("input/token_type_ids", types.data(), types.size() * 4);
}

EncoderResult EncoderSession::run(const EncoderInput& input) {
  std::uint64_t rows = context_;
  if (image_) {
    const Symbol& s = symbol("input/pixel_values");
    if (input.pixels.size() * 4 != s.bytes) throw Error("session", "image", std::to_string(input.pixels.size()) + " values", std::to_string(s.bytes / 4));
    if (const auto bad = std::find_if(input.pixels.begin(), input.pixels.end(), [](float x) { return !std::isfinite(x); }); bad != input.pixels.end())
      throw Error("session", "image", std::to_string(*bad), "finite values");
    write("input/pixel_values", input.pixels.data(), s.bytes);
  } else {
    put_text(input);
    rows = input.ids.size();
  }
  const auto argument = static_cast<std::uint32_t>(rows);
  record_ = loaded_.run(std::span(&argument, 1));
  const Symbol& out = symbol(kOutput + output_name_);
  EncoderResult result{all_rows_ ? rows : 1, columns_, {}};
  std::vector<float> padded(result.rows * out.shape[1]);
  loaded_.read(out.window, out.offset, {reinterpret_cast<std::uint8_t*>(padded.data()), padded.size() * 4});
  for (std::uint64_t r = 0; r < result.rows; ++r) {
    const auto row = padded.begin() + static_cast<std::ptrdiff_t>(r * out.shape[1]);
    result.values.insert(result.values.end(), row, row + static_cast<std::ptrdiff_t>(columns_));
  }
  return result;
}

}  // namespace jogak
