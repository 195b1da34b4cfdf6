"""Looks at a deployed flagship from outside, as an operator would, and knows when it is whole."""
import concurrent.futures
import http.client
import json
import re
import socket
import subprocess
import time

from harness import docker, http as ask, inside, machine, wait_for

UNSEEN = (OSError, ValueError, LookupError, TypeError, AssertionError, subprocess.SubprocessError,
          http.client.HTTPException)
SERVICES = ("consul", "zookeeper", "mesos", "marathon", "chronos", "mesos-agent", "load-balancer")


class Cluster:
    """Three masters, two agents, two load balancers; the machines are known by their containers."""

    def __init__(self, daemon, uuid, passwords):
        self.daemon, self.uuid, self.passwords = daemon, uuid, passwords
        self.masters = [machine(uuid, "master_server", i) for i in range(3)]
        self.agents = [machine(uuid, "agent_server", i) for i in range(2)]
        self.balancers = [machine(uuid, "lb_server", i) for i in range(2)]
        self.machines = self.masters + self.agents + self.balancers
        self.addresses = dict(zip(self.machines, docker(
            "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAMConfig.IPv4Address}}{{end}}",
            *self.machines).split()))
        outputs = daemon.deployment(uuid)["outputs"]
        self.marathon_endpoint, self.mesos_endpoint = outputs["marathon_endpoint"], outputs["mesos_endpoint"]
        self.virtual_address = re.search(r"//([0-9.]+):", self.marathon_endpoint)[1]

    def at(self, machines):
        return {self.addresses[name] for name in machines}

    def everywhere(self, machines, *command, check=True):
        """The command inside all of the machines at the same time."""
        with concurrent.futures.ThreadPoolExecutor(len(machines)) as pool:
            return list(pool.map(lambda name: inside(name, *command, check=check), machines))

    # ZooKeeper.

    def zookeeper_mode(self, name):
        try:
            with socket.create_connection((self.addresses[name], 2181), 2) as client:
                client.settimeout(2)
                client.sendall(b"srvr")
                found = re.search(rb"Mode: (\w+)", b"".join(iter(lambda: client.recv(4096), b"")))
        except OSError:
            return None
        return found[1].decode() if found else None

    def zookeeper_modes(self):
        return {name: self.zookeeper_mode(name) for name in self.masters}

    def zookeeper_leader(self):
        leaders = [name for name, mode in self.zookeeper_modes().items() if mode == "leader"]
        return leaders[0] if len(leaders) == 1 else None

    def zookeeper_ids(self):
        return dict(zip(self.masters, self.everywhere(self.masters, "cat", "/var/lib/zookeeper/data/myid")))

    # Mesos and its frameworks, asked at the masters themselves.

    def mesos(self, name, path="/slaves"):
        return ask("GET", f"http://{self.addresses[name]}:5050{path}", user="admin",
                   password=self.passwords["mesos_password"], timeout=3)

    def mesos_leader(self):
        """The machine of the one master that answers /slaves itself; None unless it is one."""
        leaders = []
        for name in self.masters:
            try:
                if self.mesos(name).status == 200:
                    leaders.append(name)
            except (OSError, http.client.HTTPException):
                pass
        return leaders[0] if len(leaders) == 1 else None

    def active(self, kind):
        """{host or framework: id} of the active `slaves` or `frameworks`, as the leader knows them."""
        name = {"slaves": "hostname", "frameworks": "name"}[kind]
        listed = self.mesos(self.mesos_leader(), "/" + kind).json()[kind]
        return {entry[name]: entry["id"] for entry in listed if entry["active"]}

    def framework_leader(self, framework):
        """host:port of the leading Marathon or Chronos, on which all masters must agree."""
        port, path = {"marathon": (8080, "/v2/leader"), "chronos": (4400, "/v1/scheduler/leader")}[framework]
        told = {ask("GET", f"http://{self.addresses[name]}:{port}{path}", user="admin", timeout=5,
                    password=self.passwords[framework + "_password"]).json()["leader"]
                for name in self.masters}
        return told.pop() if len(told) == 1 else None

    # Consul.

    def consul(self, *paths):
        """The answers of the first master's own Consul."""
        urls = [f"http://127.0.0.1:8500/v1/{path}" for path in paths]
        script = 'for url; do curl -sf -m 3 "$url" && echo || exit 1; done'
        lines = inside(self.masters[0], "sh", "-c", script, "sh", *urls).splitlines()
        return [json.loads(line) for line in lines if line]

    def services(self):
        """{service: addresses where Consul finds it passing}"""
        found = self.consul(*(f"health/service/{name}?passing" for name in SERVICES))
        return {name: sorted(entry["Service"]["Address"] or entry["Node"]["Address"] for entry in entries)
                for name, entries in zip(SERVICES, found)}

    def expected_services(self):
        places = {"mesos-agent": self.agents, "load-balancer": self.balancers}
        return {name: sorted(self.at(places.get(name, self.masters))) for name in SERVICES}

    def consul_members(self):
        leader, members = self.consul("status/leader", "agent/members")
        return bool(leader) and sorted(member["Addr"] for member in members if member["Status"] == 1)

    # The load balancers.

    def holders(self):
        shown = self.everywhere(self.balancers, "ip", "-4", "-o", "addr", check=False)
        return [name for name, text in zip(self.balancers, shown) if f" {self.virtual_address}/" in text]

    def holder(self):
        found = self.holders()
        return found[0] if len(found) == 1 else None

    def marathon_through_address(self, with_password=True):
        options = {"user": "admin", "password": self.passwords["marathon_password"]} if with_password else {}
        return ask("GET", f"{self.marathon_endpoint}/v2/info", timeout=5, **options).status

    def mesos_through_address(self, timeout=5):
        return ask("GET", f"{self.mesos_endpoint}/slaves", user="admin",
                   password=self.passwords["mesos_password"], timeout=timeout)

    # The whole.

    def look(self):
        """What there is to see now; where an answer is missing, why. What moves in a fault has the
        names of MOVABLE, what every fault must leave alone those of LASTING."""
        questions = {
            "address": self.holder, "Mesos": self.mesos_leader, "ZooKeeper": self.zookeeper_leader,
            "Marathon": lambda: self.framework_leader("marathon"),
            "Chronos": lambda: self.framework_leader("chronos"),
            "deployment": lambda: self.daemon.deployment(self.uuid)["status"],
            "ZooKeeper's ids": self.zookeeper_ids, "agents": lambda: self.active("slaves"),
            "frameworks": lambda: self.active("frameworks"), "services": self.services,
            "ZooKeeper's modes": lambda: sorted(map(str, self.zookeeper_modes().values())),
            "Consul's members": self.consul_members,
            "Marathon behind the address": self.marathon_through_address,
            "Mesos behind the address": lambda: self.mesos_through_address().status,
        }
        with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
            return dict(zip(questions, pool.map(seen_or_why, questions.values())))

    def whole(self):
        """What there is to see, once nothing is wrong with it; ValueError says what is."""
        seen = self.look()
        right = {
            "deployment": "CREATE_COMPLETE", "services": self.expected_services(),
            "ZooKeeper's modes": ["follower", "follower", "leader"],
            "Consul's members": sorted(self.at(self.machines)),
            "Marathon behind the address": 200, "Mesos behind the address": 200,
        }
        wrong = {name: seen[name] for name, value in right.items() if seen[name] != value}
        wrong.update({name: seen[name] for name in MOVABLE
                      if seen[name] is None or isinstance(seen[name], Unseen)})
        for name, wanted in (("agents", self.at(self.agents)), ("frameworks", {"marathon", "chronos"})):
            if isinstance(seen[name], Unseen) or set(seen[name]) != wanted:
                wrong[name] = seen[name]
        if wrong:
            raise ValueError(f"wrong: {wrong}")
        return seen

    def wait_whole(self, seconds=180):
        return wait_for("the cluster is whole", self.whole, seconds, pause=0.5)

    def let_one_lead_both(self):
        """Hands Mesos over until the machine that leads ZooKeeper leads Mesos too; returns it."""
        wanted = self.zookeeper_leader()
        for _ in self.masters:
            leader = self.mesos_leader()
            if leader == wanted:
                return leader
            inside(leader, "docker", "restart", "-t", "5", "mesos-master")
            wait_for("the next master leads", lambda: self.mesos_leader() not in (None, leader), 60)
        raise AssertionError("the leading Mesos master does not hand over in the order of the nodes")


MOVABLE = ("address", "Mesos", "ZooKeeper", "Marathon", "Chronos")
LASTING = ("deployment", "ZooKeeper's ids", "agents", "frameworks", "services")


class Unseen:
    """Stands for what could not be seen, and says why; equal to nothing."""

    def __init__(self, reason):
        self.reason = reason

    def __repr__(self):
        return f"<{type(self.reason).__name__}: {str(self.reason)[:200]}>"


def seen_or_why(question):
    try:
        return question()
    except UNSEEN as reason:
        return Unseen(reason)


def watch(seconds, condition):
    """Asserts for this long, again and again, that something holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        condition()
