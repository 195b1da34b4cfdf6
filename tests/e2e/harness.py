"""Drives a real `tutti serve` as its users do: over HTTP, by its command line, and by killing it.

Every Daemon has its own data directory, port and owner, so that tests run side by side. Nothing
here sleeps for a fixed time: `wait_for` polls a condition until a deadline.
"""
import base64
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from http.client import HTTPException

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TUTTI_BUILD_DIR", ROOT / "build" / "release"))
TUTTI = pathlib.Path(os.environ.get("TUTTI_BINARY", BUILD / "server" / "tutti"))
IN_CI = os.environ.get("CI") == "true"


def wait_for(what, condition, seconds, pause=0.1):
    """Returns condition()'s first true value; fails with `what` and the last value otherwise."""
    end = time.monotonic() + seconds
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, HTTPException, ValueError, LookupError) as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s; last seen: {last!r}")
        time.sleep(pause)


def run(*command, check=True, timeout=120, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          timeout=timeout, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def errors(self):
        """The diagnostics that refuse, without the warnings."""
        return [d for d in self.json()["diagnostics"] if d["severity"] == "error"]

    @property
    def text(self):
        return self.body.decode()


def http(method, url, body=None, headers=None, user=None, password=None, timeout=20):
    """One request; redirects are not followed, certificates are not checked (tests look at both)."""
    headers = dict(headers or {})
    data = None
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    if user is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(NoRedirect, urllib.request.HTTPSHandler(context=context),
                                         urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with opener.open(request, timeout=timeout) as reply:
            return Answer(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class Daemon:
    """A `tutti serve` process with a configuration of its own. start() and kill() may alternate."""

    def __init__(self, provider="docker", settings="", environment=None, share_dir=ROOT / "deploy"):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tutti-e2e-"))
        self.port = free_port()
        self.provider = provider
        self.environment = environment or {}
        self.armed = False
        self.process = None
        self.created = set()
        self.config = self.dir / "tutti.yaml"
        self.config.write_text(
            f"http:\n  port: {self.port}\n"
            f"data_dir: {self.dir / 'data'}\n"
            f"share_dir: {share_dir}\n"
            f"site:\n  provider: {provider}\n"
            f"cluster:\n  mesos_stack: standin\n{settings}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self):
        return self.dir / "serve.log"

    def start(self, **environment):
        env = {**os.environ, **self.environment, **environment}
        self.armed = "TUTTI_FAILPOINT" in env
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([str(TUTTI), "serve", "--config", str(self.config)],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env)
        wait_for("the daemon answers", self._up, 30, pause=0.02)
        return self

    def _up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"tutti serve exited {self.process.returncode}:\n"
                                 + self.log_path.read_text()[-3000:])
        return http("GET", self.url + "/", timeout=2).status == 200

    def kill(self, how=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
        if self.process:
            self.process.wait(timeout=40)
        return self.process.returncode if self.process else None

    def wait_exit(self, seconds):
        return self.process.wait(timeout=seconds)

    def request(self, method, path, body=None, **options):
        return http(method, self.url + path, body, **options)

    def post(self, template, parameters=None, **more):
        text = template if isinstance(template, str) else template.read_text()
        headers = more.pop("headers", None)
        body = {"template": text, "parameters": parameters or {}, **more}
        return self.request("POST", "/deployments", body, headers=headers, timeout=60)

    def create(self, template, parameters=None, **more):
        answer = self.post(template, parameters, **more)
        assert answer.status == 201, answer.text
        uuid = answer.json()["uuid"]
        self.created.add(uuid)
        return uuid

    def deployment(self, uuid):
        answer = self.request("GET", f"/deployments/{uuid}")
        return answer.json() if answer.status == 200 else None

    def wait_status(self, uuid, wanted, seconds):
        def reached():
            shown = self.deployment(uuid)
            status = shown["status"] if shown else "404"
            if status == wanted:
                return shown or {"status": "404"}
            if status.endswith("FAILED") and not wanted.endswith("FAILED"):
                log = self.request("GET", f"/deployments/{uuid}/log").text[-4000:]
                raise AssertionError(f"{status}: {shown.get('statusReason')}\n{log}")
            return None
        return wait_for(f"deployment {uuid} becomes {wanted}", reached, seconds, pause=0.2)

    def delete(self, uuid, seconds=120):
        answer = self.request("DELETE", f"/deployments/{uuid}")
        assert answer.status == 204, answer.text
        self.wait_status(uuid, "404", seconds)

    def close(self, delete=True):
        """Ends everything; deletes what is still deployed so that no container is left behind."""
        try:
            if delete and self.process is not None:
                if self.armed:
                    self.kill()
                if self.process.poll() is not None:
                    self.start()
                listed = self.request("GET", "/deployments?size=1000").json()["content"]
                for shown in listed:
                    self.request("DELETE", f"/deployments/{shown['uuid']}")
                for shown in listed:
                    self.wait_status(shown["uuid"], "404", 180)
        finally:
            self.kill(signal.SIGTERM)
            shutil.rmtree(self.dir, ignore_errors=True)

    def cli(self, *arguments, check=False, timeout=300, **options):
        return run(TUTTI, *arguments, "--server", self.url, check=check, timeout=timeout, **options)


class ProcessWatch:
    """Looks for texts in the command lines of all processes, those in containers included, for as
    long as it is entered."""

    def __init__(self, *texts):
        self.texts = [text.encode() for text in texts]
        self.looks = 0
        self.found = set()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.look_on, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def look_on(self):
        while not self.ended.wait(0.05):
            for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = entry.read_bytes()
                except OSError:
                    continue
                if any(text in line for text in self.texts):
                    self.found.add(line.replace(b"\0", b" ").decode(errors="replace"))
            self.looks += 1


class Lab(unittest.TestCase):
    """A test that needs root, a Docker Engine and the sandbox's images; says so when skipped."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        problem = lab_problem()
        if problem and IN_CI:
            raise AssertionError(f"the lab cannot start: {problem}")
        if problem:
            raise unittest.SkipTest(f"lab skipped: {problem}")


def lab_problem():
    if os.geteuid() != 0:
        return "it needs root (Docker, machines)"
    if run("docker", "version", check=False).returncode != 0:
        return "no Docker Engine answers"
    if run("docker", "image", "inspect", "tutti/instance:bookworm", check=False).returncode != 0:
        return "its images are missing: run deploy/images/build"
    return None


def docker(*arguments, check=True, timeout=60):
    return run("docker", *arguments, check=check, timeout=timeout).stdout.strip()


def inventory(deployment=None):
    """What exists in Docker now: containers, volumes and networks as sorted names."""
    label = ["--filter", f"label=tutti.deployment={deployment}"] if deployment else []
    return {
        "containers": sorted(docker("ps", "-a", "--format", "{{.Names}}", *label).split()),
        "volumes": sorted(docker("volume", "ls", "--format", "{{.Name}}", *label).split()),
        "networks": sorted(docker("network", "ls", "--format", "{{.Name}}", *label).split()),
    }


class Untouched:
    """Docker's whole inventory of a moment, which is there again when a test has deleted what it made.

    Others may use the engine meanwhile: what carries the label of another lab or of a deployment that
    `daemon` did not create is theirs, and so is a volume in a container of theirs. In CI nothing else
    runs, and nothing is excused.
    """

    def __init__(self, daemon):
        self.daemon = daemon
        self.before = self.objects()

    @staticmethod
    def objects():
        """{(kind, name): {label: value}} of all that exists now, with or without labels."""
        found = {}
        for kind, command in (("container", ("ps", "-a", "--format", "{{.Names}}\t{{.Labels}}")),
                              ("volume", ("volume", "ls", "--format", "{{.Name}}\t{{.Labels}}")),
                              ("network", ("network", "ls", "--format", "{{.Name}}\t{{.Labels}}"))):
            for line in docker(*command).splitlines():
                name, _, labels = line.partition("\t")
                found[kind, name] = dict(pair.partition("=")[::2] for pair in labels.split(",") if pair)
        return found

    def is_others(self, key, labels, now):
        if key[0] == "volume" and not labels:
            users = docker("ps", "-a", "--filter", f"volume={key[1]}", "--format", "{{.Names}}").split()
            return any(self.is_others(("container", user), now.get(("container", user), {}), now) for user in users)
        deployment = labels.get("tutti.deployment")
        return "tuttilab" in labels or "tutti.image-store" in labels or \
            deployment is not None and deployment not in self.daemon.created

    def differences(self):
        now = self.objects()
        appeared = [key for key, labels in now.items() if key not in self.before
                    and (IN_CI or not self.is_others(key, labels, now))]
        gone = [key for key in self.before if key not in now] if IN_CI else []
        return [f"left: {kind} {name}" for kind, name in appeared] + \
            [f"gone: {kind} {name}" for kind, name in gone]

    def check(self):
        """Waits a little for images that others build: theirs have no labels, and pass."""
        def same():
            differences = self.differences()
            if differences:
                raise ValueError(differences)
            return True

        wait_for("Docker's inventory is as before", same, 0 if IN_CI else 60, pause=1)


def machine(deployment, node, ordinal=0):
    """The container that is instance `node`-`ordinal` of the deployment."""
    hostname = f"{node}-{ordinal}".replace("_", "-")
    for name in docker("ps", "-a", "--filter", f"label=tutti.deployment={deployment}",
                       "--format", "{{.Names}}").split():
        if docker("inspect", "-f", "{{.Config.Hostname}}", name) in (hostname, node.replace("_", "-")):
            return name
    raise AssertionError(f"no machine {hostname} in deployment {deployment}")


def inside(container, *command, check=True, timeout=60):
    return run("docker", "exec", container, *command, check=check, timeout=timeout).stdout.strip()
