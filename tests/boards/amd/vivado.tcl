# A dry run of a script for Vivado: tclsh vivado.tcl SCRIPT PORTS [NAME=VALUE...]
# Vivado's commands are recorders, one line each on stdout, arguments apart by tabs. Anything else that a script calls must
# be Tcl's own, so a misspelt command, an unknown variable or a name of a pin, port or object that was not made is an error.
# PORTS: words, the names of the kernel's pins. NAME=VALUE: what the tool would answer (slack, progress, boards, ips).
lassign $argv script ports
array set answer {slack 0.5 progress 100% boards {xilinx.com:som:part0:1.4} ips found}
foreach pair [lrange $argv 2 end] {
  set at [string first = $pair]
  set answer([string range $pair 0 $at-1]) [string range $pair $at+1 end]
}

proc record {args} {puts [join [string map {\n " "} $args] \t]}

interp create vivado
vivado eval {set auto_noexec 1}
foreach command {create_project add_files update_compile_order update_ip_catalog create_bd_design apply_bd_automation
    assign_bd_address connect_bd_net connect_bd_intf_net validate_bd_design save_bd_design generate_target launch_runs
    wait_on_run open_run report_utilization report_timing_summary write_bitstream write_hw_platform close_project package_xo
    ipx::associate_bus_interfaces ipx::infer_bus_interface ipx::remove_user_parameter ipx::remove_memory_map
    ipx::create_xgui_files ipx::update_checksums ipx::check_integrity ipx::save_core ipx::package_project} {
  if {[string first :: $command] > 0} {vivado eval {namespace eval ipx {}}}
  vivado alias $command record $command
}

# Cells of the block design and their pins.
array set pins {
  proc_sys_reset {slowest_sync_clk ext_reset_in peripheral_aresetn}
  smartconnect {aclk aresetn S00_AXI M00_AXI}
  zynq_ultra_ps_e {pl_clk0 pl_resetn0 pl_ps_irq0 maxihpm0_fpd_aclk saxihp0_fpd_aclk M_AXI_HPM0_FPD S_AXI_HP0_FPD SAXIGP2/HP0_DDR_LOW Data}
  processing_system7 {FCLK_CLK0 FCLK_RESET0_N IRQ_F2P M_AXI_GP0_ACLK S_AXI_HP0_ACLK M_AXI_GP0 S_AXI_HP0 S_AXI_HP0/HP0_DDR_LOWOCM Data}
}
set pins(npu_kernel) $ports
array set cells {}
proc create_bd_cell {args} {
  global cells pins
  record create_bd_cell {*}$args
  set name [lindex $args end]
  set ip [lindex [split [dict get [lrange $args 0 end-1] -vlnv] :] 2]
  if {[info exists cells($name)]} {error "dry run: cell, found $name twice"}
  if {![info exists pins($ip)]} {error "dry run: IP, found $ip, expected one of [array names pins]"}
  set cells($name) $ip
  return $name
}
proc pin {kind path} {
  global cells pins
  set cut [string first / $path]
  set cell [string range $path 0 $cut-1]
  if {![info exists cells($cell)]} {error "dry run: $kind, found $path, expected a cell of [array names cells]"}
  set name [string range $path $cut+1 end]
  if {$name ni $pins($cells($cell))} {error "dry run: $kind, found $path, expected one of $pins($cells($cell))"}
  return $path
}
vivado alias create_bd_cell create_bd_cell
foreach kind {get_bd_pins get_bd_intf_pins get_bd_addr_spaces get_bd_addr_segs} {vivado alias $kind pin $kind}

# Objects of the packager are named by what made them.
proc make {command name args} {
  record $command $name {*}$args
  return $name
}
foreach command {ipx::add_memory_map ipx::add_address_block ipx::add_register ipx::add_register_parameter ipx::add_bus_parameter} {
  vivado alias $command make $command
}
proc parameter {name of register} {return $register.$name}
vivado alias ipx::get_register_parameters parameter
proc answered {value args} {return $value}
vivado alias ipx::current_core answered core
vivado alias ipx::get_user_parameters answered {C_M_AXI_GMEM_DATA_WIDTH}
vivado alias ipx::get_memory_maps answered {s_axi_control}
proc bus {name args} {
  if {$name ni {s_axi_control m_axi_gmem}} {error "dry run: bus interface, found $name"}
  return $name
}
vivado alias ipx::get_bus_interfaces bus
vivado alias current_fileset answered sources_1
vivado alias current_project answered project
vivado alias get_runs answered impl_1
vivado alias get_files answered system.bd
vivado alias make_wrapper answered system_wrapper.v
vivado alias get_board_parts answered $answer(boards)
proc get_ipdefs {all filter text} {
  global answer
  if {![regexp {xilinx.com:ip:(\w+):} $text -> name]} {error "dry run: filter, found $text"}
  return [expr {$answer(ips) eq "found" ? [list xilinx.com:ip:$name:1.0 xilinx.com:ip:$name:2.0] : {}}]
}
vivado alias get_ipdefs get_ipdefs
proc get_property {name object} {
  global answer
  switch $name {
    NAME {return $object}
    PROGRESS {return $answer(progress)}
    STATS.WNS {return $answer(slack)}
    default {error "dry run: property, found $name"}
  }
}
vivado alias get_property get_property
proc set_property {args} {
  if {[lindex $args 0] eq "-dict"} {
    if {[llength $args] != 3 || [llength [lindex $args 1]] % 2} {error "dry run: set_property, found $args"}
  } elseif {[llength $args] != 3} {
    error "dry run: set_property, found $args, expected a name, a value and an object"
  }
  record set_property {*}$args
}
vivado alias set_property set_property
vivado alias puts record puts

set text [read [open $script]]
if {![info complete $text]} {puts stderr "dry run: $script, found an unfinished command"; exit 1}
vivado eval [list info script $script]
if {[catch {vivado eval $text} message]} {
  puts stderr $message
  exit 1
}
