"""What the roles decide on the machines: what is missing, containers, registration with Consul, and
what is asked of a cluster's health. Run by `run`, by the interpreter that Ansible runs in."""
import http.server
import json
import socketserver
import tempfile
import threading
import unittest
from unittest import mock

from plugins import container, engine, health, place, probe, wait


class Machines(unittest.TestCase):
    def test_what_is_missing(self):
        def missing(programs, modules, container):
            with mock.patch.object(engine.shutil, "which", lambda name, path: name in programs), \
                    mock.patch.object(engine.importlib.util, "find_spec", lambda name: name in modules), \
                    mock.patch.object(engine, "in_container", lambda: container):
                return engine.missing_parts()

        self.assertEqual(missing([], [], False), ["engine", "client", "clock"])
        self.assertEqual(missing(["dockerd"], [], True), ["client"])
        self.assertEqual(missing(["dockerd", "chronyd"], ["requests"], False), [])
        self.assertEqual(missing(["dockerd"], ["requests"], False), ["clock"])


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A Docker engine that knows one container; a step whose name is in `refused` fails once."""

    daemon_threads = True

    def __init__(self, path):
        self.asked, self.refused, self.told = [], [], None
        super().__init__(path, self.handler())
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handler(engine):
        class Handler(http.server.BaseHTTPRequestHandler):
            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                step = self.command + " " + self.path.partition("?")[0].rpartition("/")[2]
                engine.asked.append(step)
                if step == "POST create":
                    engine.told = json.loads(body)
                if step in engine.refused:
                    engine.refused.remove(step)
                    return self.answer(500, {"message": "task already exists"})
                return self.answer(201 if step == "POST create" else 204)

            do_DELETE = do_POST

            def answer(self, status, value=None):
                text = json.dumps(value).encode() if value else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                if text:
                    self.wfile.write(text)

        return Handler


class Containers(unittest.TestCase):
    MAKING, REMOVING = ["POST create", "POST start"], ["POST stop", "DELETE mesos"]

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.engine = Engine(folder.name + "/socket")
        self.addCleanup(self.engine.server_close)
        self.addCleanup(self.engine.shutdown)
        self.docker = probe.Docker(folder.name + "/socket")

    def test_what_the_engine_is_told(self):
        told = container.definition(
            "tutti/mesos:1", {"network_mode": "host", "command": ["--x"], "stop_timeout": 10,
                              "volumes": ["/a:/b:ro"], "privileged": True}, {"l": "1"}, ["A=b"])
        container.make(self.docker, "mesos", told, False)
        self.assertEqual(self.engine.asked, self.MAKING)
        self.assertEqual(self.engine.told, {
            "Image": "tutti/mesos:1", "Cmd": ["--x"], "StopTimeout": 10, "Labels": {"l": "1"},
            "Env": ["A=b"], "HostConfig": {
                "NetworkMode": "host", "Binds": ["/a:/b:ro"], "Privileged": True,
                "RestartPolicy": {"Name": "unless-stopped"}}})
        with self.assertRaisesRegex(container.EngineRefused, "no such option.*memory"):
            container.definition("i", {"memory": "1g"}, {}, [])

    def test_an_older_one_is_stopped_and_removed_first(self):
        container.make(self.docker, "mesos", {}, True)
        self.assertEqual(self.engine.asked, self.REMOVING + self.MAKING)

    def test_one_that_cannot_be_started_again_is_made_anew(self):
        container.start(self.docker, "mesos", {})
        self.assertEqual(self.engine.asked, ["POST start"])
        self.engine.refused = ["POST start"]
        container.start(self.docker, "mesos", {})
        self.assertEqual(self.engine.asked[1:], ["POST start"] + self.REMOVING + self.MAKING)

    def test_a_refusal_is_told_in_the_engines_words(self):
        self.engine.refused = ["POST create"]
        with self.assertRaisesRegex(container.EngineRefused, "task already exists"):
            container.make(self.docker, "mesos", {}, False)

    def settle(self, there, serving=False, in_turn=False):
        """The outcome of cluster_place on a machine where the container is as given."""
        machine = mock.Mock(spec=["image_id", "container", "call"], call=self.docker.call)
        machine.image_id.return_value = "sha256:1"
        machine.container.return_value = dict(
            {"exists": True, "running": True, "restarting": False, "image": "sha256:1",
             "labels": {"tutti.configuration": "wanted"}}, **there)
        module = mock.Mock(check_mode=False, params={
            "container": "mesos", "image": "i", "in_turn": in_turn})
        with mock.patch.object(place, "probe", lambda _: {"alive": serving, "serving": serving}):
            return place.settle_container(
                module, machine, {"probe": {}, "container": {}, "environment_file": ""}, "wanted")[0]

    def test_who_serves_waits_for_its_turn(self):
        self.assertEqual(self.settle({}, serving=True), "runs")
        self.assertEqual(self.settle({"labels": {}}, serving=True), "turn")
        self.assertEqual(self.engine.asked, [])
        self.assertEqual(self.settle({"labels": {}}, serving=True, in_turn=True), "started")
        self.assertEqual(self.engine.asked, self.REMOVING + self.MAKING)

    def test_who_serves_nobody_starts_at_once(self):
        self.assertEqual(self.settle({"image": "sha256:0"}), "started")
        self.assertEqual(self.settle({"running": False}), "started")
        self.assertEqual(self.settle({"exists": False, "running": False}), "started")
        self.assertEqual(self.engine.asked,
                         self.REMOVING + self.MAKING + ["POST start"] + self.MAKING)


class Registration(unittest.TestCase):
    """Of services with a Consul agent, played by a server that knows one and refuses at first."""

    SERVICE = {"name": "mesos", "address": "10.0.0.1", "port": 5050}

    def setUp(self):
        test = self
        self.refusals, self.reloads = 0, 0

        class Agent(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                one = test.SERVICE
                self.answer(200, {"mesos": {
                    "Service": one["name"], "Address": one["address"], "Port": one["port"]}})

            def do_PUT(self):
                test.reloads += 1
                self.answer(500 if test.reloads <= test.refusals else 200, {})

            def answer(self, status, value):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(value).encode())

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Agent)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.port = self.server.server_port

    def register(self, services, written=(), running=True):
        machine = mock.Mock(written=written)
        machine.container.return_value = {"running": running}
        with mock.patch.object(place, "consul_knows", lambda s: probe.consul_knows(s, self.port)), \
                mock.patch.object(place, "consul_reload", lambda: probe.consul_reload(self.port)):
            return place.register(machine, machine, {"path": "/f", "services": services})

    def test_an_agent_is_told_what_it_does_not_know(self):
        self.assertEqual(self.register([self.SERVICE]), "known")
        self.assertEqual(self.reloads, 0)
        self.assertEqual(self.register([self.SERVICE], written=["/f"]), "told")
        self.assertEqual(self.register([dict(self.SERVICE, port=1)]), "told")
        self.assertEqual(self.register([dict(self.SERVICE, port=1)], running=False), "known")
        self.assertEqual(self.reloads, 2)

    def test_an_agent_that_does_not_answer_yet_is_told_later(self):
        self.refusals = 2
        self.assertEqual(self.register([self.SERVICE], written=["/f"]), "owed")
        with mock.patch.object(wait, "consul_reload", lambda: probe.consul_reload(self.port)):
            pending = wait.Reload()
            self.assertFalse(pending.done())
            self.assertTrue(pending.done())
            self.assertFalse(pending.failure)

    def test_one_that_never_answers_is_a_failure(self):
        self.refusals = 1000
        with mock.patch.object(wait, "consul_reload", lambda: probe.consul_reload(self.port)), \
                mock.patch.object(wait, "RELOAD_SECONDS", 0):
            pending = wait.Reload()
            self.assertTrue(pending.done())
            self.assertIn("has not read the services", pending.failure)


class Health(unittest.TestCase):
    def test_a_machine_made_anew_under_another_name_is_alive(self):
        members = [{"Addr": "10.0.0.1", "Status": 1}, {"Addr": "10.0.0.1", "Status": 4}]
        answers = {"/v1/status/leader": "10.0.0.1:8300", "/v1/agent/members": members}
        with mock.patch.object(health, "consul", answers.get):
            health.check_consul({"masters": ["10.0.0.1"]})
            with self.assertRaisesRegex(health.Wrong, "10.0.0.2"):
                health.check_consul({"masters": ["10.0.0.1", "10.0.0.2"]})

    def test_what_a_load_balancer_does_not_serve_is_not_asked(self):
        checks = health.checks_of("balancers", {"entry_ports": {"marathon": 8443}})
        self.assertEqual(set(checks), {"consul", "agents", "marathon"})
        self.assertEqual(set(health.checks_of("masters", {})), set(health.CHECKS["masters"]))

    def test_credentials_are_asked_for_only_where_there_are_some(self):
        answer = mock.Mock(status=200)
        answer.json.return_value = {"master/elected": 1, "master/slaves_active": 2}
        ask = {"masters": ["10.0.0.1"], "ports": {"mesos": 5050}, "agents": 2,
               "credentials": {"mesos": ["admin", "secret"]}}
        with mock.patch.object(health, "Http", lambda *_, **__: answer):
            with self.assertRaisesRegex(health.Wrong, "answers without credentials"):
                health.check_mesos(ask)
            ask["credentials"]["mesos"][0] = ""
            health.check_mesos(ask)
            health.check_agents(ask)
            with self.assertRaisesRegex(health.Wrong, "2 of 3 agents"):
                health.check_agents(dict(ask, agents=3))


if __name__ == "__main__":
    unittest.main()
