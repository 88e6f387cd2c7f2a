/* Jogak from C: run a compiled language model.
 *
 * Functions that can fail return 0, or -1 with a sentence in jogak_error(session). One thread at a time per session, except
 * jogak_abort. Text is UTF-8. */
#ifndef JOGAK_H
#define JOGAK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct jogak_session jogak_session;

/* program: path of a .jgk file. backend: "model", "rtl", ... NULL on failure, with a sentence in error (of error_bytes,
 * always ended by 0; may be NULL). */
jogak_session* jogak_open(const char* program, const char* backend, char* error, size_t error_bytes);
void jogak_close(jogak_session* session);
/* The last failure of this session; "" if there was none. Valid until the next call. */
const char* jogak_error(const jogak_session* session);

int jogak_vocab(const jogak_session* session);    /* logits of one token */
int jogak_context(const jogak_session* session);  /* most tokens of a conversation */
int jogak_position(const jogak_session* session); /* tokens so far */

/* Writes at most capacity ids and the number that there are. */
int jogak_encode(jogak_session* session, const char* text, int32_t* ids, size_t capacity, size_t* count);
/* Appends tokens to the conversation; logits (jogak_vocab values, or NULL) are those after the last one. */
int jogak_feed(jogak_session* session, const int32_t* ids, size_t count, float* logits);

typedef struct jogak_options {
  int32_t tokens;    /* most to make; 0: until the end of the text or of the context */
  float temperature; /* 0: always the best token */
  float top_p;       /* above 0, at most 1 */
  uint64_t seed;
} jogak_options;
/* Called for every token with its text (perhaps empty); return 0 to stop. */
typedef int (*jogak_token_fn)(void* user, int32_t id, const char* text);
int jogak_generate(jogak_session* session, const char* prompt, const jogak_options* options, jogak_token_fn on_token, void* user);

int jogak_reset(jogak_session* session);  /* forget the conversation */
void jogak_abort(jogak_session* session); /* from any thread: end the launch in flight; reset before going on */

/* Sum of a counter over all launches of the session; index as JOGAK_COUNTER_... of npu_regs.h. */
uint64_t jogak_counter(const jogak_session* session, unsigned index);

#ifdef __cplusplus
}
#endif
#endif
