# Wrappers that hold what every nlq library has in common.

# add_nlq_library(NAME files... [DEPENDS targets...] [LINK targets...])
# A static library that knows nothing of MLIR: floors 0 and 1.
function(add_nlq_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  llvm_update_compile_flags(${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK} LLVM)
endfunction()

# add_nlq_mlir_library(NAME files... [DEPENDS targets...] [LINK targets...])
# A static library over MLIR. All of them share one precompiled header of the
# common MLIR headers: parsing these is most of the cost of a build.
function(add_nlq_mlir_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_nlq_library(${name} ${ARG_UNPARSED_ARGUMENTS} LINK ${ARG_LINK} MLIR)
  # Every header that tablegen makes exists before any file is compiled.
  add_dependencies(${name} NLQTableGen ${ARG_DEPENDS})
  if(TARGET NLQPrecompiledHeader)
    target_precompile_headers(${name} REUSE_FROM NLQPrecompiledHeader)
  endif()
endfunction()
