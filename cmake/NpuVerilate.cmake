# npu_verilate(<target> TOP <module> CONFIG <config> [SOURCES <files>...] [PARAMS <Name=value>...]
#              [ARGS <verilator arguments>...] [TRACE] [TEST_ONLY])
#   A library with the C++ model of a module: include "V<target>.h", link <target>. SOURCES: paths from the
#   calling folder or the project's root, packages first; without them the whole RTL (rtl/files.f). The
#   configuration's packages come first by themselves. TRACE: with VCD. TEST_ONLY: not there without tests.
# npu_rtl_sources(<out>)   the list of rtl/files.f, as full paths.
#
# Verilated code is compiled by clang where there is one: several times faster than by g++. 19 is the one measured.
find_program(JOGAK_VERILATOR NAMES verilator)
find_program(JOGAK_MAKE NAMES make gmake)
find_program(JOGAK_VERILATED_CXX
  NAMES clang++-19 clang++-22 clang++-21 clang++-20 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14 clang++ g++
  DOC "Compiler of verilated code")
set(NPU_HAS_VERILATOR OFF)
if(JOGAK_VERILATOR AND JOGAK_MAKE)
  set(NPU_HAS_VERILATOR ON)
  execute_process(COMMAND "${JOGAK_VERILATOR}" --getenv VERILATOR_ROOT OUTPUT_VARIABLE NPU_VERILATOR_ROOT
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND "${JOGAK_VERILATOR}" --version OUTPUT_VARIABLE npu_verilator_version
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  # Every release of Verilator finds new things to warn about; ours is checked with 5.006.
  set(npu_lint -Wall)
  if(NOT npu_verilator_version MATCHES "Verilator 5\\.006")
    list(APPEND npu_lint -Wno-fatal)
  endif()
  message(STATUS "RTL: ${npu_verilator_version}, compiled by ${JOGAK_VERILATED_CXX} ${NPU_ARCH_FLAGS}")
else()
  message(STATUS "verilator or make not found: the RTL is not built (packages verilator, make)")
endif()

function(npu_rtl_sources out)
  set(list_file "${PROJECT_SOURCE_DIR}/rtl/files.f")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list_file}")
  file(STRINGS "${list_file}" lines REGEX "^[^/ ]")
  list(TRANSFORM lines PREPEND "${PROJECT_SOURCE_DIR}/")
  set(${out} ${lines} PARENT_SCOPE)
endfunction()

# Verilator's own C++: one library without and one with tracing.
function(npu_verilated_runtime name trace)
  if(TARGET ${name})
    return()
  endif()
  set(sources verilated verilated_threads)
  if(trace)
    list(APPEND sources verilated_vcd_c)
  endif()
  list(TRANSFORM sources REPLACE "(.+)" "${NPU_VERILATOR_ROOT}/include/\\1.cpp")
  find_package(Threads REQUIRED)
  add_library(${name} STATIC EXCLUDE_FROM_ALL ${sources})
  target_compile_options(${name} PRIVATE -w -O2)
  target_compile_definitions(${name} PUBLIC VM_COVERAGE=0 VM_SC=0 VM_TRACE=${trace} VM_TRACE_FST=0 VM_TRACE_VCD=${trace})
  target_include_directories(${name} SYSTEM PUBLIC "${NPU_VERILATOR_ROOT}/include" "${NPU_VERILATOR_ROOT}/include/vltstd")
  target_link_libraries(${name} PUBLIC Threads::Threads)
endfunction()

function(npu_verilate target)
  cmake_parse_arguments(V "TRACE;TEST_ONLY" "TOP;CONFIG" "SOURCES;PARAMS;ARGS" ${ARGN})
  if(NOT V_TOP OR NOT V_CONFIG OR V_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "npu_verilate(${target}): found ${ARGN}, expected TOP <module> CONFIG <config> ...")
  endif()
  if(NOT NPU_HAS_VERILATOR OR (V_TEST_ONLY AND NOT BUILD_TESTING))
    return()
  endif()
  if(V_SOURCES)
    set(sources)
    foreach(source ${V_SOURCES})
      if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
        list(APPEND sources "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
      else()
        get_filename_component(source "${source}" ABSOLUTE BASE_DIR "${PROJECT_SOURCE_DIR}")
        list(APPEND sources "${source}")
      endif()
    endforeach()
  else()
    npu_rtl_sources(sources)
  endif()
  npu_spec_sv(${V_CONFIG} packages)
  list(TRANSFORM V_PARAMS PREPEND "-G")
  set(trace_args)
  set(runtime verilated_runtime)
  set(trace 0)
  if(V_TRACE)
    set(trace_args --trace)
    set(runtime verilated_runtime_trace)
    set(trace 1)
  endif()
  npu_verilated_runtime(${runtime} ${trace})

  set(dir "${PROJECT_BINARY_DIR}/verilated/${target}")
  set(library "${dir}/V${target}__ALL.a")
  string(REPLACE ";" " " fast_flags "-O3;-ffp-contract=off;${NPU_ARCH_FLAGS}")
  add_custom_command(OUTPUT "${dir}/V${target}.h" "${library}"
    COMMAND "${CMAKE_COMMAND}" -E rm -rf "${dir}"
    COMMAND "${JOGAK_VERILATOR}" --cc -O3 --x-assign unique --x-initial unique ${npu_lint} --prefix V${target}
            --top-module ${V_TOP} --Mdir "${dir}" ${trace_args} ${V_PARAMS} ${V_ARGS} ${packages} ${sources}
    COMMAND "${JOGAK_MAKE}" -s -j2 -C "${dir}" -f V${target}.mk "CXX=${JOGAK_VERILATED_CXX}" "LINK=${JOGAK_VERILATED_CXX}"
            "OPT_FAST=${fast_flags}" OPT_SLOW=-O1 OPT_GLOBAL=-O2 "V${target}__ALL.a"
    DEPENDS ${packages} ${sources} spec_sv
    JOB_POOL verilate VERBATIM COMMENT "Verilating ${V_TOP} (${V_CONFIG}) as ${target}")
  add_custom_target(${target}_rtl DEPENDS "${library}" "${dir}/V${target}.h")

  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE "${dir}")
  target_link_libraries(${target} INTERFACE "${library}" ${runtime} jogak_spec)
  add_dependencies(${target} ${target}_rtl)
endfunction()
