// The whole chiplet as one kernel: what a Vitis project names as its top, and what C simulation calls.
#pragma once

#include "arrivals.hpp"
#include "clock.hpp"
#include "load.hpp"
#include "matrix.hpp"
#include "sequencer.hpp"
#include "store.hpp"
#include "vector.hpp"

namespace jogak { namespace JG_NAMESPACE {

// One job. `regs` are the registers of spec/npu.yaml in memory (kRegisterWords words): read for the job, written with fault and counters.
// The three ports reach all memory by word address. `abort`: the host may set it during the job, which then ends with status aborted. A
// chiplet of a package has a stream to the network's router (router.hpp) and one from it.
void npu(hls::burst_maxi<PortWord> code_port, hls::burst_maxi<PortWord> load_port, hls::burst_maxi<PortWord> store_port, u32* regs,
         JG_IF_LINKS(NetStream& net_out, NetStream& net_in, ) JG_FLAG abort);

}}  // namespace jogak::JG_NAMESPACE
