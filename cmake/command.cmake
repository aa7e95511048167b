# The qtensor command beside the libraries, with what it says of itself: manual pages, and
# completions for shells. Part of build.cmake.

set(command_folder "${OUTPUT}/command")
file(SHA256 "${built}/qtensor" sum)
set(done "")
if(EXISTS "${command_folder}/recipe")
  file(READ "${command_folder}/recipe" done)
endif()
if(NOT done STREQUAL sum)
  file(REMOVE_RECURSE "${command_folder}")
  file(MAKE_DIRECTORY "${command_folder}")
  publish("${built}/qtensor" command/qtensor)
  execute_process(COMMAND "${command_folder}/qtensor" man "${command_folder}/man1"
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "The qtensor command could not write its manual pages: ${result}")
  endif()
  foreach(shell bash zsh fish)
    execute_process(COMMAND "${command_folder}/qtensor" completions ${shell}
      OUTPUT_FILE "${command_folder}/completions.${shell}" RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
      message(FATAL_ERROR "The qtensor command could not print its completions: ${result}")
    endif()
  endforeach()
  file(WRITE "${command_folder}/recipe" "${sum}")
endif()
