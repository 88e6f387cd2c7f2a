#include "batch.hpp"

#include <atomic>
#include <fstream>
#include <iostream>
#include <thread>

#include "adapter.hpp"
#include "batcher.hpp"

namespace jogak::cli {
namespace {

constexpr int kSequences = 8;  // where a model is compiled on the way and --sequences does not say

std::vector<std::string> prompts_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw Error("run", "file " + file.string(), "nothing that can be read", "a text file with a prompt a line");
  std::vector<std::string> prompts;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) prompts.push_back(line);
  if (prompts.empty()) throw Error("run", "prompts in " + file.string(), "none", "one a line");
  return prompts;
}

// A caller a sequence, each with the next prompt that nobody has.
std::vector<Generation> generate_all(BatchSession& batch, Batcher& batcher, const std::vector<std::string>& prompts, const GenerateOptions& options) {
  std::vector<Generation> all(prompts.size());
  std::vector<std::exception_ptr> errors(prompts.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < prompts.size(); i = next++) {
      try {
        all[i] = batcher.generate(batch.language_model().tokenizer.encode(prompts[i]), options);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < std::min<int>(batch.most(), static_cast<int>(prompts.size())); ++i) threads.emplace_back(work);
  for (std::thread& t : threads) t.join();
  for (const auto& e : errors)
    if (e) std::rethrow_exception(e);
  return all;
}

}  // namespace

void run_batch(const std::filesystem::path& model, CompileOptions options, Given given, const BatchArguments& a) {
  const std::vector<std::string> prompts = prompts_of(a.file);
  if (options.sequences == 1) options.sequences = kSequences;
  if (!a.lora.empty()) options.lora = std::max(options.lora, adapter_rank(a.lora));
  const Program program = load(model, options, given);
  need_several_dies("run", a.package, program.mesh.dies());
  BatchSession batch(program, a.on);
  if (!a.lora.empty()) batch.load_adapter(pack_adapter(program, a.lora));
  Batcher batcher(batch);
  const std::vector<Generation> all = generate_all(batch, batcher, prompts, a.generate);
  std::size_t made = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    made += all[i].ids.size();
    if (a.json) {
      const nlohmann::json j = {{"prompt", prompts[i]}, {"prompt_ids", all[i].prompt}, {"ids", all[i].ids}, {"text", all[i].text}, {"stop", name(all[i].stop)}};
      std::cout << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    } else {
      std::cout << prompts[i] << all[i].text << "\n\n";
    }
  }
  std::cerr << "jogak: " << prompts.size() << " prompts, " << made << " tokens in " << batcher.launches() << " launches on " << a.on << " (" << program.config << ", "
            << batch.most() << " sequences a launch)\n";
}

}  // namespace jogak::cli
