# How targets are declared in this tree. A library `name` becomes target tutti_<name>; its headers
# are included by their path from the root of the repository.

add_library(tutti_flags INTERFACE)
target_include_directories(tutti_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(tutti_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these falsely for inlined standard containers when it optimises.
  target_compile_options(tutti_flags INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
    -Wno-dangling-pointer -Wno-free-nonheap-object -Wno-mismatched-new-delete)
endif()
if(TUTTI_SANITIZE)
  target_compile_options(tutti_flags INTERFACE
    -fsanitize=${TUTTI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(tutti_flags INTERFACE -fsanitize=${TUTTI_SANITIZE})
  if(TUTTI_SANITIZE MATCHES "thread")
    # Asio's own fences are unknown to TSan; its atomics are not.
    target_compile_options(tutti_flags INTERFACE -Wno-tsan)
  endif()
endif()
find_program(LLD_PROGRAM ld.lld)
if(LLD_PROGRAM)
  target_link_options(tutti_flags INTERFACE -fuse-ld=lld)
endif()

# Asio and Beast: headers here, their code compiled once (providers/support/separate_compilation).
add_library(tutti_asio INTERFACE)
target_link_libraries(tutti_asio INTERFACE Boost::headers Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
target_compile_definitions(tutti_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE
  BOOST_ALLOW_DEPRECATED_HEADERS)

function(tutti_add_folders)
  foreach(folder IN LISTS ARGN)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${CMAKE_SOURCE_DIR}/${folder} ${CMAKE_BINARY_DIR}/${folder})
    endif()
  endforeach()
endfunction()

# tutti_library(name [SOURCES ...] [DEPS tutti target names without the prefix] [LIBS outside libraries])
# A library without sources is header-only.
function(tutti_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND tutti_)
  if(ARG_SOURCES)
    add_library(tutti_${name} STATIC ${ARG_SOURCES})
    target_link_libraries(tutti_${name} PUBLIC tutti_flags ${ARG_DEPS} ${ARG_LIBS})
  else()
    add_library(tutti_${name} INTERFACE)
    target_link_libraries(tutti_${name} INTERFACE tutti_flags ${ARG_DEPS} ${ARG_LIBS})
  endif()
endfunction()

# tutti_test(name SOURCES ... DEPS ... [LABELS ...]): a GoogleTest program registered with CTest.
function(tutti_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LIBS;LABELS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND tutti_)
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE tutti_flags ${ARG_DEPS} ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(test_${name} PRIVATE TUTTI_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
