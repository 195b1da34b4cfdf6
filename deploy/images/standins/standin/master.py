"""Stand-in for mesos-master: election through ZooKeeper, redirects, authentication, agents.

Imitates Mesos 1.11.0's outside. It makes no offers and runs no tasks; what it does not imitate
answers 501.
"""
import json
import re
import threading
import time
import uuid

from standin import IMITATED_VERSIONS, title
from standin.credentials import Basic, load_credentials
from standin.flags import MesosFlags
from standin.identity import Identity
from standin.private import (MASTER_NODES, NOT_LEADING, PREFIX, RECOVERING, Gate, master_info)
from standin.process import Log, Refused
from standin.registry import Registry
from standin.web import Listener, Reply, json_reply, refuse_method, unauthorized
from standin.zookeeper import Group, Session, parse_url

VERSION = IMITATED_VERSIONS["mesos-master"]
NOT_IMITATED = re.compile(r"/(api/v1|teardown|maintenance/\w+|machine/(down|up)|weights|quota|"
                          r"roles|state-summary|reserve|unreserve|create-volumes|destroy-volumes)")


def start(process, argv, environ):
    flags = MesosFlags("mesos-master", argv, environ)
    values = flags.values
    process.log = Log("mesos-master", values["log_dir"])
    check(values)
    master = Master(process, flags)
    master.start()


def check(values):
    """What Mesos checks across flags."""
    for name in ("master_contender", "master_detector", "modules", "modules_dir"):
        if values[name]:
            raise Refused(1, f"the flag '{name}' is not imitated by the stand-in")
    if values["registry"] == "replicated_log":
        if not values["work_dir"]:
            raise Refused(1, "--work_dir needed for replicated log based registry")
        if values["zk"] and values["quorum"] is None:
            raise Refused(1, "--quorum needed for replicated log based registry when using "
                             "ZooKeeper")
    if values["http_authenticators"] != "basic" or values["authenticators"] != "crammd5":
        raise Refused(1, "the stand-in knows only http_authenticators=basic, "
                         "authenticators=crammd5")
    if values["authenticate_http_frameworks"] \
            and values["http_framework_authenticators"] != "basic":
        raise Refused(1, "Missing or unknown `--http_framework_authenticators`: needed with "
                         "authenticate_http_frameworks")
    for name in ("authenticate_agents", "authenticate_frameworks", "authenticate_http_readonly",
                 "authenticate_http_readwrite", "authenticate_http_frameworks"):
        if values[name] and not values["credentials"]:
            raise Refused(1, f"No credentials provided, but the flag '{name}' needs them")


class Master:
    def __init__(self, process, flags):
        values = flags.values
        self.process = process
        self.log = process.log
        self.flags = flags
        self.values = values
        self.id = str(uuid.uuid4())
        self.started = time.time()
        self.identity = Identity(values, self.log)
        credentials = load_credentials(values["credentials"], self.log) \
            if values["credentials"] else None
        self.gate = Gate(credentials)
        self.readonly = Basic("mesos-master-readonly", credentials or {}) \
            if values["authenticate_http_readonly"] else None
        self.readwrite = Basic("mesos-master-readwrite", credentials or {}) \
            if values["authenticate_http_readwrite"] else None
        self.registry = Registry(self.id, values, self.log)
        self.election = Election(self)
        self.leader = None
        self.elected_time = None
        self.reads = {"/slaves": self.slaves, "/state": self.state,
                      "/frameworks": self.frameworks, "/tasks": lambda: {"tasks": []}}
        self.registrations = {"agent": self.register_agent, "framework": self.register_framework}

    def start(self):
        try:
            listener = Listener(self.identity.bind_ip, self.values["port"], self,
                                "mesos-master-stand-in", self.log)
        except OSError as error:
            raise Refused(1, f"Failed to bind on {self.identity.bind_ip}:{self.values['port']}: "
                             f"{error.strerror}") from None
        listener.start()
        self.log.info(f"Master {self.id} ({self.identity.hostname}) started on "
                      f"{self.identity.ip}:{self.identity.announced_port}")
        self.election.start()

    def info(self):
        """MasterInfo, as a master writes it into its node."""
        me = self.identity
        return {"address": {"hostname": me.hostname, "ip": me.ip, "port": me.announced_port},
                "capabilities": [{"type": "AGENT_UPDATE"}, {"type": "AGENT_DRAINING"},
                                 {"type": "QUOTA_V2"}],
                "hostname": me.hostname, "id": self.id, "ip": me.packed_ip(), "pid": self.pid(),
                "port": me.announced_port, "version": VERSION}

    def pid(self):
        return f"master@{self.identity.ip}:{self.identity.announced_port}"

    def become_leader(self):
        self.elected_time = time.time()
        self.log.info("Elected as the leading master!")
        self.registry.start()
        threading.Thread(target=self.election.recover, daemon=True, name="recovery").start()

    # What it answers.

    def handle(self, request):
        path = request.path
        if path.startswith(PREFIX):
            return self.private(request, path[len(PREFIX):])
        if path == "/version":
            return json_reply(self.version())
        if path == "/metrics/snapshot":
            return self.guarded(self.readonly, request, "GET", self.metrics)
        if path.startswith("/master/"):
            path = path[len("/master"):]
        if path == "/health":
            return Reply(200)
        if path == "/redirect":
            return self.redirect("")
        if path == "/flags":
            return self.guarded(self.readonly, request, "GET", self.shown_flags)
        if path in self.reads:
            return self.guarded(self.readonly, request, "GET", self.reads[path], True)
        if NOT_IMITATED.fullmatch(path):
            realm = self.readonly if path in ("/roles", "/state-summary", "/maintenance/status") \
                else self.readwrite
            return self.guarded(realm, request, request.method, None, True)
        return Reply(404)

    def guarded(self, basic, request, method, answer, leader_only=False):
        """Authentication, then the leader's redirect, then the method: Mesos' order."""
        if basic and not basic.allows(request.headers.get("Authorization")):
            return unauthorized(basic)
        if leader_only and not self.elected_time:
            return self.redirect(request.target)
        if request.method not in (method, "HEAD"):
            return refuse_method(method)
        if answer is None:
            return Reply(501, "The stand-in does not imitate this endpoint")
        return json_reply(answer())

    def redirect(self, target):
        leader = self.leader
        if leader is None:
            return Reply(503, "No leader elected")
        location = f"//{leader['hostname']}:{leader['port']}{target}"
        return Reply(307, headers=[("Location", location)])

    def private(self, request, kind):
        if request.method != "POST":
            return refuse_method("POST")
        if kind == "challenge":
            nonce = self.gate.nonce()
            return json_reply({"nonce": nonce}) if nonce else Reply(503, "too many challenges")
        if kind not in self.registrations:
            return Reply(404)
        if not self.elected_time:
            return Reply(NOT_LEADING, "not the leader")
        if not self.election.registry_ready:
            return Reply(RECOVERING, "Master has not finished recovery")
        try:
            message = request.json()
            refusal = self.gate.check(message.get("auth"),
                                      self.values[f"authenticate_{kind}s"])
            if refusal:
                self.log.warning(f"Refused authentication of {kind} at {request.peer}")
                return Reply(refusal, "refused authentication")
            given_id = self.registrations[kind](message)
        except ValueError as error:
            return Reply(400, f"bad registration: {error}")
        if given_id is None:
            return Reply(503, "too many are registered")
        silence_s = self.values["agent_ping_timeout"] * self.values["max_agent_ping_timeouts"]
        return json_reply({"id": given_id, "ping_timeout_s": silence_s, "master": self.id})

    def register_agent(self, message):
        return self.registry.add_agent(message)

    def register_framework(self, message):
        return self.registry.add_framework(message)

    def version(self):
        return {"version": VERSION, "build_date": "", "build_time": 0.0, "build_user": "stand-in",
                "stand_in": title("mesos-master")}

    def shown_flags(self):
        return {"flags": self.flags.display()}

    def slaves(self):
        return {"slaves": self.registry.agents_json(), "recovered_slaves": []}

    def frameworks(self):
        return {"frameworks": self.registry.frameworks_json(), "completed_frameworks": [],
                "unregistered_frameworks": []}

    def state(self):
        agents = self.registry.agents_json()
        active = sum(agent["active"] for agent in agents)
        info = self.info()
        state = dict(self.version(), start_time=self.started, elected_time=self.elected_time,
                     id=self.id, pid=info["pid"], hostname=info["hostname"],
                     capabilities=[item["type"] for item in info["capabilities"]],
                     activated_slaves=active, deactivated_slaves=len(agents) - active,
                     unreachable_slaves=len(self.registry.unreachable), leader=info["pid"],
                     leader_info={key: info[key] for key in ("id", "pid", "port", "hostname")},
                     slaves=agents, recovered_slaves=[], orphan_tasks=[], **self.frameworks())
        for name in ("cluster", "log_dir"):
            if self.values[name]:
                state[name] = self.values[name]
        state.update(self.shown_flags())
        return state

    def metrics(self):
        numbers = {"master/elected": float(self.elected_time is not None),
                   "master/uptime_secs": time.time() - self.started,
                   "registrar/log/recovered": float(self.election.log_recovered),
                   "registrar/log/ensemble_size": float(self.election.replicas)}
        numbers.update(self.registry.metrics())
        return numbers


class Election:
    """The master's nodes in ZooKeeper: who leads, and whether a quorum of log replicas is there.

    A leader that loses its session or its node ends the process at once: it must not serve beside
    a successor. A follower stands again.
    """

    def __init__(self, master):
        self.master = master
        self.quorum = master.values["quorum"] or 1
        self.replicas = 0
        self.log_recovered = False   # a quorum was seen since the start
        self.registry_ready = False  # this leader may admit agents
        self.changed = threading.Condition()
        self.session = None
        if master.values["zk"]:
            address = parse_url(master.values["zk"], 1, "zk")
            self.session = Session(address, master.values["zk_session_timeout"], master.log)
            self.session.on_lost = self.on_lost
            master.process.closers.append(self.session.close)
            me = master.identity
            self.masters = Group(self.session, address.path, "json.info_",
                                 json.dumps(master.info(), separators=(",", ":")).encode(),
                                 MASTER_NODES, self.on_masters)
            self.log_replicas = Group(self.session, address.path + "/log_replicas", "",
                                      f"log-replica(1)@{me.ip}:{me.announced_port}".encode(),
                                      on_change=self.on_replicas)

    def start(self):
        if not self.session:
            self.replicas, self.log_recovered = 1, True
            self.master.leader = master_info(json.dumps(self.master.info()))
            self.master.become_leader()
            return
        if self.master.values["registry"] == "in_memory":
            self.master.log.warning("registry=in_memory: agents are forgotten on failover")
        self.session.start()
        self.log_replicas.start()
        self.masters.start()

    def on_masters(self, _members, data, leading):
        master = self.master
        if master.elected_time and not leading:
            master.process.abort(1, "Conceded leadership... terminating!")
        master.leader = master_info(data)
        if master.leader:
            master.log.info(f"The leading master is {master.leader['pid']}")
        if leading and not master.elected_time:
            master.become_leader()

    def on_replicas(self, members, _data, _leading):
        with self.changed:
            self.replicas = len(members)
            self.log_recovered = self.log_recovered or self.replicas >= self.quorum
            self.changed.notify_all()

    def on_lost(self):
        if self.master.elected_time:
            self.master.process.abort(1, "Lost leadership: the ZooKeeper session is over... "
                                         "terminating!")
        self.master.leader = None
        self.masters.forget()

    def recover(self):
        """The registry can be read only where a quorum of the log's replicas is reachable."""
        needed = 0 if self.master.values["registry"] == "in_memory" else self.quorum
        limit_s = self.master.values["registry_fetch_timeout"]
        with self.changed:
            if not self.changed.wait_for(lambda: self.replicas >= needed, limit_s):
                self.master.process.abort(1, f"Recovery failed: {self.replicas} of a quorum of "
                                             f"{self.quorum} masters within {limit_s:g} seconds")
        self.registry_ready = True
        self.master.log.info("Recovered the registrar")
