# cmake -DWORK=DIR -DMODULES=DIR -DHEADERS=DIR -DLIBRARY=FILE -P find.cmake: FindXRT.cmake takes XRT_ROOT before XILINX_XRT before what the
# distribution has, and refuses an XRT that is too old. HEADERS, LIBRARY: of an XRT that is installed.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}")

# A root with everything that XRT has, as its version.
function(root name version)
  file(MAKE_DIRECTORY "${WORK}/${name}/include" "${WORK}/${name}/lib")
  file(GLOB entries "${HEADERS}/*")
  list(FILTER entries EXCLUDE REGEX "/version[.]h$")
  foreach(entry ${entries})
    get_filename_component(file "${entry}" NAME)
    file(CREATE_LINK "${entry}" "${WORK}/${name}/include/${file}" SYMBOLIC)
  endforeach()
  file(READ "${HEADERS}/version.h" text)
  string(REGEX REPLACE "(xrt_build_version\\[\\] = \")[0-9.]+" "\\1${version}" text "${text}")
  file(WRITE "${WORK}/${name}/include/version.h" "${text}")
  file(CREATE_LINK "${LIBRARY}" "${WORK}/${name}/lib/libxrt_coreutil.so" SYMBOLIC)
endfunction()
root(one 2.14.7)
root(two 2.16.9)
root(old 2.9.3)

# expect(<what is printed> <XRT_ROOT> <XILINX_XRT> [arguments])
function(expect pattern first second)
  file(REMOVE_RECURSE "${WORK}/build")
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env "XRT_ROOT=${first}" "XILINX_XRT=${second}"
    "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build" "-DCMAKE_MODULE_PATH=${MODULES}" -DCMAKE_CXX_COMPILER_WORKS=1 ${ARGN}
    OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT out MATCHES "${pattern}")
    message(SEND_ERROR "XRT_ROOT=${first} XILINX_XRT=${second} ${ARGN}: found ${out}, expected ${pattern}")
  endif()
endfunction()
set(at "${WORK}")
expect("found=TRUE version=2[.]14[.]7 library=${at}/one/lib" "${at}/one" "${at}/two")
expect("found=TRUE version=2[.]16[.]9 library=${at}/two/lib" "" "${at}/two")
expect("found=TRUE version=2[.]16[.]9 library=${at}/two/lib" "${at}/one" "" "-DXRT_ROOT=${at}/two")
expect("found=FALSE version=2[.]9[.]3" "${at}/old" "")
file(REMOVE_RECURSE "${WORK}")
