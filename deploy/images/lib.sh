# shellcheck shell=bash
# Shared by build, fill-store and tests/labs/machines: sourced, never run.

export PATH=$PATH:/usr/sbin:/sbin  # su without - leaves them out

# shellcheck disable=SC2034
IMAGE_STORE_POINTER=tutti/image-store:current

fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# seconds_since START, where START is $EPOCHREALTIME: prints seconds with one decimal.
seconds_since() {
  local us=$(( ${EPOCHREALTIME/[.,]/} - ${1/[.,]/} ))
  printf '%d.%d' $(( us / 1000000 )) $(( us / 100000 % 10 ))
}

need_engine() {
  command -v docker >/dev/null || fail "the docker command is missing (apt-get install docker.io)"
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    fail "no Docker engine answers at ${DOCKER_HOST:-unix:///var/run/docker.sock}: is dockerd running, and may $(id -un) use it?"
}

# One build or removal at a time.
take_lock() {
  exec 9>/run/lock/tutti-images.lock
  flock -n 9 || { echo "waiting for another build"; flock 9; }
}

# hash_of_folder DIR: names, executable bits and bytes of all files below DIR.
hash_of_folder() {
  ( cd "$1" && find . -name __pycache__ -prune -o -type f -print | LC_ALL=C sort |
      while IFS= read -r file; do
        if [ -x "$file" ]; then printf 'x '; else printf -- '- '; fi
        sha256sum "$file"
      done ) | sha256sum | cut -c1-32
}

# image_label IMAGE LABEL: prints the label, or nothing when either is not there.
image_label() {
  docker image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null || true
}

# Sets MACHINE_ARGS: what lets systemd and an inner dockerd run in a container of tutti/instance.
# A host whose bounding set lacks a capability refuses --privileged as a whole; there every
# capability that engines of version 20.10 can name is given by itself.
set_machine_args() {
  MACHINE_ARGS=(--cgroupns=private)
  if docker run --rm --privileged --network none --entrypoint /bin/true tutti/instance:bookworm \
      >/dev/null 2>&1; then
    MACHINE_ARGS+=(--privileged)
    return
  fi
  local capability
  for capability in CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP \
      LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER \
      SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_TIME \
      SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG \
      WAKE_ALARM BLOCK_SUSPEND AUDIT_READ; do
    MACHINE_ARGS+=(--cap-add "$capability")
  done
  MACHINE_ARGS+=(--security-opt seccomp=unconfined --security-opt apparmor=unconfined
                 --security-opt systempaths=unconfined --device-cgroup-rule 'a *:* rwm')
}
