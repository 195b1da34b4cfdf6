"""The simulated cloud as a process of its own, and a daemon that deploys to it: for tests that need
neither root nor Docker."""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

from harness import BUILD, Daemon

SIMCLOUD = pathlib.Path(os.environ.get("TUTTI_SIMCLOUD", BUILD / "providers" / "simulated" / "tutti-simcloud"))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


class Cloud:
    """The simulated cloud as a process of its own."""

    def __init__(self, folder):
        self.socket = str(pathlib.Path(folder) / "cloud.sock")
        self.process = subprocess.Popen([str(SIMCLOUD), self.socket, "50"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().strip() == "ready"

    def control(self, path, **body):
        connection = UnixConnection(self.socket)
        connection.request("POST", f"/control/{path}", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 300, text
        return json.loads(text) if text else {}

    def audit(self):
        return self.control("audit")

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()


class OnSimulatedCloud(unittest.TestCase):
    """Each test has a cloud and a daemon, not yet started, of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tutti-simcloud-")
        self.addCleanup(folder.cleanup)
        self.cloud = Cloud(folder.name)
        self.addCleanup(self.cloud.close)
        self.settings = f"simulated:\n  socket: {self.cloud.socket}\n"
        self.daemon = Daemon(provider="simulated",
                             settings=self.settings + "retry:\n  first_delay_ms: 50\n")
        self.addCleanup(self.daemon.close)
