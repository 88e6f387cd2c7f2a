// The kernel as Vitis sees it: ports, arguments and their interfaces. Windows, program and lists are absolute addresses, so the memory ports
// have no offset of their own.
#include "npu.hpp"

extern "C" void npu_hls(hls::burst_maxi<jogak::JG_NAMESPACE::PortWord> code, hls::burst_maxi<jogak::JG_NAMESPACE::PortWord> load,
                        hls::burst_maxi<jogak::JG_NAMESPACE::PortWord> store, unsigned* regs,
                        JG_IF_LINKS(jogak::JG_NAMESPACE::NetStream& net_out, jogak::JG_NAMESPACE::NetStream& net_in, ) JG_FLAG abort) {
  JG_PRAGMA(HLS interface mode = m_axi port = code bundle = gmem_code offset = off max_read_burst_length = 64)
  JG_PRAGMA(HLS interface mode = m_axi port = load bundle = gmem_load offset = off max_read_burst_length = 64 num_read_outstanding = 8)
  JG_PRAGMA(HLS interface mode = m_axi port = store bundle = gmem_store offset = off max_write_burst_length = 64 num_write_outstanding = 8)
  JG_PRAGMA(HLS interface mode = m_axi port = regs bundle = gmem_regs offset = slave)
  JG_PRAGMA(HLS interface mode = s_axilite port = regs)
  JG_PRAGMA(HLS interface mode = s_axilite port = abort)
  JG_PRAGMA(HLS interface mode = ap_none port = abort)
  JG_PRAGMA(HLS interface mode = s_axilite port = return)
  JG_IF_LINKS(JG_PRAGMA(HLS interface mode = axis port = net_out) JG_PRAGMA(HLS interface mode = axis port = net_in))
  jogak::JG_NAMESPACE::npu(code, load, store, regs, JG_IF_LINKS(net_out, net_in, ) abort);
}
