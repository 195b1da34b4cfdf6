"""The stand-ins as a whole cluster of processes on a real ZooKeeper, and what a test asks about it."""
import json

import support
from support import SESSION_S, eventually

ADMIN, ADMIN_SECRET = "admin", "canary-admin-3f1c"
AGENT, AGENT_SECRET = "agent", "canary-agent-77aa"
FRAMEWORK, FRAMEWORK_SECRET = "framework", "canary-framework-9b0e"
HTTP_USER = "webuser:canary-http-51d2"
KEYSTORE_PASSWORD = "canary-keystore-c4c4"
CANARIES = (ADMIN_SECRET, AGENT_SECRET, FRAMEWORK_SECRET, HTTP_USER.split(":")[1],
            KEYSTORE_PASSWORD)
USER = f"{ADMIN}:{ADMIN_SECRET}"


def credentials_json():
    pairs = ((ADMIN, ADMIN_SECRET), (AGENT, AGENT_SECRET), (FRAMEWORK, FRAMEWORK_SECRET))
    return json.dumps({"credentials": [{"principal": p, "secret": s} for p, s in pairs]})


class Cluster(support.Scratch):
    """The 11 programs of a cluster, and what a test asks about them."""

    def __init__(self):
        super().__init__()
        self.server = self.zookeeper()
        self.kazoo = support.kazoo_client(self.server.address)
        self.credentials = self.file("credentials.json", credentials_json())
        self.credential = self.file("credential.json", json.dumps(
            {"principal": AGENT, "secret": AGENT_SECRET}))
        self.secret = self.file("secret", FRAMEWORK_SECRET)
        self.keystore_path, self.trust = self.keystore(KEYSTORE_PASSWORD)
        self.mesos_url = f"zk://{self.server.address}/mesos"
        self.masters = [self.master(f"master{i}") for i in range(3)]
        self.agents = [self.agent(f"agent{i}") for i in range(2)]
        self.marathons = [self.marathon(f"marathon{i}") for i in range(3)]
        self.chronoses = [self.chronos(f"chronos{i}") for i in range(3)]

    def master(self, name, **more):
        return self.service("mesos-master", name, {
            "MESOS_ZK": self.mesos_url, "MESOS_QUORUM": "2",
            "MESOS_WORK_DIR": self.subdirectory(name), "MESOS_IP": "{ip}",
            "MESOS_HOSTNAME": "{ip}", "MESOS_PORT": "{port}", "MESOS_CLUSTER": "Test",
            "MESOS_ZK_SESSION_TIMEOUT": f"{SESSION_S}secs",
            "MESOS_LOG_DIR": self.subdirectory(name + "-log"),
            "MESOS_CREDENTIALS": self.credentials, "MESOS_AUTHENTICATE_HTTP_READONLY": "true",
            "MESOS_AUTHENTICATE_HTTP_READWRITE": "true", "MESOS_AUTHENTICATE_AGENTS": "true",
            "MESOS_AUTHENTICATE_FRAMEWORKS": "true", "MESOS_AGENT_PING_TIMEOUT": "1secs",
            "MESOS_OFFER_TIMEOUT": "30secs", **more}, ["--registry=replicated_log"])

    def agent(self, name, **more):
        environ = {"MESOS_MASTER": self.mesos_url, "MESOS_WORK_DIR": self.subdirectory(name),
                   "MESOS_IP": "{ip}", "MESOS_HOSTNAME": "{ip}", "MESOS_PORT": "{port}",
                   "MESOS_CREDENTIAL": self.credential, "MESOS_LAUNCHER": "posix",
                   "MESOS_CONTAINERIZERS": "mesos", "MESOS_ISOLATION": "posix/cpu,posix/mem",
                   "MESOS_ATTRIBUTES": "rack:r1;size:3", "MESOS_SYSTEMD_ENABLE_SUPPORT": "false",
                   "MESOS_RECONFIGURATION_POLICY": "additive", **more}
        return self.service("mesos-agent", name, {k: v for k, v in environ.items() if v})

    def marathon(self, name, **more):
        service = self.service("marathon", name, {
            "MARATHON_MASTER": self.mesos_url,
            "MARATHON_ZK": f"zk://{self.server.address}/marathon",
            "MARATHON_HOSTNAME": "{ip}", "MARATHON_HTTP_PORT": "{port}",
            "MARATHON_HTTP_ADDRESS": "{ip}", "MARATHON_HTTPS_ADDRESS": "{ip}",
            "MARATHON_SSL_KEYSTORE_PATH": self.keystore_path,
            "MARATHON_SSL_KEYSTORE_PASSWORD": KEYSTORE_PASSWORD,
            "MARATHON_ZK_SESSION_TIMEOUT": str(SESSION_S * 1000),
            "MARATHON_HTTP_CREDENTIALS": HTTP_USER, "MARATHON_MESOS_AUTHENTICATION": "",
            "MARATHON_MESOS_AUTHENTICATION_PRINCIPAL": FRAMEWORK,
            "MARATHON_MESOS_AUTHENTICATION_SECRET_FILE": self.secret,
            "MARATHON_MESOS_USER": "root", "MARATHON_APP_SOMETHING": "ignored", **more})
        service.https_port = support.free_port(service.ip)
        service.environ["MARATHON_HTTPS_PORT"] = str(service.https_port)
        return service

    def chronos(self, name, **more):
        service = self.service("chronos", name, {
            "CHRONOS_MASTER": self.mesos_url, "CHRONOS_ZK_HOSTS": self.server.address,
            "CHRONOS_HOSTNAME": "{ip}", "CHRONOS_HTTP_PORT": "{port}",
            "CHRONOS_HTTP_ADDRESS": "{ip}", "CHRONOS_HTTPS_ADDRESS": "{ip}",
            "CHRONOS_SSL_KEYSTORE_PATH": self.keystore_path,
            "CHRONOS_SSL_KEYSTORE_PASSWORD": KEYSTORE_PASSWORD,
            "CHRONOS_ZK_TIMEOUT": str(SESSION_S * 1000), "CHRONOS_HTTP_CREDENTIALS": HTTP_USER,
            "CHRONOS_MESOS_AUTHENTICATION_PRINCIPAL": FRAMEWORK,
            "CHRONOS_MESOS_AUTHENTICATION_SECRET_FILE": self.secret,
            "CHRONOS_DISABLE_AFTER_FAILURES": "1", **more})
        service.https_port = support.free_port(service.ip)
        service.environ["CHRONOS_HTTPS_PORT"] = str(service.https_port)
        return service

    def members(self):
        return self.masters + self.agents + self.marathons + self.chronoses

    def heal(self):
        """Starts what does not run (as Docker would) until all of it serves."""
        eventually("the cluster is whole", self.whole)

    def whole(self):
        for service in self.members():
            if not service.process or not service.process.alive():
                service.start()
        return self.leader() and self.groups_are_whole() and len(self.active_agents()) == 2 \
            and all(s.status("/redirect") == 307 for s in self.masters) \
            and all(s.status("/ping", HTTP_USER) == 200 for s in self.marathons + self.chronoses) \
            and {"marathon", "chronos"} <= self.frameworks()

    def groups_are_whole(self):
        """Whether each member has one node: none is on its way, none of an earlier life is left."""
        from kazoo.exceptions import NoNodeError
        groups = ((self.masters, "/mesos", "json.info_"),
                  (self.marathons, "/marathon/leader-curator", "-latch-"),
                  (self.chronoses, "/chronos/state/candidate", "-latch-"))
        try:
            found = [self.nodes(path, mark) for _, path, mark in groups]
        except NoNodeError:
            return False
        masters = [json.loads(data)["address"] for _, data in found[0]]
        ids = [[f"{a['ip']}:{a['port']}" for a in masters]]
        ids += [[data for _, data in nodes] for nodes in found[1:]]
        return all(sorted(have) == sorted(f"{s.ip}:{s.port}" for s in services)
                   for have, (services, _, _) in zip(ids, groups))

    def elected(self):
        """The masters that call themselves elected."""
        answers = [(m, m.ask("/metrics/snapshot", USER)) for m in self.masters
                   if m.process.alive()]
        return [m for m, a in answers if a and a.status == 200 and a.json()["master/elected"] == 1]

    def leader(self):
        elected = self.elected()
        return elected[0] if len(elected) == 1 else None

    def from_leader(self, path):
        leader = self.leader()
        answer = leader.ask(path, USER) if leader else None
        return answer.json() if answer and answer.status == 200 else {}

    def active_agents(self):
        return {a["id"]: a for a in self.from_leader("/slaves").get("slaves", []) if a["active"]}

    def frameworks(self):
        return {f["name"] for f in self.from_leader("/frameworks").get("frameworks", [])
                if f["active"]}

    def nodes(self, path, mark):
        """(name, data) of the group's nodes, smallest number first."""
        names = [n for n in self.kazoo.get_children(path) if mark in n]
        return [(n, self.kazoo.get(f"{path}/{n}")[0].decode())
                for n in sorted(names, key=lambda n: int(n[-10:]))]

    def close(self):
        self.kazoo.stop()
        self.kazoo.close()
        super().close()
