# Finds cargo and the tools that shape the static archive, and makes the target
# `caffe2_qtensor_cargo`, which runs build.cmake.

find_program(CAFFE2_QTENSOR_CARGO cargo
  PATHS "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin"
  NO_CMAKE_FIND_ROOT_PATH DOC "Rust's build tool")
if(NOT CAFFE2_QTENSOR_CARGO)
  message(FATAL_ERROR
    "caffe2_qtensor: cargo is neither in PATH nor in ~/.cargo/bin. Install Rust ${oldest_cargo} or "
    "newer (https://rustup.rs), or name cargo with -DCAFFE2_QTENSOR_CARGO=FILE.")
endif()
# In this folder, as a toolchain may be chosen for it.
execute_process(COMMAND "${CAFFE2_QTENSOR_CARGO}" --version --verbose
  WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
  RESULT_VARIABLE result OUTPUT_VARIABLE about ERROR_VARIABLE error)
if(NOT result EQUAL 0 OR NOT about MATCHES "cargo ([0-9]+\\.[0-9]+\\.[0-9]+)")
  message(FATAL_ERROR
    "caffe2_qtensor: ${CAFFE2_QTENSOR_CARGO} does not tell its version: ${result}\n"
    "${about}${error}")
endif()
set(cargo_version ${CMAKE_MATCH_1})
if(cargo_version VERSION_LESS oldest_cargo)
  message(FATAL_ERROR
    "caffe2_qtensor: ${CAFFE2_QTENSOR_CARGO} is version ${cargo_version}, and ${oldest_cargo} or "
    "newer is needed. Run `rustup update`, or name another with -DCAFFE2_QTENSOR_CARGO=FILE.")
endif()

# The machine is always named, so that neither CARGO_BUILD_TARGET nor a configuration file of the
# user's moves the outputs.
set(cargo_target "${CAFFE2_QTENSOR_CARGO_TARGET}")
if(NOT cargo_target)
  if(CMAKE_CROSSCOMPILING)
    message(FATAL_ERROR
      "caffe2_qtensor: to build for another machine, name it as Rust does with "
      "-DCAFFE2_QTENSOR_CARGO_TARGET=NAME, such as aarch64-unknown-linux-gnu.")
  endif()
  if(NOT about MATCHES "host: ([^ \n]+)")
    message(FATAL_ERROR "caffe2_qtensor: cargo does not name this machine: ${about}")
  endif()
  set(cargo_target ${CMAKE_MATCH_1})
endif()

# Another machine's tools come from CMake's toolchain, as far as it names them.
if(CMAKE_CROSSCOMPILING)
  set(CAFFE2_QTENSOR_LD "${CMAKE_LINKER}" CACHE FILEPATH "GNU ld, for the static archive")
  set(CAFFE2_QTENSOR_OBJCOPY "${CMAKE_OBJCOPY}" CACHE FILEPATH "GNU objcopy, likewise")
  set(CAFFE2_QTENSOR_AR "${CMAKE_AR}" CACHE FILEPATH "ar, likewise")
endif()
# The names of GNU ld: only it can dissolve section groups in a relocatable link.
find_program(CAFFE2_QTENSOR_LD NAMES ld.bfd ld DOC "GNU ld, for the static archive")
find_program(CAFFE2_QTENSOR_OBJCOPY objcopy DOC "GNU objcopy, likewise")
find_program(CAFFE2_QTENSOR_AR ar DOC "ar, likewise")
mark_as_advanced(CAFFE2_QTENSOR_LD CAFFE2_QTENSOR_OBJCOPY CAFFE2_QTENSOR_AR)
set(localize OFF)
if(CAFFE2_QTENSOR_LOCALIZE)
  set(ld_help "")
  set(objcopy_help "")
  if(CAFFE2_QTENSOR_LD AND CAFFE2_QTENSOR_OBJCOPY AND CAFFE2_QTENSOR_AR)
    execute_process(COMMAND "${CAFFE2_QTENSOR_LD}" --help
      OUTPUT_VARIABLE ld_help ERROR_VARIABLE error)
    execute_process(COMMAND "${CAFFE2_QTENSOR_OBJCOPY}" --help
      OUTPUT_VARIABLE objcopy_help ERROR_VARIABLE error)
  endif()
  if(ld_help MATCHES "--force-group-allocation" AND objcopy_help MATCHES "--keep-global-symbols")
    set(localize ON)
  else()
    message(STATUS "caffe2_qtensor: no GNU ld and objcopy of the kind that is needed, so the "
      "static archive keeps the global symbols of Rust's standard library")
  endif()
endif()

# One copy of the libraries for each configuration of a generator with several.
set(library_folder "${CMAKE_CURRENT_BINARY_DIR}/lib")
set(library_folder_now "${library_folder}")
get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(multi_config)
  if(CMAKE_VERSION VERSION_LESS 3.20)
    message(FATAL_ERROR "caffe2_qtensor: CMake 3.20 or newer is needed with ${CMAKE_GENERATOR}, "
      "and this is ${CMAKE_VERSION}. Use a generator with one configuration.")
  endif()
  string(APPEND library_folder "/<CONFIG>")
  string(APPEND library_folder_now "/$<CONFIG>")
endif()
set(shared_file libcaffe2_qtensor.so.${version})

# Built on demand where nothing is to be installed.
set(always "")
if(CAFFE2_QTENSOR_INSTALL)
  set(always ALL)
endif()
# Cargo knows what is fresh, so it always runs; build.cmake touches only what has changed.
add_custom_target(caffe2_qtensor_cargo ${always}
  COMMAND "${CMAKE_COMMAND}"
    "-DCARGO=${CAFFE2_QTENSOR_CARGO}"
    "-DCARGO_FLAGS=${CAFFE2_QTENSOR_CARGO_FLAGS}"
    "-DCARGO_FOLDER=${CMAKE_CURRENT_BINARY_DIR}/cargo"
    "-DCARGO_TARGET=${cargo_target}"
    "-DPROFILE=$<IF:$<CONFIG:Debug>,dev,release>"
    "-DSOURCE=${CMAKE_CURRENT_SOURCE_DIR}"
    "-DOUTPUT=${library_folder_now}"
    "-DSHARED_FILE=${shared_file}"
    "-DSONAME=${soname}"
    "-DLOCALIZE=${localize}"
    "-DCOMMAND=${CAFFE2_QTENSOR_BUILD_COMMAND}"
    "-DLD=${CAFFE2_QTENSOR_LD}"
    "-DOBJCOPY=${CAFFE2_QTENSOR_OBJCOPY}"
    "-DAR=${CAFFE2_QTENSOR_AR}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/cmake/build.cmake"
  BYPRODUCTS
    "${library_folder_now}/${shared_file}"
    "${library_folder_now}/libcaffe2_qtensor.a"
  COMMENT "Building caffe2_qtensor with cargo"
  VERBATIM)
