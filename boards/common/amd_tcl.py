"""Tcl for Vivado: packaging the NPU as an IP and kernel, and the block design of a Zynq with it."""
import amd
import amd_kernel

# What differs between the two processor systems. window: where its master port reaches the logic's registers.
PROCESSORS = {
    "zynq_ultra_ps_e": {
        "window": (0xA000_0000, 0xB000_0000),
        "automation": '{apply_board_preset "1"}',
        "properties": {"PSU__USE__M_AXI_GP0": 1, "PSU__USE__M_AXI_GP1": 0, "PSU__USE__M_AXI_GP2": 0, "PSU__USE__S_AXI_GP2": 1,
                       "PSU__SAXIGP2__DATA_WIDTH": "{port}", "PSU__USE__IRQ0": 1, "PSU__FPGA_PL0_ENABLE": 1,
                       "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": "{mhz}"},
        "port_bits": 128,
        "clock": "pl_clk0", "reset": "pl_resetn0", "interrupt": "pl_ps_irq0",
        "master": "M_AXI_HPM0_FPD", "slave": "S_AXI_HP0_FPD", "clocked": ["maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"],
        "segment": "SAXIGP2/HP0_DDR_LOW",
    },
    "processing_system7": {
        "window": (0x4000_0000, 0x8000_0000),
        "automation": '{make_external "FIXED_IO, DDR" apply_board_preset "1" Master "Disable" Slave "Disable"}',
        "properties": {"PCW_USE_M_AXI_GP0": 1, "PCW_USE_S_AXI_HP0": 1, "PCW_S_AXI_HP0_DATA_WIDTH": "{port}",
                       "PCW_USE_FABRIC_INTERRUPT": 1, "PCW_IRQ_F2P_INTR": 1, "PCW_FPGA0_PERIPHERAL_FREQMHZ": "{mhz}"},
        "port_bits": 64,
        "clock": "FCLK_CLK0", "reset": "FCLK_RESET0_N", "interrupt": "IRQ_F2P",
        "master": "M_AXI_GP0", "slave": "S_AXI_HP0", "clocked": ["M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"],
        "segment": "S_AXI_HP0/HP0_DDR_LOWOCM",
    },
}


def header(plan):
    return f"# {amd.NOT_RUN}\n# {plan.board['title']}, configuration {plan.config}\nset here [file dirname [file normalize [info script]]]\n"


def package(plan):
    sources = " \\\n  ".join(plan.sources)
    registers = "\n".join(f"  {{{name} 0x{offset:03x} 32}}" for name, offset, access in amd_kernel.flat(plan.registers)
                          if offset < amd_kernel.FIRST)
    arguments = "\n".join(f"  {{{name} 0x{offset:03x} {8 * size}}}" for name, offset, size in plan.arguments)
    kernel = plan.vendor.get("vitis") is not None
    return header(plan) + f"""set part {{{plan.vendor['part']}}}
set sources [list \\
  {sources}]
# name, offset, bits: the protocol's registers, then what a launch sets
set registers {{
{registers}
}}
set arguments {{
{arguments}
}}

file delete -force $here/package $here/ip
create_project -force package $here/package -part $part
set paths {{}}
foreach source $sources {{lappend paths $here/rtl/$source}}
add_files -norecurse $paths
set_property top {amd_kernel.KERNEL} [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir $here/ip -vendor jogak -library kernel -taxonomy /KernelIP -import_files -set_current true
set core [ipx::current_core]
set_property name {amd_kernel.KERNEL} $core
set_property version 1.0 $core
set_property core_revision 1 $core
foreach parameter [ipx::get_user_parameters -of_objects $core] {{
  ipx::remove_user_parameter [get_property NAME $parameter] $core
}}

ipx::infer_bus_interface ap_clk xilinx.com:signal:clock_rtl:1.0 $core
ipx::infer_bus_interface ap_rst_n xilinx.com:signal:reset_rtl:1.0 $core
ipx::infer_bus_interface interrupt xilinx.com:signal:interrupt_rtl:1.0 $core
ipx::associate_bus_interfaces -busif {amd_kernel.MEMORY} -clock ap_clk $core
ipx::associate_bus_interfaces -busif {amd_kernel.CONTROL} -clock ap_clk $core
ipx::associate_bus_interfaces -clock ap_clk -reset ap_rst_n $core
set memory [ipx::get_bus_interfaces {amd_kernel.MEMORY} -of_objects $core]
foreach {{name value}} {{HAS_BURST 0 SUPPORTS_NARROW_BURST 0}} {{
  set_property value $value [ipx::add_bus_parameter $name $memory]
}}

# A name of the memory map must not be taken twice; the packager made one block for the slave.
foreach old [ipx::get_memory_maps * -of_objects $core] {{ipx::remove_memory_map [get_property NAME $old] $core}}
set map [ipx::add_memory_map {amd_kernel.CONTROL} $core]
set block [ipx::add_address_block reg0 $map]
set_property range {amd_kernel.CONTROL_BYTES} $block
set_property range_resolve_type immediate $block
set_property slave_memory_map_ref {amd_kernel.CONTROL} [ipx::get_bus_interfaces {amd_kernel.CONTROL} -of_objects $core]

proc describe {{block name offset bits}} {{
  set register [ipx::add_register $name $block]
  set_property address_offset $offset $register
  set_property size $bits $register
  return $register
}}
foreach entry $registers {{
  lassign $entry name offset bits
  describe $block $name $offset $bits
}}
foreach entry $arguments {{
  lassign $entry name offset bits
  set register [describe $block $name $offset $bits]
  if {{$bits == 64}} {{
    ipx::add_register_parameter ASSOCIATED_BUSIF $register
    set_property value {amd_kernel.MEMORY} [ipx::get_register_parameters ASSOCIATED_BUSIF -of_objects $register]
  }}
}}

set_property sdx_kernel true $core
set_property sdx_kernel_type rtl $core
set_property supported_families {{}} $core
set_property auto_family_support_level level_2 $core
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity -kernel $core
ipx::save_core $core
""" + (f"""
package_xo -force -xo_path $here/npu.xo -kernel_name {amd_kernel.KERNEL} -ip_directory $here/ip \\
  -ctrl_protocol ap_ctrl_chain -kernel_xml $here/kernel.xml
""" if kernel else "") + "close_project\n"


def design(plan):
    v, p = plan.vendor, PROCESSORS[plan.vendor["processor"]]
    fill = {"port": p["port_bits"], "mhz": plan.mhz}
    properties = " \\\n  ".join(f"CONFIG.{k} {{{str(value).format(**fill)}}}" for k, value in p["properties"].items())
    clocked = " ".join(f"ps/{pin}" for pin in p["clocked"])
    return header(plan) + f"""set part {{{v['part']}}}
set board_part {{{v.get('board_part', '')}}}
set registers 0x{v['registers']:08X}

proc newest {{name}} {{
  set found [get_ipdefs -all -filter "VLNV =~ xilinx.com:ip:$name:* && UPGRADE_VERSIONS == \\"\\""]
  if {{[llength $found] == 0}} {{error "design.tcl: IP, found no $name, expected it in this Vivado"}}
  return [lindex $found end]
}}

create_project -force npu $here/design -part $part
if {{$board_part ne ""}} {{
  set known [get_board_parts -quiet $board_part]
  if {{[llength $known] == 0}} {{error "design.tcl: board files, found none like $board_part, expected them installed"}}
  set_property board_part [lindex $known end] [current_project]
}}
set_property ip_repo_paths $here/ip [current_project]
update_ip_catalog

create_bd_design system
set ps [create_bd_cell -type ip -vlnv [newest {v['processor']}] ps]
apply_bd_automation -rule xilinx.com:bd_rule:{v['processor']} -config {p['automation']} $ps
set_property -dict [list \\
  {properties}] $ps

create_bd_cell -type ip -vlnv jogak:kernel:{amd_kernel.KERNEL}:1.0 npu
create_bd_cell -type ip -vlnv [newest proc_sys_reset] reset
foreach cell {{to_registers to_memory}} {{
  set connect [create_bd_cell -type ip -vlnv [newest smartconnect] $cell]
  set_property -dict [list CONFIG.NUM_SI {{1}} CONFIG.NUM_MI {{1}}] $connect
}}

set clock [get_bd_pins ps/{p['clock']}]
foreach pin {{npu/ap_clk reset/slowest_sync_clk to_registers/aclk to_memory/aclk {clocked}}} {{
  connect_bd_net $clock [get_bd_pins $pin]
}}
connect_bd_net [get_bd_pins ps/{p['reset']}] [get_bd_pins reset/ext_reset_in]
foreach pin {{npu/ap_rst_n to_registers/aresetn to_memory/aresetn}} {{
  connect_bd_net [get_bd_pins reset/peripheral_aresetn] [get_bd_pins $pin]
}}
foreach {{from to}} {{
  ps/{p['master']} to_registers/S00_AXI
  to_registers/M00_AXI npu/{amd_kernel.CONTROL}
  npu/{amd_kernel.MEMORY} to_memory/S00_AXI
  to_memory/M00_AXI ps/{p['slave']}
}} {{
  connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}}
connect_bd_net [get_bd_pins npu/interrupt] [get_bd_pins ps/{p['interrupt']}]

assign_bd_address -offset $registers -range {amd_kernel.CONTROL_BYTES} -target_address_space [get_bd_addr_spaces ps/Data] \\
  [get_bd_addr_segs npu/{amd_kernel.CONTROL}/reg0]
assign_bd_address -target_address_space [get_bd_addr_spaces npu/{amd_kernel.MEMORY}] [get_bd_addr_segs ps/{p['segment']}]
validate_bd_design
save_bd_design

set file [get_files system.bd]
add_files -norecurse [make_wrapper -files $file -top]
set_property top system_wrapper [current_fileset]
generate_target all $file
launch_runs impl_1 -to_step write_bitstream -jobs 4
wait_on_run impl_1
if {{[get_property PROGRESS [get_runs impl_1]] ne "100%"}} {{error "design.tcl: run, found it ended early, expected a bitstream"}}
set slack [get_property STATS.WNS [get_runs impl_1]]
puts "slack $slack ns at {plan.mhz} MHz"
if {{$slack < 0}} {{error "design.tcl: timing, found a slack of $slack ns, expected none below 0"}}
open_run impl_1
report_utilization -hierarchical -file $here/utilization.txt
report_timing_summary -file $here/timing.txt
write_bitstream -force $here/npu.bit
write_hw_platform -fixed -include_bit -force $here/npu.xsa
close_project
"""
