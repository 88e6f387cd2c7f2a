// Messages by MPI (Open MPI), between the processes of mpirun.
#pragma once

#include "sim/rtl/cut.hpp"

namespace jogak::mpi {

class MpiTransport final : public rtl::Transport {
 public:
  MpiTransport(int* argc, char*** argv);
  ~MpiTransport() override;
  MpiTransport(const MpiTransport&) = delete;
  MpiTransport& operator=(const MpiTransport&) = delete;

  unsigned rank() const override { return rank_; }
  unsigned ranks() const override { return ranks_; }
  std::vector<std::uint8_t> exchange(unsigned peer, std::span<const std::uint8_t> bytes) override;
  void broadcast(unsigned root, std::span<std::uint8_t> bytes) override;
  std::uint64_t sum(std::uint64_t value) override;
  // Ends all processes: for who cannot go on.
  [[noreturn]] static void abort();

 private:
  unsigned rank_ = 0, ranks_ = 1;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace jogak::mpi
