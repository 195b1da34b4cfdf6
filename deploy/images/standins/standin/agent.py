"""Stand-in for mesos-agent: finds the leading master, registers, keeps its id, answers pings.

Imitates Mesos 1.11.0's outside. It runs no task.
"""
import os
import random
import re
import shutil
import socket
import threading
import time

from standin import IMITATED_VERSIONS, title
from standin.credentials import Basic, load_credential, load_credentials
from standin.flags import MesosFlags
from standin.identity import Identity
from standin.private import (NOT_AUTHENTICATED, PREFIX, REFUSED, Detector, send, url_of)
from standin.process import Log, Refused
from standin.registry import CAPABILITIES, nothing
from standin.web import Listener, Reply, json_reply, refuse_method, unauthorized

VERSION = IMITATED_VERSIONS["mesos-agent"]
BACKOFF_MAX_S = 60
ISOLATORS = frozenset(
    "filesystem/posix filesystem/linux filesystem/shared posix/cpu posix/mem posix/rlimits "
    "posix/disk process cgroups cgroups/all cgroups/blkio cgroups/cpu cgroups/cpuset "
    "cgroups/devices cgroups/hugetlb cgroups/mem cgroups/net_cls cgroups/net_prio "
    "cgroups/perf_event cgroups/pids appc/runtime docker/runtime docker/volume linux/devices "
    "linux/capabilities linux/nnp namespaces/ipc namespaces/pid volume/sandbox_path "
    "volume/host_path volume/image volume/secret volume/csi disk/du gpu/nvidia network/cni "
    "environment_secret".split())


def start(process, argv, environ):
    flags = MesosFlags("mesos-agent", argv, environ)
    process.log = Log("mesos-agent", flags.values["log_dir"])
    check(flags.values)
    check_host(flags.values)
    Agent(process, flags).start()


def check(values):
    """What Mesos checks across flags."""
    for name in ("master_detector", "modules", "modules_dir"):
        if values[name]:
            raise Refused(1, f"the flag '{name}' is not imitated by the stand-in")
    if not values["master"]:
        raise Refused(1, "Missing required option: exactly one of --master and --master_detector")
    if not values["work_dir"]:
        raise Refused(1, "Flag 'work_dir' is required, but it was not provided")
    for name in ("authenticate_http_readonly", "authenticate_http_readwrite"):
        if values[name] and not values["http_credentials"]:
            raise Refused(1, f"No credentials provided, but the flag '{name}' needs "
                             "'http_credentials'")
    for isolator in filter(None, values["isolation"].split(",")):
        if isolator not in ISOLATORS:
            raise Refused(1, f"Failed to create containerizer: Unknown or unsupported isolator: "
                             f"{isolator}")


def check_host(values):
    """What would keep Mesos 1.11, which knows cgroups v1 alone, from starting on this host."""
    containerizers = values["containerizers"].split(",")
    if "docker" in containerizers:
        check_docker(values["docker_socket"])
    if "mesos" not in containerizers:
        return
    unified = os.path.exists(os.path.join(values["cgroups_hierarchy"], "cgroup.controllers"))
    launcher = values["launcher"] or ("linux" if os.geteuid() == 0 else "posix")
    if unified and launcher == "linux":
        raise Refused(1, "Failed to create launcher: the linux launcher needs cgroups v1, this "
                         "host has v2; set launcher=posix")
    for isolator in values["isolation"].split(","):
        if unified and re.match(r"cgroups(/|$)|gpu/nvidia$", isolator):
            raise Refused(1, f"Failed to create isolator '{isolator}': it needs cgroups v1, this "
                             "host has v2")


def check_docker(path):
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)  # dockerd may be starting
            client.connect(path)
    except OSError as error:
        raise Refused(1, f"Failed to create docker: cannot connect to '{path}': "
                         f"{error.strerror or error}") from None


class Agent:
    def __init__(self, process, flags):
        values = flags.values
        self.process = process
        self.log = process.log
        self.flags = flags
        self.values = values
        self.started = time.time()
        self.identity = Identity(values, self.log)
        self.attributes = parse_attributes(values["attributes"])
        self.resources = resources(values)
        self.credential = load_credential(values["credential"], self.log) \
            if values["credential"] else None
        users = load_credentials(values["http_credentials"], self.log) \
            if values["http_credentials"] else {}
        self.readonly = Basic("mesos-agent-readonly", users) \
            if values["authenticate_http_readonly"] else None
        self.readwrite = Basic("mesos-agent-readwrite", users) \
            if values["authenticate_http_readwrite"] else None
        self.slaves_dir = os.path.join(values["work_dir"], "meta", "slaves")
        self.id = self.recover()
        self.changed = threading.Condition()
        self.registered_with = None  # the MasterInfo that knows us
        self.ping_deadline = None
        self.ping_timeout_s = 75.0
        self.detector = Detector(values["master"], values["zk_session_timeout"], self.log, 1,
                                 self.notify)

    def recover(self):
        """The id of this agent's earlier life, where its work_dir tells one."""
        try:
            os.makedirs(self.slaves_dir, exist_ok=True)
            latest = os.readlink(os.path.join(self.slaves_dir, "latest"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(1, f"Failed to perform recovery in '{self.slaves_dir}': "
                             f"{error.strerror}") from None
        agent_id = os.path.basename(latest)
        self.log.info(f"Recovered agent id {agent_id}")
        return agent_id

    def checkpoint(self, agent_id):
        """Keeps the id: a directory for it, and `latest` swung to it in one step."""
        if agent_id == self.id:
            return
        directory = os.path.join(self.slaves_dir, agent_id)
        os.makedirs(directory, exist_ok=True)
        fresh = os.path.join(self.slaves_dir, ".latest")
        if os.path.lexists(fresh):
            os.unlink(fresh)
        os.symlink(directory, fresh)
        os.replace(fresh, os.path.join(self.slaves_dir, "latest"))
        self.id = agent_id

    def start(self):
        try:
            listener = Listener(self.identity.bind_ip, self.values["port"], self,
                                "mesos-agent-stand-in", self.log)
        except OSError as error:
            raise Refused(1, f"Failed to bind on {self.identity.bind_ip}:{self.values['port']}: "
                             f"{error.strerror}") from None
        listener.start()
        self.log.info(f"Agent started on slave(1)@{self.identity.ip}:"
                      f"{self.identity.announced_port}")
        self.process.closers.append(self.detector.close)
        threading.Thread(target=self.register_forever, daemon=True, name="register").start()
        self.detector.start()

    def notify(self):
        with self.changed:
            if self.registered_with != self.detector.leader:
                self.registered_with = None
            self.changed.notify_all()

    # Registration: anew whenever the leader changes or its pings stop.

    def due(self):
        if self.detector.leader is None:
            return False
        return self.registered_with is None or time.monotonic() > self.ping_deadline

    def register_forever(self):
        while True:
            with self.changed:
                while not self.due():
                    self.changed.wait(1.0)
                leader = self.detector.leader
                self.registered_with = None
            backoff_s = self.values["registration_backoff_factor"]
            while leader and self.registered_with is None:
                self.pause(random.uniform(0, backoff_s), leader)
                backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
                if self.detector.leader == leader:
                    self.register(leader)
                else:
                    leader = None

    def pause(self, seconds, leader):
        """Waits, but no longer than the leader stays the same."""
        with self.changed:
            self.changed.wait_for(lambda: self.detector.leader != leader, seconds)

    def register(self, leader):
        me = self.identity
        message = {"id": self.id, "hostname": me.hostname, "ip": me.ip, "port": me.announced_port,
                   "attributes": self.attributes, "resources": self.resources, "version": VERSION}
        try:
            status, answer = send(url_of(leader), "agent", message, self.credential)
        except OSError as error:
            self.log.warning(f"Master {leader['pid']} does not answer: {error}")
            return
        if status == REFUSED:
            self.process.abort(1, f"Master {leader['pid']} refused authentication")
        if status == NOT_AUTHENTICATED:
            self.log.warning(f"Master {leader['pid']} ignores this agent: it is not authenticated")
            return
        if status != 200 or not isinstance(answer.get("id"), str):
            self.log.info(f"Master {leader['pid']} does not register yet (status {status})")
            return
        verb = "Re-registered" if self.id else "Registered"
        self.checkpoint(os.path.basename(answer["id"]))
        self.ping_timeout_s = float(answer.get("ping_timeout_s", self.ping_timeout_s))
        with self.changed:
            if self.detector.leader != leader:
                return
            self.ping_deadline = time.monotonic() + self.ping_timeout_s
            self.registered_with = leader
        self.log.info(f"{verb} with master {leader['pid']}; given agent ID {self.id}")

    # What it answers.

    def handle(self, request):
        path = request.path
        if path == PREFIX + "ping":
            return self.pinged(request)
        if path == "/version":
            return json_reply(self.version())
        if path == "/metrics/snapshot":
            return self.guarded(self.readonly, request, self.metrics)
        if path.startswith("/slave(1)/"):
            path = path[len("/slave(1)"):]
        if path == "/health":
            return Reply(200)
        if path == "/state":
            return self.guarded(self.readonly, request, self.state)
        if path == "/flags":
            return self.guarded(self.readonly, request, self.shown_flags)
        if path in ("/containers", "/monitor/statistics"):
            return self.guarded(self.readonly, request, None)
        if path == "/api/v1":
            return self.guarded(self.readwrite, request, None)
        return Reply(404)

    def guarded(self, basic, request, answer):
        if basic and not basic.allows(request.headers.get("Authorization")):
            return unauthorized(basic)
        if answer is None:
            return Reply(501, "The stand-in does not imitate this endpoint")
        return json_reply(answer()) if request.method in ("GET", "HEAD") else refuse_method("GET")

    def pinged(self, request):
        try:
            message = request.json()
        except ValueError as error:
            return Reply(400, f"bad ping: {error}")
        with self.changed:
            master = self.registered_with
            if master is None or message.get("agent") != self.id \
                    or master.get("id", message.get("master")) != message.get("master"):
                return Reply(410, "not registered with that master")
            self.ping_deadline = time.monotonic() + self.ping_timeout_s
        return json_reply({"agent": self.id})

    def version(self):
        return {"version": VERSION, "build_date": "", "build_time": 0.0, "build_user": "stand-in",
                "stand_in": title("mesos-agent")}

    def shown_flags(self):
        return {"flags": self.flags.display()}

    def state(self):
        me = self.identity
        state = dict(self.version(), id=self.id or "", pid=f"slave(1)@{me.ip}:{me.announced_port}",
                     hostname=me.hostname, start_time=self.started, attributes=self.attributes,
                     resources=self.resources, unreserved_resources_allocated=nothing(),
                     reserved_resources={}, unreserved_resources=self.resources,
                     capabilities=CAPABILITIES, frameworks=[], completed_frameworks=[])
        with self.changed:
            if self.registered_with:
                state["master_hostname"] = self.registered_with["hostname"]
        state.update(self.shown_flags())
        return state

    def metrics(self):
        with self.changed:
            registered = self.registered_with is not None
        numbers = {"slave/registered": float(registered),
                   "slave/uptime_secs": time.time() - self.started}
        for name in ("cpus", "mem", "disk", "gpus"):
            numbers[f"slave/{name}_total"] = float(self.resources.get(name, 0))
            numbers[f"slave/{name}_used"] = 0.0
        return numbers


def parse_attributes(text):
    """'rack:a;zone:b' -> {"rack": "a", "zone": "b"}; numbers stay numbers."""
    attributes = {}
    for pair in filter(None, (text or "").split(";")):
        name, colon, value = pair.partition(":")
        if not colon or not name.strip():
            raise Refused(1, "Failed to parse flag 'attributes': expected name:value;name:value")
        attributes[name.strip()] = value_of(value.strip())
    return attributes


def value_of(text):
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text


def resources(values):
    """What the flag gives, and Mesos' guesses for the rest. mem and disk in MB."""
    guessed = {"cpus": float(os.cpu_count() or 1), "gpus": 0.0,
               "mem": spare(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), 2**30),
               "disk": spare(shutil.disk_usage(values["work_dir"] if os.path.isdir(
                   values["work_dir"]) else "/").total, 5 * 2**30),
               "ports": "[31000-32000]"}
    text = values["resources"] or ""
    if text.lstrip().startswith("["):
        raise Refused(1, "resources in JSON are not imitated by the stand-in; use cpus:4;mem:1024")
    for pair in filter(None, text.split(";")):
        match = re.fullmatch(r"\s*(\w+)(?:\([^)]*\))?\s*:\s*(\S+)\s*", pair)
        value = value_of(match.group(2)) if match else ""
        if not match or (match.group(1) in ("cpus", "gpus", "mem", "disk")
                         and not isinstance(value, float)):
            raise Refused(1, "Failed to parse flag 'resources': expected name:value;name:value")
        guessed[match.group(1)] = value
    return guessed


def spare(total_bytes, kept_bytes):
    """Mesos leaves a fixed part free, or half of a small host. -> MB."""
    left_bytes = total_bytes - kept_bytes if total_bytes > 2 * kept_bytes else total_bytes // 2
    return float(left_bytes // 2**20)
