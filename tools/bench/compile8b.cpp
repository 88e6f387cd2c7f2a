// Compiling a model of Llama-3-8B's shape: time, and memory beside the mapped file.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "common.hpp"
#include "import/gguf_writer.hpp"

namespace jogak::bench {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Type {
  std::uint32_t code;
  std::uint64_t values, bytes;  // of a block
};
constexpr Type kF32{0, 1, 4}, kQ8{8, 32, 34}, kMxfp4{39, 32, 17};

// A file with all tensors and words of the model and a hole where its values are: packing zeros takes as long as packing anything else.
class ModelFile {
 public:
  explicit ModelFile(int layers) : path_(std::filesystem::temp_directory_path() / ("jogak-compile8b-" + std::to_string(getpid()) + ".gguf")) {
    const import::LlamaHyper h{.layers = layers, .width = 4096, .heads = 32, .kv_heads = 8, .ffn = 14336, .context = 8192, .vocab = 128256};
    import::GgufWriter w;
    import::write_hyper(w, h);
    w.f32("llama.rope.freq_base", 500000);
    std::vector<std::string> words;
    for (int i = 0; i < h.vocab; ++i) words.push_back("w" + std::to_string(i));
    w.text("tokenizer.ggml.model", "gpt2"), w.text("tokenizer.ggml.pre", "llama-bpe"), w.texts("tokenizer.ggml.tokens", words);
    const auto u = [](int x) { return static_cast<std::uint64_t>(x); };
    const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape, Type type) {
      std::uint64_t count = 1;
      for (const auto d : shape) count *= d;
      w.hole(name, std::move(shape), type.code, count / type.values * type.bytes);
    };
    const std::uint64_t d = u(h.width), kv = u(h.kv_heads * h.head()), f = u(h.ffn);
    add("token_embd.weight", {u(h.vocab), d}, kQ8);
    for (int l = 0; l < layers; ++l) {
      const std::string b = "blk." + std::to_string(l) + ".";
      add(b + "attn_norm.weight", {d}, kF32), add(b + "attn_q.weight", {d, d}, kMxfp4), add(b + "attn_k.weight", {kv, d}, kMxfp4);
      add(b + "attn_v.weight", {kv, d}, kMxfp4), add(b + "attn_output.weight", {d, d}, kMxfp4), add(b + "ffn_norm.weight", {d}, kF32);
      add(b + "ffn_gate.weight", {f, d}, kMxfp4), add(b + "ffn_up.weight", {f, d}, kMxfp4), add(b + "ffn_down.weight", {d, f}, kMxfp4);
    }
    add("output_norm.weight", {d}, kF32), add("output.weight", {u(h.vocab), d}, kMxfp4);
    const auto head = w.file();
    std::ofstream(path_, std::ios::binary).write(reinterpret_cast<const char*>(head.data()), static_cast<std::streamsize>(head.size()));
    std::filesystem::resize_file(path_, w.whole_bytes());
    // Read once: what is timed is not the disk.
    std::ifstream in(path_, std::ios::binary);
    std::vector<char> piece(1 << 20);
    while (in.read(piece.data(), static_cast<std::streamsize>(piece.size()))) continue;
  }
  ~ModelFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Most memory of this process that is no part of a file, looked at a hundred times a second.
class Memory {
 public:
  Memory() : watcher_([this] {
    while (!done_) {
      most_ = std::max(most_.load(), now());
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }) {}
  ~Memory() { done_ = true, watcher_.join(); }
  double gigabytes() const { return most_ / 1e9; }

 private:
  static double now() {
    double all = 0, resident = 0, shared = 0;
    std::ifstream("/proc/self/statm") >> all >> resident >> shared;
    return (resident - shared) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  std::atomic<double> most_ = 0;
  std::atomic<bool> done_ = false;
  std::thread watcher_;
};

void run(const Options& o, Report& report) {
  const std::string config = value_or(o.config, "edge");
  const ModelFile file(o.tokens > 0 ? o.tokens : 32);
  const std::string shape = "Llama-3-8B's shape, MXFP4, context 4096: ";
  Memory memory;
  const auto start = Clock::now();
  const Compiled c = compile(import::read_model(file.path()), {.config = config});
  const double compiled = since(start);
  double bytes = 0;
  const auto begin = Clock::now();
  (void)write_to(c.program, [&](std::span<const std::uint8_t> piece) { bytes += static_cast<double>(piece.size()); });
  const double packed = since(begin);
  report.add({.case_name = shape + "program", .config = config, .value = static_cast<double>(c.program.code.size()), .unit = "instructions"});
  report.add({.case_name = shape + "read, checked, planned, lowered", .config = config, .value = compiled, .unit = "s"});
  report.add({.case_name = shape + "all weights packed, checksum made", .config = config, .value = packed, .unit = "s"});
  report.add({.case_name = shape + "program file of so many bytes, but for writing it to a disk", .config = config, .value = bytes / 1e9, .unit = "GB"});
  report.add({.case_name = shape + "both", .config = config, .value = compiled + packed, .unit = "s", .bar = 10, .less = true});
  report.add({.case_name = shape + "memory beside the mapped file", .config = config, .value = memory.gigabytes(), .unit = "GB", .bar = 2, .less = true});
  if (o.on != "disk") return report.skip("the file is not written (--on disk does it)");
  const auto to = file.path().string() + ".jgk";
  const auto write = Clock::now();
  write_program(c.program, to);
  report.add({.case_name = shape + "packed again and written", .config = config, .on = "disk", .value = since(write), .unit = "s"});
  std::filesystem::remove(to);
}

const Register registered{"compile8b", "time and memory to compile Llama-3-8B's shape (--on disk: also write the file; --tokens: layers)", run};

}  // namespace
}  // namespace jogak::bench
