"""A real ZooKeeper and the stand-ins as processes, each on a loopback address of its own."""
import base64
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
STANDINS = os.path.join(ROOT, "deploy/images/standins")
JARS = "/usr/share/java"
JAR_NAMES = ("zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-nop", "netty-all", "metrics-core",
             "snappy-java", "commons-cli", "commons-io", "jackson-core", "jackson-databind",
             "jackson-annotations")
DEADLINE_S = 60
SESSION_S = 4

sys.path.insert(0, STANDINS)
sys.dont_write_bytecode = True


def need(condition, what):
    """Skips where something is missing, but fails in CI: there everything must be."""
    if condition:
        return
    if os.environ.get("CI") == "true":
        raise AssertionError(what + " is missing, and CI=true")
    raise unittest.SkipTest(what + " is missing")


def kazoo_client(address):
    """A client of the test's own; Debian's kazoo serves any Python 3."""
    try:
        import kazoo.client
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")
        import kazoo.client
    client = kazoo.client.KazooClient(hosts=address)
    client.start(timeout=DEADLINE_S)
    return client


def eventually(what, probe):
    """The first true value of `probe`, polled until the deadline."""
    end = time.monotonic() + DEADLINE_S
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not in time: " + what)
        time.sleep(0.05)


def random_address():
    return f"127.{random.randint(10, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"


def free_port(ip):
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def ask(ip, port, path, user=None, method="GET", headers=None, tls=None):
    """-> Answer, or None when nobody answers."""
    connection = http.client.HTTPSConnection(ip, port, timeout=20, context=tls) if tls \
        else http.client.HTTPConnection(ip, port, timeout=20)
    sent = dict(headers or {})
    if user:
        sent.update(basic(user))
    try:
        connection.request(method, path, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Process:
    """One program; its output is kept in a file and read by `output()`."""

    def __init__(self, directory, name, arguments, environ):
        self.path = os.path.join(directory, f"{name}.log")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
        environment.update(environ)
        with open(self.path, "ab") as log:
            self.child = subprocess.Popen(arguments, env=environment, stdout=log, stderr=log,
                                          stdin=subprocess.DEVNULL)

    def alive(self):
        return self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def wait(self):
        return self.child.wait(DEADLINE_S)

    def output(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def end(self):
        if self.alive():
            self.send(signal.SIGCONT)
            self.send(signal.SIGKILL)
        self.child.wait()


class ZooKeeper:
    """One real server. `stop` and `start` keep address, port and data."""

    def __init__(self, directory):
        need(shutil.which("java"), "java")
        need(os.path.exists(f"{JARS}/zookeeper.jar"), "libzookeeper-java")
        self.directory = tempfile.mkdtemp(dir=directory, prefix="zookeeper")
        self.ip = random_address()
        self.port = free_port(self.ip)
        self.address = f"{self.ip}:{self.port}"
        self.process = None
        self.start()

    def start(self):
        config = os.path.join(self.directory, "zoo.cfg")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"tickTime=500\ndataDir={self.directory}/data\nclientPort={self.port}\n"
                       f"clientPortAddress={self.ip}\nadmin.enableServer=false\n"
                       "4lw.commands.whitelist=srvr\nmaxClientCnxns=0\n")
        jars = ":".join(f"{JARS}/{name}.jar" for name in JAR_NAMES)
        self.process = Process(
            self.directory, "server",
            ["java", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jars,
             "org.apache.zookeeper.server.quorum.QuorumPeerMain", config], {})
        eventually("ZooKeeper serves", self.serves)

    def serves(self):
        if not self.process.alive():
            raise AssertionError("ZooKeeper ended:\n" + self.process.output()[-2000:])
        try:
            with socket.create_connection((self.ip, self.port), 5) as client:
                client.sendall(b"srvr")
                return b"Mode: standalone" in client.recv(4096)
        except OSError:
            return False

    def stop(self):
        self.process.end()


class Service:
    """A stand-in with its address, port and environment; it can be started again and again."""

    def __init__(self, directory, program, name, environ, arguments=()):
        self.directory = directory
        self.program = program
        self.name = name
        self.ip = random_address()
        self.port = free_port(self.ip)
        self.environ = {key: value.format(ip=self.ip, port=self.port)
                        for key, value in environ.items()}
        self.arguments = list(arguments)
        self.process = None

    def start(self):
        self.process = Process(self.directory, self.name,
                               [f"{STANDINS}/bin/{self.program}"] + self.arguments, self.environ)
        return self

    def ask(self, path, user=None, **more):
        return ask(self.ip, self.port, path, user, **more)

    def status(self, path, user=None, **more):
        answer = self.ask(path, user, **more)
        return answer.status if answer else None


class Scratch:
    """A temporary directory, and services that end with it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="tutti-standins-")
        self.services = []
        self.zookeepers = []

    def zookeeper(self):
        server = ZooKeeper(self.directory)
        self.zookeepers.append(server)
        return server

    def service(self, program, name, environ, arguments=()):
        service = Service(self.directory, program, name, environ, arguments)
        self.services.append(service)
        return service

    def file(self, name, text):
        path = os.path.join(self.directory, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)
        return path

    def subdirectory(self, name):
        path = os.path.join(self.directory, name)
        os.makedirs(path, exist_ok=True)
        return path

    def keystore(self, password):
        """-> path of a PKCS12 keystore, and a client context that trusts it."""
        key, certificate = (os.path.join(self.directory, name) for name in ("key", "certificate"))
        store = os.path.join(self.directory, "keystore")
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", certificate, "-days", "2", "-subj", "/CN=stand-in test"], **quiet)
        subprocess.run(["openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-out",
                        store, "-passout", "stdin"], input=password.encode(), **quiet)
        trust = ssl.create_default_context(cafile=certificate)
        trust.check_hostname = False
        return store, trust

    def close(self):
        for service in self.services:
            if service.process:
                service.process.end()
        for server in self.zookeepers:
            server.process.end()
        shutil.rmtree(self.directory, ignore_errors=True)


def need_kazoo():
    """The programs run by /usr/bin/python3 with Debian's kazoo."""
    done = subprocess.run(["/usr/bin/python3", "-c", "import kazoo"], stderr=subprocess.DEVNULL,
                          check=False)
    need(done.returncode == 0, "python3-kazoo")
    need(shutil.which("openssl"), "openssl")
