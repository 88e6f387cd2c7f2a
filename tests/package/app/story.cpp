// story MODEL PROGRAM: compiles, saves and runs a model.
#include <jogak/compile.hpp>
#include <jogak/import/gguf.hpp>
#include <jogak/session.hpp>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const jogak::Compiled compiled = jogak::compile(jogak::import::read_model(argv[1]), {.config = "edge"});
    jogak::write_program(compiled.program, argv[2]);
    jogak::Session session(compiled.program, "model");
    session.generate("Once upon a time", {.tokens = 12}, [](const jogak::Token& t) {
      std::cout << t.text;
      return true;
    });
    std::cout << "\n";
  } catch (const jogak::Error& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
