"""One ZooKeeper session, and groups of ephemeral sequential nodes in it.

Masters, Marathons and Chronoses stand for election in a group, agents and frameworks watch the
masters' group. The smallest sequence number leads. Nothing here decides what a loss means: the
callbacks do.
"""
import re
import threading
import time

from standin.process import Refused

POLL_S = 2.0
SEQUENCE = re.compile(r"(\d{10})$")


class Address:
    """zk://[user:password@]host:port,host:port/path, as data."""

    def __init__(self, hosts, path, user=None):
        self.hosts = hosts
        self.path = path
        self.user = user  # "user:password" or None


def parse_url(text, status, option, path_needed=True):
    match = re.fullmatch(r"zk://(?:([^@/]+)@)?([^@/]+)(/.*)?", text or "")
    if not match:
        raise Refused(status, f"bad ZooKeeper address in '{option}': expected "
                              "zk://host:port,host:port/path")
    user, hosts, path = match.groups()
    if user is not None and user.count(":") != 1:
        raise Refused(status, f"bad ZooKeeper address in '{option}': expected user:password@")
    path = "/" + "/".join(part for part in (path or "").split("/") if part)
    if path_needed and path == "/":
        raise Refused(status, f"bad ZooKeeper address in '{option}': the path is missing")
    return Address(parse_hosts(hosts, status, option), path, user)


def parse_hosts(text, status, option):
    for host in text.split(","):
        match = re.fullmatch(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", host)
        if not match or not 0 < int(match.group(2)) < 65536:
            raise Refused(status, f"bad ZooKeeper address in '{option}': every server needs "
                                  "host:port")
    return text


class Session:
    """A kazoo client that also notices, without any server, that its session must be over.

    on_suspended: the connection broke. on_lost: the session ended, told by the servers or by the
    clock. Both run on threads of their own accord and must not block.
    """

    def __init__(self, address, timeout_s, log, readable=True):
        self.address = address
        self.timeout_s = timeout_s
        self.log = log
        self.readable = readable
        self.on_suspended = lambda: None
        self.on_lost = lambda: None
        self.connected = threading.Event()
        self.last_heard = time.monotonic()
        self.timer = None
        self.client = None

    def start(self):
        import logging
        from kazoo.client import KazooClient
        from kazoo.retry import KazooRetry
        from kazoo.security import make_digest_acl, ACL, Id, Permissions
        logging.getLogger("kazoo").addHandler(logging.NullHandler())
        logging.getLogger("kazoo").propagate = False
        endless = KazooRetry(max_tries=-1, delay=0.1, backoff=2, max_delay=1)
        auth, acl = None, None
        if self.address.user:
            auth = [("digest", self.address.user)]
            acl = [make_digest_acl(*self.address.user.split(":"), all=True)]
            if self.readable:
                acl.append(ACL(Permissions.READ, Id("world", "anyone")))
        self.client = KazooClient(hosts=self.address.hosts, timeout=self.timeout_s,
                                  connection_retry=endless, auth_data=auth, default_acl=acl,
                                  randomize_hosts=True)
        self.client.add_listener(self.on_state)
        self.client.start_async()

    def on_state(self, state):
        if state == "CONNECTED":
            self.heard()
            self.stop_timer()
            self.connected.set()
            self.log.info("Connected to ZooKeeper")
        elif state == "SUSPENDED":
            self.connected.clear()
            self.log.warning("Connection to ZooKeeper broke")
            self.start_timer()
            self.on_suspended()
        else:
            self.connected.clear()
            self.stop_timer()
            self.log.warning("ZooKeeper session ended")
            self.on_lost()

    def heard(self):
        self.last_heard = time.monotonic()

    def start_timer(self):
        left_s = max(0.1, self.last_heard + self.timeout_s - time.monotonic())
        self.timer = threading.Timer(left_s, self.on_timeout)
        self.timer.daemon = True
        self.timer.start()

    def stop_timer(self):
        if self.timer:
            self.timer.cancel()

    def on_timeout(self):
        if not self.connected.is_set():
            self.log.warning("No word from ZooKeeper for a whole session timeout")
            self.on_lost()

    def close(self):
        self.on_suspended = self.on_lost = lambda: None
        if self.client:
            self.client.stop()


class Group:
    """The nodes `<path>/<prefix>NNNNNNNNNN`. With `data` this process is a member of it.

    on_change(members, leader_data, leading) is called on the group's thread whenever the set of
    members or the leader changed: `members` are the names in the order of their numbers,
    `leader_data` the bytes of the smallest node or None, `leading` whether that is our own.
    """

    def __init__(self, session, path, prefix, data=None, matching=None, on_change=None):
        self.session = session
        self.path = path
        self.prefix = prefix
        self.matching = re.compile(matching or re.escape(prefix) + r"\d{10}")
        self.data = data
        self.on_change = on_change or (lambda members, leader_data, leading: None)
        self.own = None
        self.seen = None
        self.wake = threading.Event()
        self.stopped = False

    def start(self):
        threading.Thread(target=self.run, daemon=True, name="group " + self.path).start()

    def stop(self):
        self.stopped = True
        self.wake.set()

    def forget(self):
        """Makes the next look report anew, though nothing changed."""
        self.seen = None
        self.wake.set()

    def run(self):
        from kazoo.exceptions import KazooException, NoNodeError
        while not self.stopped:
            self.wake.clear()
            try:
                self.session.connected.wait()
                if self.look():
                    self.wake.wait(POLL_S)
            except NoNodeError:
                continue  # a node went while it was read: look again
            except (KazooException, OSError) as error:
                self.session.log.warning(f"ZooKeeper: {type(error).__name__} on {self.path}")
                self.wake.wait(0.2)

    def look(self):
        """Joins where needed and reports what changed; false when it must look again at once."""
        client = self.session.client
        if self.data is not None:
            self.ensure_member(client)
        elif not client.exists(self.path, watch=self.on_event):
            self.session.heard()
            self.report((), None)
            return True
        children = client.get_children(self.path, watch=self.on_event)
        self.session.heard()
        members = sorted(filter(self.matching.fullmatch, children),
                         key=lambda name: int(SEQUENCE.search(name).group(1)))
        if self.data is not None and self.own not in members:
            self.own = None
            return False
        leader_data = client.get(f"{self.path}/{members[0]}")[0] if members else None
        self.report(tuple(members), leader_data)
        return True

    def ensure_member(self, client):
        """Creates our node unless this very session has one (a create may lose its answer)."""
        if self.own:
            return
        client.ensure_path(self.path)
        for name in filter(self.matching.fullmatch, client.get_children(self.path)):
            stat = client.exists(f"{self.path}/{name}")
            if stat and client.client_id and stat.ephemeralOwner == client.client_id[0]:
                self.own = name
                return
        created = client.create(f"{self.path}/{self.prefix}", self.data, ephemeral=True,
                                sequence=True)
        self.own = created.rsplit("/", 1)[1]

    def report(self, members, leader_data):
        leading = bool(members) and members[0] == self.own
        if (members, leader_data, leading) != self.seen:
            self.seen = (members, leader_data, leading)
            self.on_change(members, leader_data, leading)

    def on_event(self, _event):
        self.wake.set()

    def data_of(self, name):
        return self.session.client.get(f"{self.path}/{name}")[0]
