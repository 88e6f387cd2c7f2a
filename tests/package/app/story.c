/* story_c PROGRAM: runs a compiled model. */
#include <jogak/jogak.h>
#include <stdio.h>

static int print(void* user, int32_t id, const char* text) {
  (void)user;
  (void)id;
  fputs(text, stdout);
  return 1;
}

int main(int argc, char** argv) {
  char error[256];
  const jogak_options options = {12, 0.0f, 1.0f, 1};
  jogak_session* session;
  int status;
  if (argc != 2) return 2;
  session = jogak_open(argv[1], "model", error, sizeof error);
  if (session == NULL) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  status = jogak_generate(session, "Once upon a time", &options, print, NULL);
  if (status != 0) fprintf(stderr, "%s\n", jogak_error(session));
  puts("");
  jogak_close(session);
  return status == 0 ? 0 : 1;
}
