# Included by this folder's CMakeLists.txt.
tutti_test(docker_parts SOURCES docker_parts_test.cpp DEPS docker)
tutti_test(docker_provider SOURCES docker_test.cpp DEPS docker LABELS lab TIMEOUT 300)
if(TARGET tutti_engine)
  tutti_test(docker_driver SOURCES docker_driver_test.cpp DEPS docker engine LABELS lab)
endif()
