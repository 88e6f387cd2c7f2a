// jogak serve: a local server for OpenAI's clients.
#include <signal.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "adapter.hpp"
#include "chat.hpp"
#include "cli.hpp"
#include "draft.hpp"
#include "server.hpp"

namespace jogak::cli {
namespace {

struct Arguments {
  std::string model, on = "model", lora;
  CompileOptions options;
  DraftOptions draft;
  serve::ServeOptions serve;
  bool quiet = false;
};

// The first Ctrl-C (or SIGTERM) stops the server in good order, a second one ends the program. Made before any other
// thread, so that none of them takes the signal.
class StopOnSignal {
 public:
  StopOnSignal() {
    sigemptyset(&set_);
    for (const int s : {SIGINT, SIGTERM, SIGUSR2}) sigaddset(&set_, s);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  void watch(serve::Server& server) {
    thread_ = std::thread([this, &server] {
      int signal = 0;
      sigwait(&set_, &signal);
      server.stop();
      if (signal == SIGUSR2) return;
      sigwait(&set_, &signal);
      if (signal != SIGUSR2) std::_Exit(128 + signal);
    });
  }
  ~StopOnSignal() {
    if (!thread_.joinable()) return;
    pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }

 private:
  sigset_t set_{};
  std::thread thread_;
};

void run_server(serve::Server& server, const Arguments& a, const Program& program, StopOnSignal& signals) {
  const bool v6 = a.serve.host.find(':') != std::string::npos;
  std::cout << "jogak: " << server.model() << " (" << program.config << ", " << a.on << ") on http://" << (v6 ? "[" : "") << a.serve.host << (v6 ? "]" : "")
            << ":" << server.port() << "/v1" << std::endl;
  signals.watch(server);
  server.run();
  const serve::ServeCounts c = server.counts();
  std::cerr << "jogak: stopped after " << c.requests << " requests, " << c.made_tokens << " tokens in " << c.launches << " launches\n";
}

void serve_model(Arguments& a, Given given) {
  StopOnSignal signals;
  std::string found;
  if (const driver::Status s = driver::machine_config(a.on, found); !s.ok()) throw Error(s.message());
  if (!given.config && !found.empty()) a.options.config = found;
  if (!a.lora.empty()) a.options.lora = std::max(a.options.lora, adapter_rank(a.lora));
  const Program program = load(a.model, a.options, given);
  if (!a.quiet) a.serve.log = [](const std::string& line) { std::cerr << "jogak: " + line + "\n"; };
  if (sequences_of(program) > 1) {
    if (!a.draft.from.empty()) throw Error("serve", "guesses", "--draft " + a.draft.from, "none where several sequences share launches");
    BatchSession batch(program, a.on);
    if (!a.lora.empty()) batch.load_adapter(pack_adapter(program, a.lora));
    serve::Server server(batch, a.serve);
    return run_server(server, a, program, signals);
  }
  Session session(program, a.on);
  if (!a.lora.empty()) session.load_adapter(pack_adapter(program, a.lora));
  const Draft draft = open_draft(a.draft, a.model, a.options, session);
  a.serve.drafter = draft.drafter.get();
  a.serve.draft = a.draft.tokens;
  serve::Server server(session, a.serve);
  run_server(server, a, program, signals);
}

}  // namespace

void add_serve(CLI::App& app, int&) {
  auto* command = app.add_subcommand("serve", "Serve a model over HTTP, with the endpoints of OpenAI's API");
  const auto a = std::make_shared<Arguments>();
  command->add_option("model", a->model, "Program file (.jgk) or model file (.gguf, llama2.c's .bin)")->required();
  command->add_option("--port", a->serve.port, "Port, 0: any free one")->check(CLI::Range(0, 65535))->capture_default_str();
  command->add_option("--host", a->serve.host, "Address to listen on; there is no password, so mind who can reach it")->capture_default_str();
  command->add_option("--on", a->on, "Backend")->capture_default_str();
  command->add_option("--name", a->serve.model, "Model id that clients use (default: the model's name)");
  command->add_option("--lora", a->lora, "LoRA adapter for all requests: a folder in PEFT's form or a .gguf file")->check(CLI::ExistingPath);
  command->add_option("--queue", a->serve.queue, "Requests that may wait for the machine")->check(CLI::Range(0, 1024))->capture_default_str();
  command->add_option("--body", a->serve.body_bytes, "Largest request, bytes")->check(CLI::Range(1024, 1 << 28))->capture_default_str();
  std::string templates;
  for (const std::string& t : chat_templates()) templates += (templates.empty() ? "" : ", ") + t;
  command->add_option("--chat-template", a->serve.chat_template, "How messages become tokens (default: what the model asks for, text where it asks for nothing): " + templates);
  command->add_flag("--quiet", a->quiet, "No line for each request on stderr");
  add_draft_options(*command, a->draft);
  add_compile_options(*command, a->options);
  command->callback([a, command] { serve_model(*a, given_by(*command)); });
}

}  // namespace jogak::cli
