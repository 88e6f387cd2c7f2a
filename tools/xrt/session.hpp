// One host process at the card's socket, until it closes the card or goes away.
#pragma once

#include "card.hpp"

namespace jogak::xrt_card {

struct Answer {
  std::vector<u8> body;
  bool last = false;  // the host has closed the card
};

// The answer to one call. Throws Error for calls and addresses that the card does not have, and for malformed bodies.
Answer answer(Card& card, u32 api, Bytes body);

constexpr std::size_t kCallHead = 14, kAnswerHead = 9;
constexpr u64 kLongestBody = u64(64) << 20;

// Throws where the process that listens at the other end is another user's: folders below /tmp can be anybody's.
void check_host(int fd);

// fd: a connected stream socket, not closed. Returns when the host closed the card or the connection; throws Error for anything
// that is not the protocol.
void serve(Card& card, int fd);

}  // namespace jogak::xrt_card
