#include "jogak.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "session.hpp"

struct jogak_session {
  jogak::Session session;
  std::string error;
  jogak::LaunchRecord total;  // of launches no longer in session.steps()

  void fold() {
    for (const jogak::Step& s : session.steps()) total.add(s.record);
    session.clear_steps();
  }
};

namespace {

// Runs action on a session; exceptions end here.
template <class Action>
int guarded(jogak_session* s, Action&& action) {
  if (s == nullptr) return -1;
  try {
    action();
    s->error.clear();
  } catch (const std::exception& e) {
    s->error = e.what();
  } catch (...) {
    s->error = "jogak: unknown failure";
  }
  try {
    s->fold();
  } catch (...) {
    return -1;
  }
  return s->error.empty() ? 0 : -1;
}

void tell(char* out, std::size_t bytes, const char* text) {
  if (out == nullptr || bytes == 0) return;
  const std::size_t n = std::min(bytes - 1, std::strlen(text));
  std::memcpy(out, text, n);
  out[n] = 0;
}

void need(const void* pointer, const char* what) {
  if (pointer == nullptr) throw jogak::Error("jogak", what, "NULL", "a pointer");
}

}  // namespace

extern "C" {

jogak_session* jogak_open(const char* program, const char* backend, char* error, size_t error_bytes) {
  try {
    need(program, "program path");
    need(backend, "backend name");
    return new jogak_session{jogak::Session(jogak::read_program(program), backend), {}, {}};
  } catch (const std::exception& e) {
    tell(error, error_bytes, e.what());
    return nullptr;
  }
}

void jogak_close(jogak_session* session) { delete session; }
const char* jogak_error(const jogak_session* s) { return s == nullptr ? "jogak: session, found NULL, expected an open one" : s->error.c_str(); }
int jogak_vocab(const jogak_session* s) { return s == nullptr ? 0 : s->session.model().vocab; }
int jogak_context(const jogak_session* s) { return s == nullptr ? 0 : s->session.model().context; }
int jogak_position(const jogak_session* s) { return s == nullptr ? 0 : s->session.position(); }

int jogak_encode(jogak_session* s, const char* text, int32_t* ids, size_t capacity, size_t* count) {
  return guarded(s, [&] {
    need(text, "text");
    need(count, "count");
    if (capacity != 0) need(ids, "ids");
    const std::vector<int> found = s->session.tokenizer().encode(text);
    *count = found.size();
    std::copy_n(found.begin(), std::min(capacity, found.size()), ids);
  });
}

int jogak_feed(jogak_session* s, const int32_t* ids, size_t count, float* logits) {
  return guarded(s, [&] {
    if (count != 0) need(ids, "ids");
    const std::vector<int> copy(ids, ids + count);
    const std::span<const float> last = s->session.feed(copy);
    if (last.empty()) throw jogak::Error("session", "launch", "an abort", "a run to its end");
    if (logits != nullptr) std::copy(last.begin(), last.end(), logits);
  });
}

int jogak_generate(jogak_session* s, const char* prompt, const jogak_options* options, jogak_token_fn on_token, void* user) {
  return guarded(s, [&] {
    need(prompt, "prompt");
    jogak::GenerateOptions o;
    if (options != nullptr) o = {options->tokens, {options->temperature, options->top_p, options->seed}, true};
    s->session.generate(std::string(prompt), o, [&](const jogak::Token& t) {
      return on_token == nullptr || on_token(user, t.id, t.text.c_str()) != 0;
    });
  });
}

int jogak_reset(jogak_session* s) {
  return guarded(s, [&] { s->session.reset(); });
}
void jogak_abort(jogak_session* s) {
  if (s != nullptr) s->session.abort();
}

uint64_t jogak_counter(const jogak_session* s, unsigned index) {
  return s == nullptr || index >= s->total.counters.size() ? 0 : s->total.counters[index];
}

}  // extern "C"
