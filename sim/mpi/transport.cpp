#include "transport.hpp"

#include <mpi.h>

#include <cstdlib>
#include <string>

#include "error.hpp"

namespace jogak::mpi {

namespace {

constexpr int kTag = 1;
constexpr std::size_t kMessage = std::size_t(1) << 20;  // bytes at most: a window's flits

}  // namespace

MpiTransport::MpiTransport(int* argc, char*** argv) : buffer_(kMessage) {
  MPI_Init(argc, argv);
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  rank_ = static_cast<unsigned>(rank), ranks_ = static_cast<unsigned>(ranks);
}
MpiTransport::~MpiTransport() { MPI_Finalize(); }

std::vector<std::uint8_t> MpiTransport::exchange(unsigned peer, std::span<const std::uint8_t> bytes) {
  if (bytes.size() > kMessage) throw Error("mpi", "message", std::to_string(bytes.size()) + " bytes", std::to_string(kMessage) + " at most");
  MPI_Status status;
  const int other = static_cast<int>(peer);
  MPI_Sendrecv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, other, kTag, buffer_.data(), static_cast<int>(kMessage), MPI_BYTE, other, kTag,
               MPI_COMM_WORLD, &status);
  int count = 0;
  MPI_Get_count(&status, MPI_BYTE, &count);
  return {buffer_.begin(), buffer_.begin() + count};
}

void MpiTransport::broadcast(unsigned root, std::span<std::uint8_t> bytes) {
  MPI_Bcast(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, static_cast<int>(root), MPI_COMM_WORLD);
}

std::uint64_t MpiTransport::sum(std::uint64_t value) {
  std::uint64_t all = 0;
  MPI_Allreduce(&value, &all, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
  return all;
}

void MpiTransport::abort() {
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::abort();
}

}  // namespace jogak::mpi
