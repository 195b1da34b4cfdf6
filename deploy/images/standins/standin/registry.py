"""What a leading master knows: agents that answer its pings, and frameworks.

Used by the master alone. It is forgotten with the process; agents and frameworks come again, with
their ids, when the leader changes.
"""
import ipaddress
import threading
import time

from standin.private import PREFIX
from standin.web import post_json

AGENTS_MAX = 10000
FRAMEWORKS_MAX = 1000
PING_TIMEOUT_MAX_S = 5
PINGS_AT_ONCE = 16
FRAMEWORK_SILENCE_S = 45
SUMS = ("cpus", "mem", "disk", "gpus")
CAPABILITIES = ["MULTI_ROLE", "HIERARCHICAL_ROLE", "RESERVATION_REFINEMENT", "RESOURCE_PROVIDER",
                "RESIZE_VOLUME", "AGENT_OPERATION_FEEDBACK", "AGENT_DRAINING",
                "TASK_RESOURCE_LIMITS"]


class Registry:
    def __init__(self, master_id, values, log):
        self.master_id = master_id
        self.ping_interval_s = values["agent_ping_timeout"]
        self.pings_max = values["max_agent_ping_timeouts"]
        self.log = log
        self.lock = threading.Lock()
        self.agents = {}
        self.unreachable = {}
        self.frameworks = {}
        self.counters = dict.fromkeys(("slave_registrations", "slave_reregistrations",
                                       "slave_removals"), 0)
        self.next_agent = 0
        self.next_framework = 0

    def start(self):
        threading.Thread(target=self.ping_forever, daemon=True, name="pings").start()

    def add_agent(self, message):
        """-> the agent's id, new or its own; None when there are too many. ValueError: bad."""
        facts = {key: expect(message, key, kind) for key, kind in
                 (("hostname", str), ("ip", str), ("port", int), ("attributes", dict),
                  ("resources", dict), ("version", str))}
        check_endpoint(facts["ip"], facts["port"])
        now = time.time()
        with self.lock:
            agent_id = message.get("id")
            if agent_id is None:
                # An agent whose answer was lost comes again without an id, from the same address.
                agent_id = next((a["id"] for a in self.agents.values() if "reregistered" not in a
                                 and (a["ip"], a["port"]) == (facts["ip"], facts["port"])), None)
            elif not isinstance(agent_id, str) or len(agent_id) > 200:
                raise ValueError("id")
            known = self.agents.get(agent_id)
            if known is None and len(self.agents) >= AGENTS_MAX:
                return None
            if agent_id is None:
                agent_id = f"{self.master_id}-S{self.next_agent}"
                self.next_agent += 1
            agent = dict(facts, id=agent_id, active=True, missed=0, registered=now)
            if message.get("id") is not None:
                agent["registered"] = known["registered"] if known else now
                agent["reregistered"] = now
            self.counters["slave_reregistrations" if "reregistered" in agent
                          else "slave_registrations"] += 1
            self.agents[agent_id] = agent
            self.unreachable.pop(agent_id, None)
        verb = "Re-registered" if "reregistered" in agent else "Registered"
        self.log.info(f"{verb} agent {agent_id} at slave(1)@{facts['ip']}:{facts['port']} "
                      f"({facts['hostname']})")
        return agent_id

    def add_framework(self, message):
        """Registers, or notes that a framework still lives. -> its id, or None when too many."""
        facts = {key: expect(message, key, str) for key in
                 ("name", "hostname", "user", "role", "webui_url")}
        facts["failover_timeout"] = expect(message, "failover_timeout", (int, float))
        facts["principal"] = message.get("principal")
        now = time.time()
        with self.lock:
            framework_id = message.get("id")
            if framework_id is None:
                if len(self.frameworks) >= FRAMEWORKS_MAX:
                    return None
                framework_id = f"{self.master_id}-{self.next_framework:04d}"
                self.next_framework += 1
            elif not isinstance(framework_id, str) or len(framework_id) > 200:
                raise ValueError("id")
            known = self.frameworks.get(framework_id)
            if known is None and len(self.frameworks) >= FRAMEWORKS_MAX:
                return None
            self.frameworks[framework_id] = dict(
                facts, id=framework_id, heard=now, registered=known["registered"] if known else now)
        if known is None:
            self.log.info(f"Registered framework {framework_id} ({facts['name']}) at "
                          f"{facts['hostname']}")
        return framework_id

    def ping_forever(self):
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(PINGS_AT_ONCE, "ping") as pool:
            while True:
                started = time.monotonic()
                with self.lock:
                    agents = list(self.agents.values())
                list(pool.map(self.ping, agents))
                spent_s = time.monotonic() - started
                threading.Event().wait(max(0.0, self.ping_interval_s - spent_s))

    def ping(self, agent):
        url = f"http://{agent['ip']}:{agent['port']}{PREFIX}ping"
        try:
            status, _ = post_json(url, {"agent": agent["id"], "master": self.master_id},
                                  min(self.ping_interval_s, PING_TIMEOUT_MAX_S))
        except OSError:
            status = 0
        with self.lock:
            if self.agents.get(agent["id"]) is not agent:
                return  # it registered again meanwhile
            answered = status == 200
            agent["missed"] = 0 if answered else agent["missed"] + 1
            agent["active"] = answered
            lost = agent["missed"] >= self.pings_max
            if lost:
                del self.agents[agent["id"]]
                self.unreachable[agent["id"]] = time.time()
                self.counters["slave_removals"] += 1
        if lost:
            self.log.warning(f"Agent {agent['id']} answered none of {self.pings_max} pings: "
                             "unreachable")

    def agents_json(self):
        with self.lock:
            return [agent_json(agent) for agent in self.agents.values()]

    def frameworks_json(self):
        with self.lock:
            return [framework_json(framework) for framework in self.frameworks.values()]

    def metrics(self):
        with self.lock:
            active = sum(agent["active"] for agent in self.agents.values())
            inactive = len(self.agents) - active
            alive = sum(lives(framework) for framework in self.frameworks.values())
            idle = len(self.frameworks) - alive
            numbers = {"slaves_active": active, "slaves_connected": active,
                       "slaves_inactive": inactive, "slaves_disconnected": inactive,
                       "slaves_unreachable": len(self.unreachable), "frameworks_active": alive,
                       "frameworks_connected": alive, "frameworks_inactive": idle,
                       "frameworks_disconnected": idle, **self.counters}
            for name in SUMS:
                numbers[name + "_total"] = sum(agent["resources"].get(name, 0)
                                               for agent in self.agents.values())
                numbers[name + "_used"] = 0
        return {"master/" + name: float(value) for name, value in numbers.items()}


def expect(message, key, kind):
    value = message.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(key)
    return value


def check_endpoint(ip, port):
    """The master will connect there: ValueError unless it is an IPv4 address and a port."""
    ipaddress.IPv4Address(ip)
    if not 0 < port < 65536:
        raise ValueError("port")


def lives(framework):
    return time.time() - framework["heard"] < FRAMEWORK_SILENCE_S


def nothing():
    return {"cpus": 0.0, "gpus": 0.0, "mem": 0.0, "disk": 0.0}


def agent_json(agent):
    value = {
        "id": agent["id"], "hostname": agent["hostname"], "port": agent["port"],
        "attributes": agent["attributes"], "pid": f"slave(1)@{agent['ip']}:{agent['port']}",
        "registered_time": agent["registered"], "resources": agent["resources"],
        "used_resources": nothing(), "offered_resources": nothing(), "reserved_resources": {},
        "unreserved_resources": agent["resources"], "active": agent["active"],
        "deactivated": False, "version": agent["version"], "capabilities": CAPABILITIES}
    if "reregistered" in agent:
        value["reregistered_time"] = agent["reregistered"]
    return value


def framework_json(framework):
    alive = lives(framework)
    value = {
        "id": framework["id"], "name": framework["name"], "hostname": framework["hostname"],
        "webui_url": framework["webui_url"], "user": framework["user"], "role": framework["role"],
        "failover_timeout": framework["failover_timeout"], "checkpoint": True, "active": alive,
        "connected": alive, "recovered": False, "registered_time": framework["registered"],
        "unregistered_time": 0.0, "resources": nothing(), "used_resources": nothing(),
        "offered_resources": nothing(), "capabilities": [], "tasks": [], "unreachable_tasks": [],
        "completed_tasks": [], "offers": [], "executors": []}
    if framework["principal"]:
        value["principal"] = framework["principal"]
    return value
