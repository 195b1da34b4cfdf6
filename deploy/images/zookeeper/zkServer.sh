#!/bin/sh
# zkServer.sh start-foreground | status: the two commands of the original that a container needs.
conf=${ZOO_CONF_DIR:-/conf}
case "$1" in
  start-foreground)
    logging=$conf/log4j.properties
    [ -f "$logging" ] || logging=/usr/lib/tutti/log4j.properties
    # Unquoted: these variables hold several options.
    # shellcheck disable=SC2086
    exec java -Xmx"${ZK_SERVER_HEAP:-1000}m" -XX:+ExitOnOutOfMemoryError \
      -Dlog4j.configuration="file:$logging" $SERVER_JVMFLAGS $JVMFLAGS \
      -cp "$conf:$(cat /usr/lib/tutti/classpath)" \
      org.apache.zookeeper.server.quorum.QuorumPeerMain "$conf/zoo.cfg"
    ;;
  status)
    mode=$(printf srvr | nc -w 2 127.0.0.1 "${ZOO_CLIENT_PORT:-2181}" | grep '^Mode:') ||
      { echo "Error contacting service. It is probably not running." >&2; exit 1; }
    echo "$mode"
    ;;
  *) echo "usage: zkServer.sh start-foreground | status" >&2; exit 2 ;;
esac
