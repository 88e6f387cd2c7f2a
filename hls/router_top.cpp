// The router as Vitis sees it: a free-running kernel of streams, for a chiplet in a mesh of more than two. `place`: as the register.
#include "router.hpp"

using jogak::JG_NAMESPACE::NetStream;

extern "C" void npu_hls_router(unsigned place, NetStream& local_in, NetStream& east_in, NetStream& west_in, NetStream& north_in,
                               NetStream& south_in, NetStream& local_out, NetStream& east_out, NetStream& west_out, NetStream& north_out,
                               NetStream& south_out) {
  JG_PRAGMA(HLS interface mode = ap_ctrl_none port = return)
  JG_PRAGMA(HLS interface mode = s_axilite port = place)
  JG_PRAGMA(HLS interface mode = axis port = local_in)
  JG_PRAGMA(HLS interface mode = axis port = east_in)
  JG_PRAGMA(HLS interface mode = axis port = west_in)
  JG_PRAGMA(HLS interface mode = axis port = north_in)
  JG_PRAGMA(HLS interface mode = axis port = south_in)
  JG_PRAGMA(HLS interface mode = axis port = local_out)
  JG_PRAGMA(HLS interface mode = axis port = east_out)
  JG_PRAGMA(HLS interface mode = axis port = west_out)
  JG_PRAGMA(HLS interface mode = axis port = north_out)
  JG_PRAGMA(HLS interface mode = axis port = south_out)
  jogak::JG_NAMESPACE::router(place, local_in, east_in, west_in, north_in, south_in, local_out, east_out, west_out, north_out, south_out);
}
