// The RTL in compile order: packages, then modules. Paths from the project's root; one line each.
// The configuration's npu_pkg.sv and npu_func_pkg.sv come before these.
rtl/npu_types.sv
rtl/array/npu_mx_pkg.sv
rtl/common/npu_fp_pkg.sv
rtl/common/npu_fifo.sv
rtl/common/npu_fp_add.sv
rtl/common/npu_fp_fma.sv
rtl/common/npu_fp_i2f.sv
rtl/common/npu_fp_mul.sv
rtl/common/npu_ram.sv
rtl/memory/npu_aspm.sv
rtl/memory/npu_spad.sv
rtl/memory/npu_vmem.sv
rtl/memory/npu_wspm.sv
rtl/array/npu_array.sv
rtl/vector/npu_vec_func.sv
rtl/control/npu_check.sv
rtl/control/npu_front.sv
rtl/control/npu_regfile.sv
rtl/control/npu_sems.sv
