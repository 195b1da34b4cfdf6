"""Asks the services of the cluster how they are, on the machine that this runs on.

Used by the modules docker_engine, cluster_place, cluster_wait and cluster_health. Standard library
alone, since it travels to the machines. It changes nothing; consul_reload makes the Consul agent read
its own files again.

A probe answers with a dict:
  alive    the process answers on its port (a member can be alive and without a quorum)
  serving  it does its work as a member of its ensemble
  leader   it leads that ensemble (and is therefore restarted last)
  open     it answers without credentials although it was given some
  detail   one phrase for people
"""

import base64
import http.client
import json
import socket
import ssl
import time

TIMEOUT_SECONDS = 5
ENGINE_TIMEOUT_SECONDS = 30  # it creates and starts containers meanwhile


def wait_until(condition, deadline_seconds, interval_seconds=0.1):
    """Polls condition until it is true; False when the deadline passed first."""
    end = time.monotonic() + deadline_seconds
    while True:
        if condition():
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(interval_seconds)
        interval_seconds = min(interval_seconds * 1.5, 1.0)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Docker:
    """The engine of this machine; cluster_container makes containers by it."""

    def __init__(self, path="/var/run/docker.sock"):
        self.path = path

    def call(self, method, url, body=None, timeout=ENGINE_TIMEOUT_SECONDS):
        """(status, text) of the answer."""
        connection = UnixConnection(self.path, timeout)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            connection.request(method, url, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, url):
        return self.call("GET", url)

    def json(self, url):
        """The parsed answer, or None when there is no such object."""
        status, body = self.get(url)
        if status == 404:
            return None
        if status != 200:
            raise OSError("the Docker engine answers %d to %s" % (status, url))
        return json.loads(body)

    def answers(self):
        try:
            return self.get("/_ping")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def image_id(self, name):
        found = self.json("/images/%s/json" % name)
        return found["Id"] if found else ""

    def container(self, name):
        found = self.json("/containers/%s/json" % name)
        if not found:
            return {"exists": False, "running": False, "restarting": False}
        return {
            "exists": True,
            "restarting": bool(found["State"]["Restarting"]),
            "running": bool(found["State"]["Running"]) and not found["State"]["Restarting"],
            "restarts": found.get("RestartCount", 0),
            "exit_code": found["State"].get("ExitCode", 0),
            "image": found["Image"],
            "labels": found["Config"].get("Labels") or {},
        }

    def log_tail(self, name, lines=15):
        try:
            status, body = self.get("/containers/%s/logs?stdout=1&stderr=1&tail=%d" % (name, lines))
        except (OSError, http.client.HTTPException):
            return ""
        if status != 200:
            return ""
        text, position = [], 0
        while position + 8 <= len(body):  # multiplexed: 1 byte stream, 3 zero, 4 length
            length = int.from_bytes(body[position + 4 : position + 8], "big")
            text.append(body[position + 8 : position + 8 + length].decode("utf-8", "replace"))
            position += 8 + length
        return "".join(text)[-3000:]


class Http:
    """One answer of an HTTP server: status 0 means none, and text then says why."""

    def __init__(self, address, port, path, user="", password="", tls=False, method="GET"):
        port = int(port)  # numbers that pass through a template arrive as text
        self.status, self.text, self.location = 0, "", ""
        headers = {}
        if user:
            token = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
            headers["Authorization"] = "Basic " + token
        if tls:
            # What is asked here is whether it serves; who it is was settled by the CA that
            # the roles gave it, and the address may be a virtual one.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(
                address, port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            self.status = answer.status
            self.location = answer.headers.get("Location", "")
            self.text = answer.read(4 << 20).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            self.text = str(error) or type(error).__name__
        finally:
            connection.close()

    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def consul_knows(services, port=8500):
    """Whether the Consul agent of this machine has the services as its files announce them."""
    answer = Http("127.0.0.1", port, "/v1/agent/services")
    known = answer.json() if answer.status == 200 else None
    if not isinstance(known, dict):
        return False
    there = {(one["Service"], one["Address"], one["Port"]) for one in known.values()}
    return all((one["name"], one["address"], one["port"]) in there for one in services)


def consul_reload(port=8500):
    """True when the Consul agent of this machine has read its files again."""
    return Http("127.0.0.1", port, "/v1/agent/reload", method="PUT").status == 200


def four_letters(address, port, word):
    """A four letter word of ZooKeeper; the answer's text, or OSError."""
    with socket.create_connection((address, int(port)), TIMEOUT_SECONDS) as stream:
        stream.settimeout(TIMEOUT_SECONDS)
        stream.sendall(word.encode())
        chunks = []
        while True:
            chunk = stream.recv(65536)
            if not chunk:
                return b"".join(chunks).decode("utf-8", "replace")
            chunks.append(chunk)


def zookeeper_mode(address, port):
    """leader, follower, standalone or observer; "" when it answers but serves nobody yet."""
    for line in four_letters(address, port, "srvr").splitlines():
        if line.startswith("Mode:"):
            return line.split(":", 1)[1].strip()
    return ""


def state(alive=False, serving=False, leader=False, detail="", opened=False):
    return {
        "alive": alive, "serving": serving, "leader": leader, "detail": detail, "open": opened,
    }


def probe_zookeeper(spec):
    try:
        mode = zookeeper_mode(spec["address"], spec["port"])
    except OSError as error:
        return state(detail="no answer to srvr: %s" % error)
    if not mode:
        return state(alive=True, detail="answers, but has no quorum yet")
    return state(True, True, mode == "leader", "mode " + mode)


def probe_consul(spec):
    answer = Http("127.0.0.1", spec["port"], "/v1/status/leader")
    if answer.status == 0:
        return state(detail="no answer: " + answer.text)
    leader = answer.json() if answer.status == 200 else ""
    if not leader:
        return state(alive=True, detail="answers, but knows no leader")
    return state(True, True, leader.rsplit(":", 1)[0] == spec["address"], "leader " + leader)


def probe_mesos_master(spec):
    answer = Http(spec["address"], spec["port"], "/health")
    if answer.status != 200:
        return state(detail="/health: %s" % (answer.status or answer.text))
    snapshot = Http(
        spec["address"], spec["port"], "/metrics/snapshot", spec["user"], spec["password"]
    )
    metrics = snapshot.json() if snapshot.status == 200 else {}
    elected = (metrics or {}).get("master/elected") == 1
    serving = Http(spec["address"], spec["port"], "/redirect").status == 307
    detail = "leading" if elected else "standing by" if serving else "no leader elected"
    opened = Http(spec["address"], spec["port"], "/metrics/snapshot").status == 200
    return state(True, serving, elected, detail, opened and bool(spec["user"]))


def probe_mesos_agent(spec):
    answer = Http(spec["address"], spec["port"], "/health")
    if answer.status != 200:
        return state(detail="/health: %s" % (answer.status or answer.text))
    snapshot = Http(
        spec["address"], spec["port"], "/metrics/snapshot", spec["user"], spec["password"]
    )
    metrics = snapshot.json() if snapshot.status == 200 else {}
    serving = (metrics or {}).get("slave/registered") == 1
    opened = Http(spec["address"], spec["port"], "/metrics/snapshot").status == 200
    return state(True, serving, False, "registered" if serving else "not registered yet",
                 opened and bool(spec["user"]))


def probe_framework(spec):
    """Marathon and Chronos: everything, /ping too, asks for credentials and passes the leader."""
    closed = Http(spec["address"], spec["port"], "/ping")
    if closed.status == 0:
        return state(detail="no answer: " + closed.text)
    if 200 <= closed.status < 300:
        return state(alive=True, detail="answers without credentials", opened=True)
    answer = Http(spec["address"], spec["port"], "/ping", spec["user"], spec["password"])
    if answer.status == 401:
        return state(alive=True, detail="refuses the user and password it was given (401)")
    if answer.status != 200:
        return state(alive=True, detail="no leader yet (%d)" % (answer.status or 0))
    found = Http(
        spec["address"], spec["port"], spec["leader_path"], spec["user"], spec["password"]
    ).json()
    leader = found.get("leader", "") if isinstance(found, dict) else ""
    return state(True, True, leader.rsplit(":", 1)[0] == spec["address"], "leader " + leader)


def holds_address(address):
    """Whether this machine has the address now (the kernel's table of local addresses says)."""
    previous = ""
    with open("/proc/net/fib_trie", encoding="ascii") as table:
        for line in table:
            if "host LOCAL" in line and previous == address:
                return True
            previous = line.split()[-1] if line.split() else ""
    return False


def probe_balancer(spec):
    """HAProxy. 503 from the monitor says that a backend is empty: the process is alive."""
    answer = Http("127.0.0.1", spec["port"], spec["path"])
    if answer.status == 0:
        return state(detail="no answer: " + answer.text)
    holds = holds_address(spec.get("virtual_address", ""))
    detail = "all backends have a server" if answer.status == 200 else "a backend has no server"
    return state(True, answer.status == 200, holds, detail)


def probe_running(spec):
    """A service without a port (keepalived): it is what its container is."""
    found = Docker().container(spec["container"])
    if not found["running"]:
        return state(detail="its container does not run")
    holds = holds_address(spec.get("virtual_address", ""))
    return state(True, True, holds, "holds the address" if holds else "stands by")


PROBES = {
    "zookeeper": probe_zookeeper,
    "consul": probe_consul,
    "mesos_master": probe_mesos_master,
    "mesos_agent": probe_mesos_agent,
    "framework": probe_framework,
    "balancer": probe_balancer,
    "running": probe_running,
}


def probe(spec):
    return PROBES[spec["kind"]](spec)
