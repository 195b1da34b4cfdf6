"""What the roles decide on the control machine: ids, clocks, addresses, refusals, turns, secrets,
certificates. Run by `run`, by the interpreter that Ansible runs in."""
import pathlib
import subprocess
import tempfile
import threading
import unittest
from unittest import mock

from ansible.errors import AnsibleError

from plugins import certificate, cluster, refusals, secret, service


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
