"""Stand-in for Marathon: options, leader latch, proxying, authentication, registration.

Imitates the 1.11 line's outside. It runs no apps; what it does not imitate answers 501.
"""
import re

from standin import IMITATED_VERSIONS, title
from standin.flags import MARATHON_REFUSED, ScallopFlags, scallop_arguments
from standin.framework import Framework, Statuses, secret_of
from standin.process import Refused
from standin.web import Reply, json_reply, refuse_method
from standin.zookeeper import parse_url

VERSION = IMITATED_VERSIONS["marathon"]
NO_ZOOKEEPER, ZOOKEEPER_LOST, ABDICATED, ELECTION_FAILED = 100, 101, 103, 104
LEADER_WAIT_S = 2.5
NOT_IMITATED = re.compile(r"/(v2/(apps|groups|tasks|deployments|queue|events|artifacts|plugins|"
                          r"pods)|metrics|ui|help|logging)(/.*)?")
SECRETS = ("http_credentials", "ssl_keystore_password", "mesos_authentication_secret",
           "metrics_datadog_api_key", "zk", "master", "sentry", "logstash")


def start(process, argv, environ):
    arguments = scallop_arguments("MARATHON_", environ, skip=("MARATHON_APP_",)) + list(argv)
    flags = ScallopFlags("marathon", arguments, environ, MARATHON_REFUSED)
    check(flags.values)
    Marathon(process, flags.values, environ).start()


def check(values):
    """What Marathon checks across options."""
    if not values["master"]:
        raise Refused(MARATHON_REFUSED, "Error: Required option 'master' not found")
    if not re.match(r"zk://|https?://|[^/]+:\d+$", values["master"]):
        raise Refused(MARATHON_REFUSED, "Error: bad value of 'master': expected zk:// or http://")
    if values["group_versions_cache_size"] <= 2 * values["max_running_deployments"]:
        raise Refused(MARATHON_REFUSED, "Error: group_versions_cache_size must be greater than "
                                        "2 * max_running_deployments")
    if values["leader_election_backend"] != "curator" or values["internal_store_backend"] != "zk":
        raise Refused(MARATHON_REFUSED, "Error: the stand-in imitates only the curator and zk "
                                        "back ends")


class Marathon(Framework):
    software = "marathon-stand-in"
    statuses = Statuses(bind=111, keystore=107, mesos_refused=106, driver=109)

    def __init__(self, process, values, environ):
        self.name = values["framework_name"]
        self.address = parse_url(values["zk"], MARATHON_REFUSED, "zk")
        super().__init__(process, values, environ)
        self.credential = self.read_credential()
        self.scheme, port = ("https", values["https_port"]) if values["disable_http"] \
            else ("http", values["http_port"])
        self.own_id = f"{self.hostname}:{port}"
        if self.client_tls:
            self.client_tls.check_hostname = not values["leader_proxy_ssl_ignore_hostname"]

    def read_credential(self):
        values = self.values
        if not values["mesos_authentication"]:
            return None
        if not values["mesos_authentication_principal"]:
            raise Refused(MARATHON_REFUSED, "Error: mesos_authentication needs "
                                            "mesos_authentication_principal")
        secret = values["mesos_authentication_secret"] or ""
        if values["mesos_authentication_secret_file"]:
            secret = secret_of(values["mesos_authentication_secret_file"], self.log, 106)
        return values["mesos_authentication_principal"], secret

    def start(self):
        values = self.values
        self.open_session(self.address, values["zk_session_timeout"] / 1000, readable=False)
        if not self.session.connected.wait(values["zk_connection_timeout"] / 1000):
            raise Refused(NO_ZOOKEEPER, "Could not connect to ZooKeeper within "
                                        "zk_connection_timeout")
        self.listen()
        self.stand(self.address.path + "/leader-curator", self.own_id)

    def on_session_end(self):
        self.process.abort(ZOOKEEPER_LOST, "Lost the connection to ZooKeeper: exit")

    def on_latch(self, members, data, leading):
        if self.leading and not leading:
            self.process.abort(ABDICATED, "Lost leadership: exit")
        super().on_latch(members, data, leading)

    def check_participants(self, members):
        """Two of one host:port: the election cannot tell them apart, both fail."""
        from kazoo.exceptions import NoNodeError
        for name in members:
            if name == self.latch.own:
                continue
            try:
                data = self.latch.data_of(name)
            except NoNodeError:
                continue
            if data == self.own_id.encode():
                self.process.leave(ELECTION_FAILED, f"Another participant is called {self.own_id} "
                                                    "too (or an earlier life's session has not "
                                                    "ended yet): exit")

    def forward(self, request):
        """LeaderProxyFilter: every request goes to the leader."""
        via = request.headers.get_all("X-Marathon-Via") or []
        if any(hop.strip() == f"1.1 {self.own_id}" for value in via for hop in value.split(",")):
            return Reply(502, "Detected proxying loop.")
        with self.changed:
            self.changed.wait_for(self.somebody_leads, LEADER_WAIT_S)
            leader_id = self.leader_id
        if self.leading:
            return self.respond(request)
        if leader_id is None or leader_id == self.own_id:
            return Reply(502, "Could not determine the current leader")
        base = f"{self.scheme}://{leader_id}"
        if request.path == "/v2/events":
            return Reply(302, headers=[("Location", base + request.target)])
        try:
            return self.hop(request, base,
                            {"X-Marathon-Via": ", ".join(via + [f"1.1 {self.own_id}"])})
        except ConnectionRefusedError:
            return Reply(502, "Connection to leader refused.")
        except TimeoutError:
            return Reply(504, "Connection to leader timed out.")
        except OSError:
            return Reply(502, "Connection to leader failed.")

    def somebody_leads(self):
        return self.leading or self.leader_id not in (None, self.own_id)

    def respond(self, request):
        reply = self.answer(request)
        reply.headers.append(("X-Marathon-Leader", f"{self.scheme}://{self.own_id}"))
        return reply

    def answer(self, request):
        path = request.path.rstrip("/") or "/"
        if path == "/v2/leader":
            return self.leader(request)
        if path in ("/ping", "/v2/info", "/"):
            if request.method not in ("GET", "HEAD"):
                return refuse_method("GET")
            if path == "/":
                return Reply(302, headers=[("Location", "/ui/")])
            return self.ping(request) if path == "/ping" else json_reply(self.info())
        if NOT_IMITATED.fullmatch(path):
            return Reply(501, "The stand-in does not imitate this endpoint")
        return Reply(404)

    def ping(self, request):
        accept = request.headers.get("Accept", "*/*")
        if "*/*" in accept or "text/" in accept:
            return Reply(200, "pong")
        return json_reply("pong") if "application/json" in accept else Reply(204)

    def leader(self, request):
        if request.method in ("GET", "HEAD"):
            return json_reply({"leader": self.own_id})
        if request.method != "DELETE":
            return refuse_method("GET, DELETE")
        if request.query:
            return Reply(501, "The stand-in does not imitate backup and restore")
        return Reply(200, '{"message":"Leadership abdicated"}', "application/json",
                     then=lambda: self.process.leave(ABDICATED, "Leadership abdicated: exit"))

    def info(self):
        values = self.values
        shown = {name: value for name, value in values.items() if name not in SECRETS}
        return {"name": self.name, "version": VERSION, "buildref": "stand-in",
                "stand_in": title("marathon"), "elected": self.leading, "leader": self.leader_id,
                "frameworkId": self.framework_id, "marathon_config": shown,
                "zookeeper_config": {"zk_hosts": self.address.hosts, "zk_path": self.address.path,
                                     "zk_timeout": values["zk_timeout"]},
                "http_config": {"http_port": values["http_port"],
                                "https_port": values["https_port"]}}

    def mesos_user(self):
        return self.values["mesos_user"] or "root"

    def mesos_credential(self):
        return self.credential

    def framework_id_path(self):
        return self.address.path + "/state/framework-id"
