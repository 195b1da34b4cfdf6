#!/usr/bin/python
"""Brings the Docker engine of one machine into shape and says what the machine is like.

Used once a play by indigo-dc.docker. One call does what would otherwise be half a dozen tasks: it
merges daemon.json, restarts dockerd only when that changed something, waits until the engine
answers, and returns the few facts that the other roles need (no fact gathering is done for them).
It never installs packages and never removes a key of daemon.json that somebody else wrote.
"""

import importlib.util
import json
import os
import re
import shutil
import socket
import struct
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.cluster_probe import Docker, wait_until

DOCUMENTATION = r"""
module: docker_engine
short_description: Docker engine settings and the facts that the roles of the cluster need
options:
  settings: {type: dict, default: {}, description: keys merged into daemon.json}
  path: {type: path, default: /etc/docker/daemon.json}
  deadline_seconds: {type: int, default: 60}
"""

# Linux numbers of the capabilities that Docker 20.10 knows by name.
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ"
).split()


def bounding_set():
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("CapBnd:"):
                return int(line.split()[1], 16)
    return 0


def default_route():
    """Interface and IPv4 address of the default route, or empty strings."""
    interface = ""
    with open("/proc/net/route", encoding="ascii") as routes:
        for line in routes.readlines()[1:]:
            fields = line.split()
            if fields[1] == "00000000" and int(fields[3], 16) & 1:
                interface = fields[0]
                break
    if not interface:
        return "", ""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("256s", interface.encode()[:15])
        try:
            answer = fcntl.ioctl(probe.fileno(), 0x8915, request)  # SIOCGIFADDR
        except OSError:
            return interface, ""
    return interface, socket.inet_ntoa(answer[20:24])


def in_container():
    return os.path.exists("/run/systemd/container") or os.path.exists("/.dockerenv")


def missing_parts():
    """What has to be installed: keys of docker_packages. A container has the clock of its host."""
    def program(name):
        return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    there = {
        "engine": program("dockerd"),
        "client": importlib.util.find_spec("requests"),  # community.docker works through it
        "clock": in_container() or program("chronyd") or program("ntpd"),
    }
    return [name for name, found in there.items() if not found]


def merged(old, new):
    result = dict(old)
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            value = merged(result[key], value)
        result[key] = value
    return result


def load_settings(module):
    path = module.params["path"]
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    try:
        settings = json.loads(text) if text.strip() else {}
    except ValueError as error:
        module.fail_json(msg="%s is not JSON (%s): mend or remove it" % (path, error))
    if not isinstance(settings, dict):
        module.fail_json(msg="%s does not hold a JSON object: mend or remove it" % path)
    return settings


def write_settings(path, settings):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    scratch = path + ".new"
    with open(scratch, "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2, sort_keys=True)
        file.write("\n")
    os.chmod(scratch, 0o644)
    os.replace(scratch, path)


def machine_facts():
    bound = bounding_set()
    held = [name for bit, name in enumerate(CAPABILITIES) if bound & (1 << bit)]
    interface, address = default_route()
    return {
        "interface": interface,
        "address": address,
        "hostname": re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname().split(".")[0]),
        "cgroup_version": 2 if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
        "capabilities": held,
        "privileged": len(held) == len(CAPABILITIES),
        "clock": time.time(),
    }


def main():
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "default": {}},
            "path": {"type": "path", "default": "/etc/docker/daemon.json"},
            "deadline_seconds": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    facts = machine_facts()
    missing = missing_parts()
    if "engine" in missing:
        module.exit_json(changed=False, missing=missing, machine=facts)

    old = load_settings(module)
    new = merged(old, module.params["settings"])
    changed = new != old
    docker = Docker()
    if not module.check_mode:
        if changed:
            write_settings(module.params["path"], new)
            module.run_command(["systemctl", "reset-failed", "docker"])
            code, _out, err = module.run_command(["systemctl", "restart", "docker"])
        elif not docker.answers():
            code, _out, err = module.run_command(["systemctl", "start", "docker"])
        else:
            code, err = 0, ""
        if code != 0:
            module.fail_json(msg="dockerd does not start: %s (journalctl -u docker)" % err.strip())
        if not wait_until(docker.answers, module.params["deadline_seconds"]):
            module.fail_json(
                msg="dockerd does not answer on %s after %d s (journalctl -u docker)"
                % (docker.path, module.params["deadline_seconds"])
            )
    facts["clock"] = time.time()
    module.exit_json(changed=changed, missing=missing, machine=facts)


if __name__ == "__main__":
    main()
