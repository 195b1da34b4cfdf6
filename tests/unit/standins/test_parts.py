"""The parts that need no ZooKeeper: credentials, private channel, HTTP, attributes."""
import base64
import http.client
import json
import os
import socket
import ssl
import unittest

import support
from standin import (agent, credentials, framework, keystore, private, registry, web,
                     zookeeper)
from standin.process import Log, Refused


class Silent(Log):
    def __init__(self):
        super().__init__("test")
        self.lines = []

    def write(self, severity, text):
        self.lines.append(text)


def header(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


class CredentialsTest(unittest.TestCase):
    def test_mesos_wants_exactly_two_parts(self):
        basic = credentials.Basic("realm", {"user": "password", "a": "b:c"})
        self.assertTrue(basic.allows(header("user:password")))
        for text in ("user:wrong", "user", "user:password:", "other:password", "a:b:c", ""):
            self.assertFalse(basic.allows(header(text)), text)
        for value in (None, "", "Basic", "Basic !!!", "Bearer x",
                      "Basic " + base64.b64encode(b"\xff:\xff").decode()):
            self.assertFalse(basic.allows(value))

    def test_jetty_splits_at_the_first_colon(self):
        basic = framework.http_credentials("user:password", {}, "realm", Silent())
        self.assertTrue(basic.allows(header("user:password")))
        # The option is split at the last colon and the request at the first: nobody gets in.
        basic = framework.http_credentials("user:pass:word", {}, "realm", Silent())
        self.assertFalse(basic.allows(header("user:pass:word")))

    def test_credentials_without_a_colon_open_the_doors(self):
        log = Silent()
        self.assertIsNone(framework.http_credentials("canary", {}, "realm", log))
        self.assertIn("AUTHENTICATION IS OFF", log.lines[0])
        self.assertNotIn("canary", log.lines[0])

    def test_credentials_from_the_other_variable(self):
        basic = framework.http_credentials(None, {"MESOSPHERE_HTTP_CREDENTIALS": "u:p"}, "r",
                                           Silent())
        self.assertTrue(basic.allows(header("u:p")))

    def test_an_open_file_is_warned_of(self):
        scratch = support.Scratch()
        self.addCleanup(scratch.close)
        log = Silent()
        path = scratch.file("open.json", '{"principal":"p","secret":"s"}')
        self.assertEqual(credentials.load_credential(path, log), ("p", "s"))
        self.assertEqual(log.lines, [])
        os.chmod(path, 0o644)
        credentials.load_credential(path, log)
        self.assertIn("too open", log.lines[0])


class GateTest(unittest.TestCase):
    def setUp(self):
        self.gate = private.Gate({"agent": "secret"})

    def auth(self, principal="agent", secret="secret", nonce=None):
        nonce = nonce or self.gate.nonce()
        return {"principal": principal, "nonce": nonce,
                "proof": credentials.proof(secret, nonce)}

    def test_only_the_right_proof_passes(self):
        self.assertIsNone(self.gate.check(self.auth(), True))
        self.assertEqual(self.gate.check(self.auth(secret="no"), True), private.REFUSED)
        self.assertEqual(self.gate.check(self.auth(principal="x"), True), private.REFUSED)
        self.assertEqual(self.gate.check(self.auth(nonce="made up"), True), private.REFUSED)
        for odd in ({}, [], "x", {"principal": 1, "nonce": 2, "proof": 3}):
            self.assertEqual(self.gate.check(odd, True), private.REFUSED)

    def test_a_nonce_serves_once(self):
        auth = self.auth()
        self.assertIsNone(self.gate.check(auth, True))
        self.assertEqual(self.gate.check(auth, True), private.REFUSED)

    def test_without_an_offer(self):
        self.assertEqual(self.gate.check(None, True), private.NOT_AUTHENTICATED)
        self.assertIsNone(self.gate.check(None, False))

    def test_a_wrong_offer_is_refused_even_where_none_is_needed(self):
        self.assertEqual(self.gate.check(self.auth(secret="no"), False), private.REFUSED)


class RegistryTest(unittest.TestCase):
    def setUp(self):
        self.registry = registry.Registry("m", {"agent_ping_timeout": 15.0,
                                                "max_agent_ping_timeouts": 2}, Silent())
        self.message = {"id": None, "hostname": "h", "ip": "127.0.0.1", "port": 5051,
                        "attributes": {}, "resources": {"cpus": 2.0}, "version": "1.11.0"}

    def test_ids(self):
        self.assertEqual(self.registry.add_agent(self.message), "m-S0")
        self.assertEqual(self.registry.add_agent(dict(self.message, port=5052)), "m-S1")
        # The first answer was lost: the same agent asks again.
        self.assertEqual(self.registry.add_agent(self.message), "m-S0")
        self.assertEqual(self.registry.add_agent(dict(self.message, id="old-S7")), "old-S7")

    def test_bad_messages(self):
        for key, value in (("ip", "host"), ("ip", 1), ("port", 0), ("port", True),
                           ("attributes", []), ("id", 7), ("id", "x" * 1000)):
            with self.assertRaises(ValueError):
                self.registry.add_agent(dict(self.message, **{key: value}))
        self.assertEqual(self.registry.agents_json(), [])

    def test_missed_pings(self):
        free = support.free_port("127.0.0.1")
        self.registry.add_agent(dict(self.message, port=free))
        agent = self.registry.agents["m-S0"]
        self.registry.ping(agent)
        self.assertIs(self.registry.agents_json()[0]["active"], False)
        self.assertEqual(self.registry.metrics()["master/slaves_inactive"], 1)
        self.registry.ping(agent)
        self.assertEqual(self.registry.agents_json(), [])
        self.assertEqual(self.registry.metrics()["master/slaves_unreachable"], 1)


class Echo:
    def handle(self, request):
        if request.path == "/boom":
            raise RuntimeError("planted")
        return web.json_reply({"method": request.method, "target": request.target,
                               "body": len(request.body)})


class WebTest(unittest.TestCase):
    def setUp(self):
        self.log = Silent()
        self.listener = web.Listener("127.0.0.1", 0, Echo(), "test-stand-in", self.log)
        self.listener.start()
        self.addCleanup(self.listener.server_close)
        self.addCleanup(self.listener.shutdown)
        self.port = self.listener.server_address[1]

    def raw(self, text):
        with socket.create_connection(("127.0.0.1", self.port), support.DEADLINE_S) as client:
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
            return answer

    def test_it_answers_and_says_what_it_is(self):
        answer = support.ask("127.0.0.1", self.port, "/a?b=c")
        self.assertEqual(answer.json(), {"method": "GET", "target": "/a?b=c", "body": 0})
        self.assertIn("stand-in", answer.headers["Server"])

    def test_a_connection_serves_many_requests(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.addCleanup(connection.close)
        for _ in range(3):
            connection.request("POST", "/", body=b"12345")
            self.assertEqual(json.loads(connection.getresponse().read())["body"], 5)

    def test_bad_requests(self):
        self.assertIn(b" 411 ", self.raw(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"))
        self.assertIn(b" 411 ", self.raw(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"))
        self.assertIn(b" 413 ", self.raw(b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n"))
        self.assertIn(b" 400 ", self.raw(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort"))
        self.assertIn(b"400", self.raw(b"nonsense\r\n\r\n"))
        self.assertIn(b"414", self.raw(b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n"))

    def test_a_failing_application_answers_500(self):
        self.assertEqual(support.ask("127.0.0.1", self.port, "/boom").status, 500)
        self.assertEqual(support.ask("127.0.0.1", self.port, "/").status, 200)

    def test_plain_http_to_a_tls_port_harms_nothing(self):
        scratch = support.Scratch()
        self.addCleanup(scratch.close)
        path, trust = scratch.keystore("canary")
        server, _ = keystore.load(path, "canary")
        listener = web.Listener("127.0.0.1", 0, Echo(), "test-stand-in", self.log, server)
        listener.start()
        self.addCleanup(listener.server_close)
        self.addCleanup(listener.shutdown)
        port = listener.server_address[1]
        self.assertIsNone(support.ask("127.0.0.1", port, "/"))
        self.assertEqual(support.ask("127.0.0.1", port, "/", tls=trust).status, 200)


class KeystoreTest(unittest.TestCase):
    def setUp(self):
        self.scratch = support.Scratch()
        self.addCleanup(self.scratch.close)

    def test_a_keystore_becomes_contexts(self):
        path, _ = self.scratch.keystore("canary")
        server, client = keystore.load(path, "canary")
        self.assertIsInstance(server, ssl.SSLContext)
        self.assertEqual(len(client.get_ca_certs()), 1)

    def test_what_cannot_be_read(self):
        path, _ = self.scratch.keystore("right")
        jks = self.scratch.file("store.jks", "\xfe\xed\xfe\xed")
        for name, password in ((path, "canary"), (path, None), (jks, "canary"),
                               ("/no/such", "canary")):
            with self.assertRaises(keystore.KeystoreError) as caught:
                keystore.load(name, password)
            self.assertNotIn("canary", str(caught.exception))


class TextTest(unittest.TestCase):
    def test_attributes(self):
        self.assertEqual(agent.parse_attributes("rack:a:b;size:2.5; zone : z "),
                         {"rack": "a:b", "size": 2.5, "zone": "z"})
        self.assertEqual(agent.parse_attributes(None), {})
        for text in ("rack", ":a", "rack:a;zone"):
            with self.assertRaises(Refused):
                agent.parse_attributes(text)

    def test_resources(self):
        values = {"work_dir": "/", "resources": "cpus:4;mem:1024;ports:[31000-31100]"}
        told = agent.resources(values)
        self.assertEqual((told["cpus"], told["mem"], told["ports"]), (4, 1024, "[31000-31100]"))
        self.assertGreater(told["disk"], 0)
        for text in ("cpus", "cpus:many", "[{}]"):
            with self.assertRaises(Refused):
                agent.resources(dict(values, resources=text))

    def test_zookeeper_addresses(self):
        address = zookeeper.parse_url("zk://u:p@a:1,[::1]:2/x//y/", 1, "zk")
        self.assertEqual((address.hosts, address.path, address.user),
                         ("a:1,[::1]:2", "/x/y", "u:p"))
        for text in ("", "a:1", "zk://", "zk://a/x", "zk://a:0/x", "zk://a:1/", "zk://u@a:1/x"):
            with self.assertRaises(Refused):
                zookeeper.parse_url(text, 1, "zk")

    def test_master_info(self):
        self.assertIsNone(private.master_info(None))
        for text in (b"", b"[]", b"{}", b'{"address":1}'):
            self.assertIsNone(private.master_info(text))


if __name__ == "__main__":
    unittest.main()
