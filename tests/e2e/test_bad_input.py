"""Whatever is fed to the API or the command line: a clear refusal with its place, and the same
daemon process afterwards. Needs neither root nor Docker: where its engine should answer is nothing."""
import json
import unittest

from harness import TUTTI, Daemon, run

GOOD = """tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  node_templates:
    web:
      type: tosca.nodes.Compute
"""


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(provider="docker", settings="docker:\n  socket: /nonexistent/docker.sock\n")
        cls.addClassCleanup(cls.daemon.close, delete=False)
        cls.daemon.start()

    def setUp(self):
        self.process = self.daemon.process.pid

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "the daemon went on")
        self.assertEqual(self.daemon.process.pid, self.process)
        self.assertEqual(self.daemon.request("GET", "/").status, 200)
        self.assertEqual(self.daemon.request("GET", "/deployments").json()["content"], [])

    def refused(self, template, rule_part, status=400, **more):
        answer = self.daemon.post(template, **more)
        self.assertEqual(answer.status, status, answer.text[:500])
        body = answer.json()
        self.assertEqual(body["code"], status)
        self.assertTrue(body["message"])
        self.assertTrue(body["diagnostics"], body)
        first = body["diagnostics"][0]
        self.assertGreaterEqual(first["line"], 1)
        self.assertGreaterEqual(first["column"], 1)
        self.assertIn(rule_part, " ".join(d["rule"] for d in body["diagnostics"]))
        return body

    def test_malformed_yaml(self):
        self.refused("a: [1, 2\nb: }", "yaml")

    def test_unknown_type(self):
        body = self.refused(GOOD.replace("nodes.Compute", "nodes.Comptue"), "type")
        self.assertEqual(body["diagnostics"][0]["line"], 5)

    def test_missing_input(self):
        self.refused(GOOD.replace("  node_templates:", "  inputs:\n    name: {type: string}\n  node_templates:"),
                     "input")

    def test_wrong_type_of_input(self):
        text = GOOD.replace("  node_templates:", "  inputs:\n    n: {type: integer}\n  node_templates:")
        self.refused(text, "property.type", parameters={"n": "many"})

    def test_cyclic_requirement(self):
        text = GOOD + ("    a:\n      type: tosca.nodes.SoftwareComponent\n      requirements:\n"
                       "        - host: web\n        - dependency: b\n"
                       "    b:\n      type: tosca.nodes.SoftwareComponent\n      requirements:\n"
                       "        - host: web\n        - dependency: a\n")
        body = self.refused(text, "requirement.cycle")
        self.assertIn("loop", body["message"] + json.dumps(body["diagnostics"]))

    def test_import_that_cannot_be_resolved(self):
        self.refused(GOOD.replace("topology_template", "imports:\n  - x: https://example.org/x.yaml\ntopology_template"),
                     "import")

    def test_ten_megabytes(self):
        answer = self.daemon.post("x: " + "y" * 10_000_000)
        self.assertEqual(answer.status, 413, answer.text[:300])

    def test_template_above_its_limit(self):
        answer = self.daemon.post("x: " + "y" * 5_000_000)
        self.assertIn(answer.status, (400, 413), answer.text[:300])

    def test_deep_nesting(self):
        self.refused("[" * 5000, "yaml")

    def test_alias_bomb(self):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
        self.refused("\n".join(lines), "yaml")

    def test_invalid_json(self):
        answer = self.daemon.request("POST", "/deployments", b'{"template": ',
                                     headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status, 400)
        self.assertTrue(answer.json()["message"])

    def test_wrong_method_and_unknown_id(self):
        self.assertEqual(self.daemon.request("POST", "/info", {}).status, 405)
        answer = self.daemon.request("GET", "/deployments/0190163a-0000-7000-8000-000000000000")
        self.assertEqual(answer.status, 404)
        self.assertIn("doesn't exist", answer.json()["message"])
        self.assertEqual(self.daemon.request("GET", "/nowhere").status, 404)

    def test_command_line_exit_codes(self):
        bad = self.daemon.dir / "bad.yaml"
        bad.write_text(GOOD.replace("nodes.Compute", "nodes.Comptue"))
        refused = run(TUTTI, "validate", bad, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"{bad}:5:", refused.stdout + refused.stderr)
        self.assertEqual(run(TUTTI, "validate", check=False).returncode, 2)
        self.assertEqual(run(TUTTI, "frobnicate", check=False).returncode, 2)
        self.assertEqual(self.daemon.cli("deploy", bad).returncode, 1)
        self.assertEqual(run(TUTTI, "list", "--server", "http://127.0.0.1:1", check=False).returncode, 3)
        good = self.daemon.dir / "good.yaml"
        good.write_text(GOOD)
        self.assertEqual(run(TUTTI, "validate", good, check=False).returncode, 0)

    def test_wrong_configuration_is_refused_with_its_place(self):
        wrong = self.daemon.dir / "wrong.yaml"
        wrong.write_text("http:\n  prot: 1\n")
        answer = run(TUTTI, "serve", "--config", wrong, check=False, timeout=20)
        self.assertEqual(answer.returncode, 1)
        self.assertIn(f"{wrong}:2:3", answer.stderr)
        wrong.write_text("http:\n  address: 0.0.0.0\n")
        answer = run(TUTTI, "serve", "--config", wrong, check=False, timeout=20)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("loopback", answer.stderr)


if __name__ == "__main__":
    unittest.main()
