// Streams with their depth; JG_PLAIN_STREAMS: for tools and headers whose streams have none.
#pragma once

#include <hls_stream.h>

#include "types.hpp"

namespace jogak { namespace JG_NAMESPACE {

#ifdef JG_PLAIN_STREAMS
template <class T, int Depth>
using Fifo = hls::stream<T>;
#else
template <class T, int Depth>
using Fifo = hls::stream<T, Depth>;
#endif

// Whether a stream of this depth has room for one more behind all that may be on its way to it in its writer's pipeline: full() would say so
// too late, and the writer would stand still with everybody that it serves.
constexpr u32 kOnTheWay = 8;
template <class Stream>
inline bool has_room(Stream& stream, u32 depth) {
  return stream.size() + kOnTheWay < depth;
}

}}  // namespace jogak::JG_NAMESPACE
