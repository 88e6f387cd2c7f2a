# The contract, printed at build time by specgen into ${PROJECT_BINARY_DIR}/gen:
#   target jogak_spec   include "npu_spec.hpp", "npu_regs.h", "numerics.hpp", "error.hpp"
#   npu_spec_sv(<config> <out>)   the SystemVerilog packages of one configuration, in compile order
# A cross build passes a host's specgen with -DJOGAK_SPECGEN=<path>.
set(JOGAK_SPECGEN "" CACHE FILEPATH "specgen of the host, for cross builds")
set(NPU_GEN_DIR "${PROJECT_BINARY_DIR}/gen")
set(npu_spec_inputs "${PROJECT_SOURCE_DIR}/spec/npu.yaml" "${PROJECT_SOURCE_DIR}/spec/functions.yaml")
file(GLOB npu_config_files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/spec/configs/*.yaml")

if(JOGAK_SPECGEN)
  add_executable(specgen IMPORTED GLOBAL)
  set_target_properties(specgen PROPERTIES IMPORTED_LOCATION "${JOGAK_SPECGEN}")
endif()

function(npu_spec_sv config out)
  if(NOT EXISTS "${PROJECT_SOURCE_DIR}/spec/configs/${config}.yaml")
    message(FATAL_ERROR "npu_spec_sv: unknown configuration, found ${config}, expected a file of spec/configs")
  endif()
  set(${out} "${NPU_GEN_DIR}/${config}/npu_pkg.sv" "${NPU_GEN_DIR}/${config}/npu_func_pkg.sv" PARENT_SCOPE)
endfunction()

# Called once, by spec/gen.
function(npu_spec_rules)
  set(cxx npu_spec.hpp npu_regs.h isa.md csr.md)
  list(TRANSFORM cxx PREPEND "${NPU_GEN_DIR}/")
  add_custom_command(OUTPUT ${cxx}
    COMMAND specgen cxx "${PROJECT_SOURCE_DIR}/spec/npu.yaml" "${PROJECT_SOURCE_DIR}/spec/configs" "${NPU_GEN_DIR}"
    DEPENDS specgen ${npu_spec_inputs} ${npu_config_files} VERBATIM
    COMMENT "Contract for C++")
  add_custom_target(spec_cxx DEPENDS ${cxx})
  set(all_sv)
  foreach(file ${npu_config_files})
    get_filename_component(config "${file}" NAME_WE)
    npu_spec_sv(${config} sv)
    add_custom_command(OUTPUT ${sv}
      COMMAND specgen sv "${PROJECT_SOURCE_DIR}/spec/npu.yaml" "${file}" "${NPU_GEN_DIR}/${config}"
      DEPENDS specgen ${npu_spec_inputs} "${file}" VERBATIM
      COMMENT "Contract for SystemVerilog, ${config}")
    list(APPEND all_sv ${sv})
  endforeach()
  add_custom_target(spec_sv ALL DEPENDS ${all_sv})

  add_library(jogak_spec INTERFACE)
  target_include_directories(jogak_spec INTERFACE "${NPU_GEN_DIR}" "${PROJECT_SOURCE_DIR}/spec" "${PROJECT_SOURCE_DIR}")
  add_dependencies(jogak_spec spec_cxx)
endfunction()
