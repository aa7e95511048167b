# Runs cargo, and puts the libraries where CMake's targets expect them: `cmake -D... -P build.cmake`
# with the variables that cargo.cmake passes. Only what has changed is written, so that programs are
# not linked anew for nothing.
cmake_minimum_required(VERSION 3.15)

# A jobserver that make does not hand down to us would make cargo complain.
unset(ENV{MAKEFLAGS})
unset(ENV{MFLAGS})
unset(ENV{CARGO_MAKEFLAGS})
# Cargo looks for rustc in PATH, and may not be there itself.
get_filename_component(cargo_programs "${CARGO}" DIRECTORY)
set(ENV{PATH} "$ENV{PATH}:${cargo_programs}")
# No line for every build of the other project; errors and warnings remain.
if(NOT DEFINED ENV{CARGO_TERM_QUIET} AND NOT DEFINED ENV{CARGO_TERM_VERBOSE})
  set(ENV{CARGO_TERM_QUIET} true)
endif()

# In one run: two that ask for other parts of the dependencies would build the library anew each.
set(what --package caffe2_qtensor --lib)
if(COMMAND)
  list(APPEND what --package qtensor-cli --bin qtensor)
endif()
execute_process(
  COMMAND "${CARGO}" build --locked ${what} --profile ${PROFILE}
    --target "${CARGO_TARGET}" --target-dir "${CARGO_FOLDER}" ${CARGO_FLAGS}
  WORKING_DIRECTORY "${SOURCE}"
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "cargo could not build caffe2_qtensor: ${result}")
endif()

set(built "${CARGO_FOLDER}/${CARGO_TARGET}/${PROFILE}")
if(PROFILE STREQUAL "dev")
  set(built "${CARGO_FOLDER}/${CARGO_TARGET}/debug")
endif()
foreach(name libcaffe2_qtensor.so libcaffe2_qtensor.a)
  if(NOT EXISTS "${built}/${name}")
    message(FATAL_ERROR "cargo was to build ${name} for ${CARGO_TARGET}, and there is none in "
      "${built}. Such a machine may have no shared libraries.")
  endif()
endforeach()

# Two builds of one folder at once are slow, not wrong.
file(MAKE_DIRECTORY "${OUTPUT}")
file(LOCK "${OUTPUT}/lock" GUARD PROCESS TIMEOUT 600)

# Replaced, never written over: a program that has the library open keeps the old one.
function(publish file name)
  set(published "${OUTPUT}/${name}")
  if(EXISTS "${published}")
    file(SHA256 "${file}" new)
    file(SHA256 "${published}" old)
    if(new STREQUAL old)
      return()
    endif()
  endif()
  execute_process(COMMAND "${CMAKE_COMMAND}" -E copy "${file}" "${published}.new"
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${file} could not be copied to ${published}.new")
  endif()
  file(RENAME "${published}.new" "${published}")
endfunction()

function(link_to name link)
  set(found "")
  if(IS_SYMLINK "${OUTPUT}/${link}")
    file(READ_SYMLINK "${OUTPUT}/${link}" found)
  endif()
  if(NOT found STREQUAL name)
    file(CREATE_LINK "${name}" "${OUTPUT}/${link}" SYMBOLIC)
  endif()
endfunction()

# What an earlier version left would be found by a program that was linked with it.
file(GLOB stale "${OUTPUT}/libcaffe2_qtensor.so.*.*.*")
list(REMOVE_ITEM stale "${OUTPUT}/${SHARED_FILE}")
if(stale)
  file(REMOVE ${stale})
endif()
publish("${built}/libcaffe2_qtensor.so" "${SHARED_FILE}")
link_to("${SHARED_FILE}" "${SONAME}")
link_to("${SONAME}" libcaffe2_qtensor.so)

if(COMMAND)
  include("${CMAKE_CURRENT_LIST_DIR}/command.cmake")
endif()

set(archive "${built}/libcaffe2_qtensor.a")
if(NOT LOCALIZE)
  publish("${archive}" libcaffe2_qtensor.a)
  return()
endif()

# The archive is shaped anew only when something that goes into it has changed.
set(exports "${SOURCE}/c_tests/exports.txt")
set(recipe "${PROFILE} ${LD} ${OBJCOPY} ${AR}")
foreach(file "${archive}" "${exports}" "${CMAKE_CURRENT_LIST_DIR}/localize.cmake")
  file(SHA256 "${file}" sum)
  string(APPEND recipe " ${sum}")
endforeach()
set(done "")
if(EXISTS "${OUTPUT}/libcaffe2_qtensor.a" AND EXISTS "${OUTPUT}/recipe")
  file(READ "${OUTPUT}/recipe" done)
endif()
if(NOT done STREQUAL recipe)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" "-DARCHIVE=${archive}" "-DEXPORTS=${exports}"
      "-DRESULT=${OUTPUT}/localized.a" "-DLD=${LD}" "-DOBJCOPY=${OBJCOPY}" "-DAR=${AR}"
      "-DPROFILE=${PROFILE}" -P "${CMAKE_CURRENT_LIST_DIR}/localize.cmake"
    RESULT_VARIABLE result)
  if(result EQUAL 0)
    publish("${OUTPUT}/localized.a" libcaffe2_qtensor.a)
  else()
    message(WARNING "The static archive of caffe2_qtensor stays as cargo made it, with the global "
      "symbols of Rust's standard library.")
    publish("${archive}" libcaffe2_qtensor.a)
  endif()
  file(REMOVE_RECURSE "${OUTPUT}/localized.a" "${OUTPUT}/localized.a.parts")
  file(WRITE "${OUTPUT}/recipe" "${recipe}")
endif()
