# Installation: one archive, the public headers, the command-line program, and a package for find_package(jogak).
# Everything is linked into libjogak.a, so that a user needs neither Verilator nor the kit's own targets.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(parts jogak_runtime jogak_tensor jogak_compiler jogak_asm jogak_program jogak_driver jogak_netlist jogak_cycle jogak_link jogak_dram jogak_trace jogak_package_spec jogak_hls jogak_model jogak_sim)
set(files "${JOGAK_UTF8PROC}")
if(TARGET jogak_rtl)
  list(APPEND parts jogak_rtl jogak_package jogak_cut)
  foreach(config ${JOGAK_PACKAGE_CONFIGS})
    list(APPEND parts jogak_package_${config})
    list(APPEND files "${PROJECT_BINARY_DIR}/verilated/chiplet_${config}/Vchiplet_${config}__ALL.a")
  endforeach()
  foreach(config ${JOGAK_RTL_CONFIGS})
    list(APPEND parts jogak_rtl_${config})
    list(APPEND files "${PROJECT_BINARY_DIR}/verilated/npu_${config}/Vnpu_${config}__ALL.a")
  endforeach()
  if(JOGAK_RTL_TRACE)
    list(APPEND parts verilated_runtime_trace)
  else()
    list(APPEND parts verilated_runtime)
  endif()
endif()

# What stays outside and is linked as it is installed here.
find_library(JOGAK_YAML_LIBRARY yaml-cpp REQUIRED)
set(JOGAK_LINKED "${JOGAK_YAML_LIBRARY}")
if(TARGET jogak_systemc)
  list(APPEND parts jogak_systemc)
  list(PREPEND JOGAK_LINKED "${SYSTEMC_LIBRARY}")
endif()

set(archive "${PROJECT_BINARY_DIR}/package/libjogak.a")
set(script "CREATE ${archive}\n")
foreach(part ${parts})
  string(APPEND script "ADDLIB $<TARGET_FILE:${part}>\n")
endforeach()
foreach(file ${files})
  string(APPEND script "ADDLIB ${file}\n")
endforeach()
file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/package/merge.mri" CONTENT "${script}SAVE\nEND\n")
add_custom_command(OUTPUT "${archive}"
  COMMAND "${CMAKE_COMMAND}" -E rm -f "${archive}"
  COMMAND "${CMAKE_AR}" -M < "${PROJECT_BINARY_DIR}/package/merge.mri"
  DEPENDS ${parts} ${files} "${PROJECT_BINARY_DIR}/package/merge.mri" VERBATIM COMMENT "One archive for users")
add_custom_target(jogak_archive ALL DEPENDS "${archive}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/jogakConfig.cmake.in" "${PROJECT_BINARY_DIR}/package/jogakConfig.cmake"
  INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/jogak" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/package/jogakConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${archive}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${PROJECT_BINARY_DIR}/package/jogakConfig.cmake" "${PROJECT_BINARY_DIR}/package/jogakConfigVersion.cmake"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/jogak")

# The folders keep their shape below include/jogak.
set(root "${PROJECT_SOURCE_DIR}")
set(to "${CMAKE_INSTALL_INCLUDEDIR}/jogak")
install(FILES ${root}/runtime/jogak.h ${root}/runtime/session.hpp ${root}/runtime/dies.hpp ${root}/runtime/loaded.hpp ${root}/runtime/profile.hpp ${root}/runtime/sampler.hpp ${root}/runtime/tokenizer.hpp
  ${root}/runtime/byte_merges.hpp ${root}/runtime/pretokenizer.hpp ${root}/runtime/word_pieces.hpp
  ${root}/runtime/program.hpp ${root}/runtime/asm.hpp ${root}/runtime/builder.hpp ${root}/compiler/compile.hpp ${root}/compiler/bound.hpp ${root}/spec/error.hpp DESTINATION "${to}")
install(FILES "${NPU_GEN_DIR}/npu_spec.hpp" "${NPU_GEN_DIR}/npu_regs.h" DESTINATION "${to}")
install(FILES ${root}/runtime/drafter.hpp ${root}/runtime/chat.hpp DESTINATION "${to}")
install(FILES ${root}/runtime/tensor_session.hpp ${root}/runtime/language_model.hpp ${root}/runtime/batch_session.hpp ${root}/runtime/encoder_session.hpp
  DESTINATION "${to}")
install(FILES ${root}/compiler/tensor/graph.hpp ${root}/compiler/tensor/lower.hpp ${root}/compiler/tensor/evaluate.hpp DESTINATION "${to}/tensor")
install(FILES ${root}/driver/device.hpp ${root}/driver/package.hpp DESTINATION "${to}/driver")
install(FILES ${root}/compiler/ir/graph.hpp ${root}/compiler/ir/bytes.hpp DESTINATION "${to}/ir")
install(FILES ${root}/compiler/package/board.hpp DESTINATION "${to}/package")
install(FILES ${root}/compiler/import/gguf.hpp DESTINATION "${to}/import")
install(TARGETS jogak-cli DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES ${root}/models/jogak-stories.gguf ${root}/models/heldout.txt DESTINATION "${CMAKE_INSTALL_DATADIR}/jogak/models" OPTIONAL)
