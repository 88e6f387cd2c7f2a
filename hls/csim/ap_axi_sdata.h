// C simulation only: a word of an AXI stream without side channels, the part of ap_axi_sdata.h that the kernels use.
#ifndef JOGAK_CSIM_AP_AXI_SDATA_H
#define JOGAK_CSIM_AP_AXI_SDATA_H

#include "ap_int.h"

template <int Data, int User, int Id, int Dest>
struct ap_axiu {
  static_assert(User == 0 && Id == 0 && Dest == 0, "ap_axiu: side channels");
  ap_uint<Data> data;
  ap_uint<(Data + 7) / 8> keep, strb;
  ap_uint<1> last;
};

#endif
