// Prints the hash of the machine's arithmetic as this build computes it.
#include <cstdio>

#include "numerics_hash.hpp"

int main() {
  const unsigned long long hash = jogak::num::numerics_hash(200000);
  std::printf("%016llx\n", hash);
  return hash == jogak::num::kNumericsHash ? 0 : 1;
}
