// jogak serve from outside: the port it prints, a request, Ctrl-C.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <httplib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "import/adapter_writer.hpp"
#include "import/gguf.hpp"

using Json = nlohmann::json;

namespace {

// A child process, and what it prints.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    arguments.insert(arguments.begin(), JOGAK_CLI);
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
      close(ends[0]);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
    out_ = fdopen(ends[0], "r");
  }
  ~Child() {
    if (pid_ > 0) kill(pid_, SIGKILL), waitpid(pid_, nullptr, 0);
    fclose(out_);
  }
  std::string line() {
    char text[500] = "";
    return fgets(text, sizeof text, out_) == nullptr ? "" : text;
  }
  void signal(int number) const { kill(pid_, number); }
  // Exit status, -1 for a signal.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
};

constexpr const char* kModel = "models/jogak-stories.gguf";

int port_of(const std::string& line) {
  const auto at = line.find("on http://127.0.0.1:");
  REQUIRE(at != std::string::npos);
  return std::stoi(line.substr(at + 20));
}

}  // namespace

TEST_CASE("jogak serve: any port, a request, and the same text as jogak run, Ctrl-C ends it with status 0") {
  if (!std::filesystem::exists(kModel)) {
    MESSAGE("SKIPPED: no " << kModel);
    return;
  }
  Child run({"run", kModel, "--config", "nano", "-p", "Once upon a time", "-n", "24", "--json"});
  const Json expected = Json::parse(run.line());
  CHECK(run.wait() == 0);
  for (const std::string draft : {"", "lookup", "layers:1"}) {
    CAPTURE(draft);
    std::vector<std::string> arguments = {"serve", kModel, "--config", "nano", "--port", "0", "--name", "stories"};
    if (!draft.empty()) arguments.insert(arguments.end(), {"--draft", draft});
    Child server(arguments);
    const int port = port_of(server.line());
    httplib::Client client("127.0.0.1", port);
    const Json body = {{"model", "stories"}, {"prompt", "Once upon a time"}, {"max_tokens", 24}, {"temperature", 0}};
    const auto answer = client.Post("/v1/completions", body.dump(), "application/json");
    REQUIRE(answer);
    CHECK(Json::parse(answer->body)["choices"][0]["text"] == expected["text"]);
    // A long generation is under way when the signal comes.
    std::thread busy([&] {
      httplib::Client other("127.0.0.1", port);
      (void)other.Post("/v1/completions", Json{{"prompt", "Once"}, {"max_tokens", 250}}.dump(), "application/json");
    });
    server.signal(draft.empty() ? SIGINT : SIGTERM);
    CHECK(server.wait() == 0);
    busy.join();
  }
}

TEST_CASE("jogak serve --lora: over HTTP the text of jogak run with the adapter, another one than without") {
  if (!std::filesystem::exists(kModel)) {
    MESSAGE("SKIPPED: no " << kModel);
    return;
  }
  namespace import = jogak::import;
  const import::AdapterFolder folder(import::random_adapter(import::adapter_hyper(import::read_model(kModel)), 4, {0, 2, 5}, 7, 0.5f), import::adapter_config(4, 8));
  const std::vector<std::string> run = {"run", kModel, "--config", "nano", "-p", "Once upon a time", "-n", "24", "--json"};
  const auto text = [](const std::vector<std::string>& arguments) {
    Child child(arguments);
    const Json result = Json::parse(child.line());
    CHECK(child.wait() == 0);
    return result["text"].get<std::string>();
  };
  auto adapted = run;
  adapted.insert(adapted.end(), {"--lora", folder.path.string()});
  const std::string expected = text(adapted);
  CHECK(expected != text(run));
  for (const bool several : {false, true}) {
    std::vector<std::string> arguments = {"serve", kModel, "--config", several ? "edge" : "nano", "--port", "0", "--lora", folder.path.string()};
    if (several) arguments.insert(arguments.end(), {"--sequences", "2"});
    Child server(arguments);
    httplib::Client client("127.0.0.1", port_of(server.line()));
    const auto answer = client.Post("/v1/completions", Json{{"prompt", "Once upon a time"}, {"max_tokens", 24}, {"temperature", 0}}.dump(), "application/json");
    REQUIRE(answer);
    CHECK(Json::parse(answer->body)["choices"][0]["text"] == expected);
  }
  Child wrong({"serve", kModel, "--config", "nano", "--port", "0", "--lora", "models"});
  CHECK(wrong.wait() == 1);
}

TEST_CASE("jogak serve: what cannot be served is refused with status 1") {
  Child missing({"serve", "/nonexistent.gguf"});
  CHECK(missing.wait() == 1);
  Child template_name({"serve", kModel, "--config", "nano", "--port", "0", "--chat-template", "poem"});
  CHECK(template_name.wait() == 1);
  Child layers({"run", kModel, "--config", "nano", "--draft", "layers:9"});
  CHECK(layers.wait() == 1);
}
