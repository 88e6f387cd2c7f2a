# Language, warnings and floating point for the whole kit.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

# The bits are the contract: no fused or reordered floating point, on any machine.
add_compile_options(-Wall -Wextra -Wshadow -ffp-contract=off)
if(JOGAK_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 inside the standard library under -O3.
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
                      -Wno-maybe-uninitialized -Wno-psabi)
endif()
if(JOGAK_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# Flags for hot code on this machine: AVX2 level when the processor has it.
set(JOGAK_ARCH_FLAGS "" CACHE STRING "Architecture flags of hot code; empty: found out")
set(NPU_ARCH_FLAGS ${JOGAK_ARCH_FLAGS})
if(NOT JOGAK_ARCH_FLAGS AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND EXISTS /proc/cpuinfo)
  file(STRINGS /proc/cpuinfo cpu_flags REGEX "^flags" LIMIT_COUNT 1)
  if(cpu_flags MATCHES " avx2 " AND cpu_flags MATCHES " fma " AND cpu_flags MATCHES " bmi2 ")
    set(NPU_ARCH_FLAGS -march=x86-64-v3)
  endif()
endif()

# jogak_fast(<target>): compile its own sources for this machine.
function(jogak_fast target)
  target_compile_options(${target} PRIVATE ${NPU_ARCH_FLAGS})
endfunction()

# Two heavy compilations of verilated code at a time fit into 8 GB.
set_property(GLOBAL APPEND PROPERTY JOB_POOLS verilate=2)
