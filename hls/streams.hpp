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

}}  // namespace jogak::JG_NAMESPACE
