"""Stand-in for Chronos: options by INDIGO's CHRONOS_* wrapper, latch, proxying, authentication.

Imitates 3.0.2's outside. It schedules nothing; what it does not imitate answers 501.
"""
import re

from standin.flags import ScallopFlags, scallop_arguments
from standin.framework import Framework, Statuses, secret_of
from standin.process import Refused
from standin.web import Reply, json_reply, refuse_method
from standin.zookeeper import Address, parse_hosts

NOT_IMITATED = re.compile(r"/(v1/scheduler/(iso8601|dependency|graph|jobs|job|task|stats)|metrics)"
                          r"(/.*)?")


def start(process, argv, environ):
    flags = ScallopFlags("chronos", wrapper_arguments(environ) + list(argv), environ, 1)
    values = flags.values
    if not re.match(r"zk://|https?://|[^/]+:\d+$", values["master"]):
        raise Refused(1, "bad value of 'master': expected zk://host:port/path or host:port")
    Chronos(process, values, environ).start()


def wrapper_arguments(environ):
    """INDIGO's entry point puts every CHRONOS_X on a command line, unquoted."""
    for variable, text in environ.items():
        if variable.startswith("CHRONOS_") and re.search(r"\s", text):
            raise Refused(1, f"the value of '{variable}' has a space: the wrapper would split it")
    return scallop_arguments("CHRONOS_", environ)


def ensemble(values):
    """zk_hosts is h:p,h:p, or zk://h:p,h:p/… whose path is dropped."""
    hosts = re.sub(r"^zk://", "", values["zk_hosts"]).split("/", 1)[0]
    path = "/" + values["zk_path"].strip("/")
    if path == "/":
        raise Refused(1, "zk_path needs a path")
    return Address(parse_hosts(hosts, 1, "zk_hosts"), path, values["zk_auth"])


class Chronos(Framework):
    software = "chronos-stand-in"
    statuses = Statuses(bind=1, keystore=1, mesos_refused=1, driver=1)

    def __init__(self, process, values, environ):
        self.name = values["mesos_framework_name"]
        self.address = ensemble(values)
        if self.address.user and self.address.user.count(":") != 1:
            raise Refused(1, "zk_auth must be user:password")
        super().__init__(process, values, environ)
        self.credential = None
        if values["mesos_authentication_principal"]:
            file = values["mesos_authentication_secret_file"]
            self.credential = (values["mesos_authentication_principal"],
                               secret_of(file, self.log, 1)) if file else None
        # By its http_port even where HTTP is off: a known trap of the real one.
        self.own_id = f"{self.hostname}:{values['http_port']}"

    def start(self):
        self.open_session(self.address, self.values["zk_timeout"] / 1000, readable=False)
        self.session.connected.wait()
        self.listen()
        self.stand(self.address.path + "/candidate", self.own_id)

    def on_session_end(self):
        self.process.abort(1, "Lost the connection to ZooKeeper: exit")

    def on_latch(self, members, data, leading):
        if self.leading and not leading:
            self.process.abort(1, "Lost leadership: exit")
        super().on_latch(members, data, leading)

    def forward(self, request):
        """RedirectFilter, which proxies in spite of its name, and always to plain HTTP."""
        leader_id = self.leader_id
        if leader_id is None or leader_id == self.own_id:
            return Reply(503, "No leader is known")
        try:
            return self.hop(request, f"http://{leader_id}", {})
        except OSError as error:
            return Reply(502, f"Connection to leader failed: {error}")

    def respond(self, request):
        answers = {"/ping": lambda: Reply(200, "pong\n", "text/plain"),
                   "/v1/scheduler/jobs": lambda: json_reply([]),
                   "/v1/scheduler/leader": lambda: json_reply({"leader": self.leader_id})}
        path = request.path.rstrip("/")
        if path in answers:
            return answers[path]() if request.method in ("GET", "HEAD") else refuse_method("GET")
        if NOT_IMITATED.fullmatch(path):
            return Reply(501, "The stand-in does not imitate this endpoint")
        return Reply(404)

    def mesos_user(self):
        return self.values["user"]

    def mesos_credential(self):
        return self.credential

    def framework_id_path(self):
        return self.address.path + "/state/framework-id"
