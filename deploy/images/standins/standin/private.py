"""The private channel between stand-ins: agents and frameworks register with the leading master.

It stands for libprocess messages. A secret never crosses it: the master gives a nonce, the other
side shows by HMAC that it knows the secret. Nothing outside the stand-ins may use these paths.
"""
import json
import secrets
import threading
import time

from standin.credentials import proof, same
from standin.web import post_json
from standin.zookeeper import Group, Session, parse_url
from standin.process import Refused

PREFIX = "/tutti-stand-in/"
NONCE_LIFE_S = 60
NONCES_MAX = 10000
REFUSED = 401           # the credential is wrong
NOT_AUTHENTICATED = 403  # a credential is needed and none came
NOT_LEADING = 409
RECOVERING = 503
MASTER_NODES = r"json\.info_\d{10}"


class Gate:
    """The master's side. `credentials` maps principals to secrets, or is None when none are set."""

    def __init__(self, credentials):
        self.credentials = credentials or {}
        self.nonces = {}
        self.lock = threading.Lock()

    def nonce(self):
        now = time.monotonic()
        with self.lock:
            self.nonces = {n: t for n, t in self.nonces.items() if t > now}
            if len(self.nonces) >= NONCES_MAX:
                return None
            nonce = secrets.token_hex(16)
            self.nonces[nonce] = now + NONCE_LIFE_S
            return nonce

    def check(self, auth, required):
        """None when it may pass, else the status to answer. An offered credential must be right,
        whether or not one is required."""
        if auth is None:
            return NOT_AUTHENTICATED if required else None
        fields = [auth.get(key) if isinstance(auth, dict) else None
                  for key in ("principal", "nonce", "proof")]
        if not all(isinstance(field, str) for field in fields):
            return REFUSED
        principal, nonce, shown = fields
        with self.lock:
            fresh = self.nonces.pop(nonce, 0) > time.monotonic()
        secret = self.credentials.get(principal)
        if not fresh or secret is None or not same(proof(secret, nonce), shown):
            return REFUSED
        return None


def send(master_url, kind, message, credential, timeout_s=5):
    """Registers once: -> (status, answer). OSError when the master cannot be reached."""
    message = dict(message)
    if credential:
        status, answer = post_json(master_url + PREFIX + "challenge", {}, timeout_s)
        nonce = answer.get("nonce")
        if status != 200 or not isinstance(nonce, str):
            return RECOVERING, {}
        principal, secret = credential
        message["auth"] = {"principal": principal, "nonce": nonce, "proof": proof(secret, nonce)}
    return post_json(master_url + PREFIX + kind, message, timeout_s)


class Detector:
    """Follows the leading master. `leader` is its MasterInfo or None; on_change() when it changed.

    `where` is zk://…/path, host:port or http(s)://host:port.
    """

    def __init__(self, where, timeout_s, log, status, on_change):
        self.log = log
        self.on_change = on_change
        self.leader = None
        self.session = None
        if where.startswith("zk://"):
            address = parse_url(where, status, "master")
            self.session = Session(address, timeout_s, log)
            self.session.on_lost = self.on_lost
            self.group = Group(self.session, address.path, "", matching=MASTER_NODES,
                               on_change=self.on_group)
        else:
            self.leader = fixed_master(where, status)

    def start(self):
        if self.session:
            self.session.start()
            self.group.start()
        else:
            self.on_change()

    def on_lost(self):
        self.change(None)
        self.group.forget()

    def on_group(self, _members, data, _leading):
        self.change(master_info(data))

    def change(self, leader):
        self.leader = leader
        self.log.info(f"Detected leading master {leader['pid']}" if leader
                      else "No leading master is known")
        self.on_change()

    def close(self):
        if self.session:
            self.group.stop()
            self.session.close()


def fixed_master(where, status):
    text = where.split("://", 1)[-1].rstrip("/")
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise Refused(status, "bad value of 'master': expected zk://host:port/path or host:port")
    return {"hostname": host, "ip": host, "port": int(port), "pid": f"master@{host}:{port}"}


def master_info(data):
    """What a master wrote into its node -> {hostname, ip, port, pid}, or None when it is not."""
    try:
        info = json.loads(data)
        address = info["address"]
        return {"hostname": str(info["hostname"]), "ip": str(address["ip"]),
                "port": int(address["port"]), "pid": str(info["pid"]), "id": str(info["id"])}
    except (TypeError, ValueError, KeyError):
        return None


def url_of(leader):
    return f"http://{leader['ip']}:{leader['port']}"
