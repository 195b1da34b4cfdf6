# Included by this folder's CMakeLists.txt.
tutti_test(docker_provider SOURCES docker_test.cpp DEPS docker LABELS lab TIMEOUT 300)
