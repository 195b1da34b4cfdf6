"""The parts of the roles that decide without a machine: ids, clocks, addresses, refusals, secrets,
certificates, turns, and what is asked of a cluster's health. Run by `run`, by the interpreter that
Ansible runs in."""
import http.server
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

from ansible.errors import AnsibleError

ROLE = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "roles" / "indigo-dc.docker"


def load(path):
    spec = importlib.util.spec_from_file_location(path.replace("/", "_")[:-3], ROLE / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Where Ansible puts it on the machines.
probe = sys.modules["ansible.module_utils.cluster_probe"] = load("module_utils/cluster_probe.py")
cluster = load("filter_plugins/cluster.py")
refusals = load("action_plugins/cluster_refusals.py")
secret = load("lookup_plugins/cluster_secret.py")
certificate = load("lookup_plugins/cluster_certificate.py")
service = load("action_plugins/cluster_service.py")
engine = load("library/docker_engine.py")
health = load("library/cluster_health.py")
place = load("library/cluster_place.py")
wait = load("library/cluster_wait.py")


class Ids(unittest.TestCase):
    def test_position_on_the_first_run(self):
        self.assertEqual(cluster.zookeeper_ids(["a", "b", "c"], {}), {"a": 1, "b": 2, "c": 3})

    def test_known_ids_stay_when_the_list_is_another(self):
        ids = cluster.zookeeper_ids(["new", "c", "a"], {"a": "1", "c": "3"})
        self.assertEqual(ids, {"a": 1, "c": 3, "new": 2})

    def test_known_ids_are_not_given_to_others(self):
        ids = cluster.zookeeper_ids(["x", "a", "y"], {"a": "1"})
        self.assertEqual(len(set(ids.values())), 3)
        self.assertEqual(ids["a"], 1)

    def test_shared_and_impossible_ids_are_refused(self):
        for known in ({"a": 2, "b": 2}, {"a": 256}):
            with self.assertRaises(AnsibleError):
                cluster.zookeeper_ids(["a", "b"], known)

    def test_ordinals(self):
        hosts = {"m-0": {"private_address": "10.0.0.9", "tutti_ordinal": 0},
                 "m-2": {"private_address": "10.0.0.7", "tutti_ordinal": 2}}
        self.assertEqual(cluster.ids_by_ordinal(["10.0.0.9", "10.0.0.7"], hosts, hosts), [1, 3])
        self.assertEqual(cluster.ids_by_ordinal(["10.0.0.1"], hosts, hosts), [])

    def test_quorum_is_more_than_half(self):
        self.assertEqual([cluster.mesos_quorum(range(n)) for n in (1, 2, 3, 4, 5)], [1, 2, 2, 3, 3])


class Addresses(unittest.TestCase):
    def test_order_of_sources(self):
        facts = {"default_ipv4": {"address": "10.0.0.3"}}
        hosts = {
            "a": {"cluster_address": "10.0.0.1", "ansible_host": "192.0.2.1"},
            "b": {"private_address": "10.0.0.2", "ansible_host": "192.0.2.2"},
            "c": {"ansible_facts": facts, "ansible_host": "192.0.2.3"},
            "d": {"ansible_host": "10.0.0.4"},
            "10.0.0.5": {},
            "e": {"ansible_host": "e.example",
                  "docker_engine_seen": {"machine": {"address": "10.0.0.6"}}},
            "f": {},
        }
        self.assertEqual(cluster.cluster_addresses(list(hosts), hosts),
                         ["10.0.0.%d" % n for n in range(1, 7)] + ["f"])

    def test_lists_come_as_text_too(self):
        for text in ("a,b", "a b", "a, b", ["a", "b"]):
            self.assertEqual(cluster.as_list(text), ["a", "b"])


class Clocks(unittest.TestCase):
    def seen(self, offset, asked=100.0, answered=100.4):
        return {"clock": asked + 0.2 + offset, "asked": asked, "answered": answered}

    def test_noise_is_no_difference(self):
        self.assertEqual(cluster.clocks_apart([self.seen(0), self.seen(0.3, 200.0, 200.9)]), 0)

    def test_a_difference_is_seen_from_both_sides(self):
        for offset in (5, -5):
            apart = cluster.clocks_apart([self.seen(0), self.seen(offset)])
            self.assertTrue(4.5 <= apart <= 5, apart)


class Refusals(unittest.TestCase):
    def test_what_is_refused(self):
        for value in ("", "changeit", "Admin", "a:b", " a", "a\n", None):
            self.assertTrue(refusals.objection("mesos_password", value), repr(value))
        self.assertTrue(refusals.objection("mesos_username", "a:b"))
        for value in ("admin:changeit", "admin", "admin:", ":secret", "a:b:c"):
            self.assertTrue(refusals.objection("marathon_lb_auth_creds", value), value)

    def test_what_is_not(self):
        self.assertFalse(refusals.objection("mesos_password", "password"))
        self.assertFalse(refusals.objection("mesos_username", "admin"))
        self.assertFalse(refusals.objection("marathon_lb_auth_creds", "admin:secret"))

    def test_settings_that_nobody_honours(self):
        for name in refusals.NOT_DONE:
            self.assertIn(name, refusals.not_done(name, "true"))
            self.assertFalse(refusals.not_done(name, "False"))
        said = refusals.without_effect({"zookeeper_version": "3.5", "mesos_rexray_os_username": "x",
                                        "zookeeper_image": "z"})
        self.assertEqual(len(said), 2, said)
        self.assertIn("zookeeper_image", said[0])


class Turns(unittest.TestCase):
    def turn(self, host):
        return service.Turn("task", host, ["leader", "second", "third"])

    def test_the_leader_waits_until_the_others_have_finished(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(service.C, "DEFAULT_LOCAL_TMP", folder):
            for host in ("second", "third"):
                self.turn(host).begin()
            ending = [threading.Timer(0.3, self.turn(host).finish) for host in ("second", "third")]
            for timer in ending:
                timer.start()
            self.turn("leader").wait_for_others(20, idle_seconds=0.1)
            for timer in ending:
                timer.join()

    def test_one_that_never_begins_is_named_soon(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(service.C, "DEFAULT_LOCAL_TMP", folder):
            self.turn("second").begin()
            self.turn("second").finish()
            with self.assertRaisesRegex(AnsibleError, "never began on third"):
                self.turn("leader").wait_for_others(20, idle_seconds=0.2)


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


class Secrets(unittest.TestCase):
    def test_made_once_and_closed(self):
        with tempfile.TemporaryDirectory() as folder:
            store = secret.Store(folder + "/s")
            for name in list(secret.MAKERS) + list(secret.AUTHORITY):
                first = store.get(name)
                self.assertEqual(first, store.get(name))
                self.assertNotIn(":", first if name in secret.MAKERS else "")
                self.assertEqual(pathlib.Path(store.path(name)).stat().st_mode & 0o777, 0o600)
            pathlib.Path(store.directory).chmod(0o755)
            with self.assertRaises(AnsibleError):
                store.get("mesos_password")

    def test_certificates_are_good_for_their_names(self):
        authority = secret.make_authority()
        issued = certificate.LookupModule().issue({
            "ca_certificate": authority["cluster_ca_certificate"],
            "ca_key": authority["cluster_ca_key"], "names": ["10.0.0.1", "m1", "", "m1"],
            "keystore": {"alias": "marathon", "password": "pw"}})
        with tempfile.TemporaryDirectory() as folder:
            for name, (content, _mode) in issued["files"].items():
                pathlib.Path(folder, name).write_bytes(content)

            def openssl(*words):
                return subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)

            for check in (("-verify_ip", "10.0.0.1"), ("-verify_hostname", "m1")):
                verified = openssl("verify", "-CAfile", "ca.crt", *check, "host.crt")
                self.assertEqual(verified.returncode, 0, verified.stderr)
            other = openssl("verify", "-CAfile", "ca.crt", "-verify_hostname", "m2", "host.crt")
            self.assertNotEqual(other.returncode, 0)
            opened = openssl("pkcs12", "-in", "keystore.p12", "-passin", "pass:pw", "-nokeys")
            self.assertIn("friendlyName: marathon", opened.stdout)


if __name__ == "__main__":
    unittest.main()
