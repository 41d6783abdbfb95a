# Makes the pages of docs/reference from the .td files, or checks them.
#
#   cmake -DTBLGEN=<mlir-tblgen> -DSOURCE=<repository> -DINCLUDE=<directories>
#         [-DCHECK=ON] -P GenerateReference.cmake
#
# With CHECK nothing is written, and a page that would change is an error.

set(options -I ${SOURCE}/include)
foreach(directory ${INCLUDE})
  list(APPEND options -I ${directory})
endforeach()

set(stale)

# add_page(NAME TITLE TD backends...)
# One page: what each backend says of the file, one after the other. TITLE is
# the heading where the backends write none ("").
function(add_page name title td)
  set(body)
  foreach(backend ${ARGN})
    separate_arguments(flags UNIX_COMMAND "${backend}")
    execute_process(
      COMMAND ${TBLGEN} ${flags} ${options} ${SOURCE}/include/nlq/${td}
      OUTPUT_VARIABLE part COMMAND_ERROR_IS_FATAL ANY)
    # A marker and a table of contents that only upstream's site understands.
    string(REGEX REPLACE "^<!--[^\n]*-->\n+" "" part "${part}")
    string(REPLACE "[TOC]\n\n" "" part "${part}")
    string(APPEND body "${part}\n")
  endforeach()
  if(title)
    string(PREPEND body "# ${title}\n\n")
  endif()
  string(REGEX REPLACE "[ \t]+\n" "\n" body "${body}")
  string(REGEX REPLACE "\n\n\n+" "\n\n" body "${body}")
  string(REGEX REPLACE "\n+$" "\n" body "${body}")
  string(PREPEND body
    "<!-- Made from include/nlq/${td} by the target nlq-docs. -->\n\n")

  set(file ${SOURCE}/docs/reference/${name}.md)
  set(old)
  if(EXISTS ${file})
    file(READ ${file} old)
  endif()
  if("${old}" STREQUAL "${body}")
    return()
  endif()
  if(CHECK)
    set(stale ${stale} docs/reference/${name}.md PARENT_SCOPE)
  else()
    file(WRITE ${file} "${body}")
  endif()
endfunction()

add_page(Dialect "" Dialect/NLQ/IR/NLQOps.td "-gen-dialect-doc -dialect=nlq")
add_page(Interfaces "" Dialect/NLQ/IR/NLQInterfaces.td
         -gen-attr-interface-docs -gen-op-interface-docs)
add_page(ConversionPasses "Conversion passes" Conversion/Passes.td
         -gen-pass-doc)
add_page(QuantizationPasses "Quantization passes" Quantization/Passes.td
         -gen-pass-doc)
add_page(AssignPasses "Measuring and assigning passes"
         Quantization/AssignPasses.td -gen-pass-doc)

if(stale)
  list(JOIN stale ", " stale)
  message(FATAL_ERROR "${stale}: not what the .td files say; build the target "
                      "nlq-docs")
endif()
