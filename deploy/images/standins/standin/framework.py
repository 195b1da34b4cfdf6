"""What Marathon and Chronos share: listeners, the leader latch, proxying, and the Mesos driver.

Each of the two is a subclass of Framework that says how it answers, proxies and ends.
"""
import http.client
import re
import socket
import threading
import uuid

from standin.credentials import Basic
from standin.private import NOT_AUTHENTICATED, REFUSED, Detector, send, url_of
from standin.process import Refused
from standin.web import Listener, Reply, ask, unauthorized
from standin.zookeeper import Group, Session

LATCH_NODES = r"_c_[0-9a-f-]{36}-latch-\d{10}"
HEARTBEAT_S = 15
HOP_HEADERS = frozenset(("connection", "keep-alive", "transfer-encoding", "te", "trailer",
                         "upgrade", "proxy-authorization", "content-length", "host"))


def http_credentials(text, environ, realm, log):
    """Basic, or None for open doors: a value without a colon only logs an error, as in Jetty's
    module of both programs."""
    text = text or environ.get("MESOSPHERE_HTTP_CREDENTIALS")
    if not text:
        return None
    match = re.fullmatch(r"(.+):(.+)", text, re.DOTALL)
    if not match:
        log.error("The HTTP credentials must be specified in the form of 'user:password': "
                  "AUTHENTICATION IS OFF")
        return None
    return Basic(realm, {match.group(1): match.group(2)}, parts="first")


class Statuses:
    """The exit statuses of one program."""

    def __init__(self, bind, keystore, mesos_refused, driver):
        self.bind = bind
        self.keystore = keystore
        self.mesos_refused = mesos_refused
        self.driver = driver


class Framework:
    """Subclasses give: name, statuses, software, respond(request), forward(request),
    on_session_end(), mesos_user(), mesos_credential(), framework_id_path()."""

    def __init__(self, process, values, environ):
        self.process = process
        self.log = process.log
        self.values = values
        self.environ = environ
        self.hostname = values["hostname"] or socket.gethostname()
        self.basic = http_credentials(values["http_credentials"], environ, values["http_realm"],
                                      self.log)
        self.server_tls, self.client_tls = self.keystore()
        if values["disable_http"] and not self.server_tls:
            raise Refused(self.statuses.keystore, "disable_http without a keystore leaves no "
                                                  "listener")
        self.leading = False
        self.leader_id = None
        self.framework_id = None
        self.changed = threading.Condition()
        self.driver = None

    def keystore(self):
        path = self.values["ssl_keystore_path"] or self.environ.get("MESOSPHERE_KEYSTORE_PATH")
        password = self.values["ssl_keystore_password"] \
            or self.environ.get("MESOSPHERE_KEYSTORE_PASS")
        if not path:
            return None, None
        from standin.keystore import KeystoreError, load
        try:
            return load(path, password)
        except KeystoreError as error:
            raise Refused(self.statuses.keystore, str(error)) from None

    def open_session(self, address, timeout_s, readable):
        self.session = Session(address, timeout_s, self.log, readable)
        self.session.on_suspended = self.on_session_end
        self.session.on_lost = self.on_session_end
        self.process.closers.append(self.session.close)
        self.session.start()

    def listen(self):
        values = self.values
        wanted = []
        if not values["disable_http"]:
            wanted.append((values["http_address"], values["http_port"], None))
        if self.server_tls:
            wanted.append((values["https_address"], values["https_port"], self.server_tls))
        for ip, port, tls in wanted:
            try:
                listener = Listener(ip or "0.0.0.0", port, self, self.software, self.log, tls)
            except (OSError, OverflowError) as error:
                raise Refused(self.statuses.bind, f"Failed to bind port {port}: {error}") from None
            listener.start()
            self.log.info(f"Listening for http{'s' if tls else ''} on {ip or '0.0.0.0'}:{port}")

    def stand(self, path, participant_id):
        """Takes part in the latch at `path` under the name `participant_id` (host:port)."""
        self.participant_id = participant_id
        self.latch = Group(self.session, path, f"_c_{uuid.uuid4()}-latch-",
                           participant_id.encode(), LATCH_NODES, self.on_latch)
        self.latch.start()

    def on_latch(self, members, data, leading):
        self.check_participants(members)
        with self.changed:
            self.leader_id = data.decode("utf-8", "replace") if data else None
            newly = leading and not self.leading
            self.leading = leading
            self.changed.notify_all()
        self.log.info(f"The leader is {self.leader_id}")
        if newly:
            self.log.info("Elected (leader)")
            self.start_driver()

    def check_participants(self, members):
        pass

    # Answers: authentication on every path, then the leader or a hop to it.

    def handle(self, request):
        if self.basic and not self.basic.allows(request.headers.get("Authorization")):
            return unauthorized(self.basic)
        if self.leading:
            return self.respond(request)
        return self.forward(request)

    def hop(self, request, base, headers):
        """The request once more, to the leader. ConnectionRefusedError, OSError as they come."""
        replaced = HOP_HEADERS.union(name.lower() for name in headers)
        kept = {name: value for name, value in request.headers.items()
                if name.lower() not in replaced}
        kept.update(headers)
        connect_s = self.values.get("leader_proxy_connection_timeout", 5000) / 1000
        read_s = self.values.get("leader_proxy_read_timeout", 10000) / 1000
        try:
            status, answered, body = ask(request.method, base + request.target, kept, request.body,
                                         connect_s, read_s, self.client_tls)
        except http.client.HTTPException as error:
            raise OSError(type(error).__name__) from None
        passed = [(name, value) for name, value in answered.items()
                  if name.lower() not in HOP_HEADERS | {"server", "date", "content-type"}]
        return Reply(status, body, answered.get("Content-Type", "text/plain"), passed)

    # The scheduler driver: the leader's registration with Mesos.

    def start_driver(self):
        threading.Thread(target=self.drive, daemon=True, name="driver").start()

    def drive(self):
        self.bind_driver_port()
        self.framework_id = self.stored_framework_id()
        wake = threading.Event()
        detector = Detector(self.values["master"], 10.0, self.log, self.statuses.driver, wake.set)
        self.process.closers.append(detector.close)
        detector.start()
        known_by = None
        while True:
            wake.clear()
            leader = detector.leader
            if leader and self.heartbeat(leader) and leader != known_by:
                known_by = leader
                self.log.info(f"Registered with Mesos master {leader['pid']} as "
                              f"{self.framework_id}")
            wake.wait(HEARTBEAT_S if leader is None or leader == known_by else 1.0)

    def heartbeat(self, leader):
        """Registers, or says that we still live; true when the master took it."""
        message = dict(self.registration(), id=self.framework_id)
        try:
            status, answer = send(url_of(leader), "framework", message, self.mesos_credential())
        except OSError as error:
            self.log.warning(f"Mesos master {leader['pid']} does not answer: {error}")
            return False
        if status in (REFUSED, NOT_AUTHENTICATED):
            self.process.leave(self.statuses.mesos_refused,
                               "Driver aborted: Mesos refused the framework's authentication")
            return False
        if status != 200 or not isinstance(answer.get("id"), str):
            return False
        if self.framework_id is None:
            self.framework_id = answer["id"]
            self.store_framework_id(answer["id"])
        return True

    def bind_driver_port(self):
        """libmesos listens too; two frameworks on one host must not get the same port."""
        port = self.environ.get("LIBPROCESS_PORT", "0")
        if port in ("", "0"):
            return
        ip = self.environ.get("LIBPROCESS_IP") or "0.0.0.0"
        try:
            self.driver = socket.create_server((ip, int(port)))
        except (OSError, ValueError, OverflowError) as error:
            self.process.abort(self.statuses.driver, f"Failed to initialize: cannot bind "
                                                     f"LIBPROCESS_PORT {port} on {ip}: {error}")

    def registration(self):
        values = self.values
        scheme, port = ("https", values["https_port"]) if values["disable_http"] \
            else ("http", values["http_port"])
        return {"name": self.name, "hostname": self.hostname, "role": values["mesos_role"],
                "user": self.mesos_user(), "failover_timeout": values["failover_timeout"],
                "webui_url": values["webui_url"] or f"{scheme}://{self.hostname}:{port}",
                "principal": values["mesos_authentication_principal"]}

    def stored_framework_id(self):
        from kazoo.exceptions import KazooException, NoNodeError
        try:
            text = self.session.client.get(self.framework_id_path())[0].decode()
            return text or None
        except NoNodeError:
            return None
        except KazooException:
            return None  # the session ends, and the process with it

    def store_framework_id(self, framework_id):
        from kazoo.exceptions import KazooException
        client, path = self.session.client, self.framework_id_path()
        try:
            client.ensure_path(path)
            client.set(path, framework_id.encode())
        except KazooException as error:
            self.log.error(f"Could not store the framework id: {type(error).__name__}")


def secret_of(path, log, status):
    """The secret in a file, without a trailing newline (libmesos would send it)."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(64 * 1024)
    except (OSError, UnicodeDecodeError):
        raise Refused(status, f"cannot read the secret file '{path}'") from None
    if text.endswith("\n"):
        log.warning("The secret file ends with a newline, which is part of the secret")
    return text
