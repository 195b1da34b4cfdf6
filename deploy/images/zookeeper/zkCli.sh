#!/bin/sh
# zkCli.sh [-server HOST:PORT] [COMMAND...]: ZooKeeper's own shell.
# shellcheck disable=SC2086
exec java -Dlog4j.rootLogger=WARN $CLIENT_JVMFLAGS $JVMFLAGS \
  -cp "$(cat /usr/lib/tutti/classpath)" org.apache.zookeeper.ZooKeeperMain "$@"
