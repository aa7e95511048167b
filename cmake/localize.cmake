# Makes a static archive that shows no global symbol but the listed ones:
#
#   cmake -DARCHIVE=IN.a -DEXPORTS=FILE -DRESULT=OUT.a -DLD=ld -DOBJCOPY=objcopy -DAR=ar
#         [-DPROFILE=dev] -P localize.cmake
#
# Rust's archives hold the standard library too, with rust_eh_personality and the like as global
# symbols. Two of them in one program are then two definitions, if the linker takes both members:
# always with --whole-archive. Here all members become one object, and the rest becomes local to it.
cmake_minimum_required(VERSION 3.15)

function(must)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result ERROR_VARIABLE error)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV0}: ${result}\n${error}")
  endif()
endfunction()

file(STRINGS "${EXPORTS}" exports)
set(roots "")
foreach(name IN LISTS exports)
  list(APPEND roots -u "${name}")
endforeach()

# A folder of its own: the object's name becomes the archive member's.
set(folder "${RESULT}.parts")
file(REMOVE_RECURSE "${folder}")
file(MAKE_DIRECTORY "${folder}")
set(object "${folder}/caffe2_qtensor.o")

# Groups are dissolved. One that stayed would be dropped at the final link in favor of another of
# that name, and take with it what the local symbols here stand for.
must("${LD}" -r --gc-sections ${roots} --force-group-allocation -o "${object}" "${ARCHIVE}")
# The embedded bitcode served the optimizer only, and tools of another LLVM stumble over it.
must("${OBJCOPY}" "--keep-global-symbols=${EXPORTS}" --remove-section=.llvmbc
  --remove-section=.llvmcmd "${object}")
if(NOT PROFILE STREQUAL "dev")
  # Symbols that nothing refers to any more still count: undefined ones draw in libraries. The
  # names of Rust's functions stay for debuggers and profilers.
  must("${OBJCOPY}" --strip-unneeded --wildcard "--keep-symbol=_R*" "--keep-symbol=_ZN*"
    "${object}")
endif()
file(REMOVE "${RESULT}")
must("${AR}" rcsD "${RESULT}" "${object}")
file(REMOVE_RECURSE "${folder}")
