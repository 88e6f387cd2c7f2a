// jogak-cli: the kit's commands. Exit status 0 good, 1 failed (one sentence on stderr), 2 wrong usage.
#include <iostream>

#include "cli.hpp"

int main(int argc, char** argv) {
  int status = 0;
  CLI::App app("Jogak: compile models and run them on an NPU, bit by bit the same on every description of it", "jogak");
  app.require_subcommand(1);
  app.option_defaults()->group("Options");
  jogak::cli::add_demo(app, status);
  jogak::cli::add_compile(app, status);
  jogak::cli::add_run(app, status);
  jogak::cli::add_eval(app, status);
#ifdef JOGAK_HAS_SERVER
  jogak::cli::add_serve(app, status);
#endif
  jogak::cli::add_disasm(app, status);
  jogak::cli::add_info(app, status);
  jogak::cli::add_bench(app, status);
  jogak::cli::add_report(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    std::cerr << "jogak: " << e.what() << "\n";
    return 1;
  }
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "jogak: output, found a write error on stdout, expected room for it\n";
    return 1;
  }
  return status;
}
