// Prints the hash of the machine's arithmetic as this build computes it.
#include <cstdio>

#include "numerics_hash.hpp"

int main() {
  volatile unsigned count = 200000;  // volatile: nothing for the compiler to evaluate
  const unsigned long long hash = jogak::num::numerics_hash(count);
  std::printf("%016llx\n", hash);
  return hash == jogak::num::kNumericsHash ? 0 : 1;
}
