// The router as Vitis sees it: a free-running kernel of streams, for a chiplet in a mesh of more than two. `place`: as the register.
#include "router.hpp"

using namespace jogak::JG_NAMESPACE;

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
  JG_REGION;
  JG_STREAM(Passing, local, 2);
  JG_STREAM(Passing, east, 2);
  JG_STREAM(Passing, west, 2);
  JG_STREAM(Passing, north, 2);
  JG_STREAM(Passing, south, 2);
  JG_TASK(router, place, local_in, east_in, west_in, north_in, south_in, local, east, west, north, south);
  JG_NAMED_TASK(local_task, router_out, local, local_out);
  JG_NAMED_TASK(east_task, router_out, east, east_out);
  JG_NAMED_TASK(west_task, router_out, west, west_out);
  JG_NAMED_TASK(north_task, router_out, north, north_out);
  JG_NAMED_TASK(south_task, router_out, south, south_out);
  JG_REGION_END;
}
