"""The command line as a person uses it, against a daemon whose provider is the simulated cloud: what
it prints, and how it ends. Needs neither root nor Docker."""
import re
import signal
import subprocess
import unittest

from harness import TUTTI, Daemon, wait_for
from simcloud import OnSimulatedCloud

TEMPLATE = """tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  inputs:
    count: { type: integer, default: 2 }
  node_templates:
    web:
      type: tosca.nodes.Compute
      capabilities:
        scalable: { properties: { count: { get_input: count } } }
        host: { properties: { num_cpus: 500 } }
  outputs:
    addresses: { value: { get_attribute: [ web, private_address ] } }
"""


class CommandLine(OnSimulatedCloud):
    def setUp(self):
        super().setUp()
        self.daemon.start()
        self.template = self.daemon.dir / "web.yaml"
        self.template.write_text(TEMPLATE)

    def ends(self, code, *arguments):
        done = self.daemon.cli(*arguments)
        self.assertEqual(done.returncode, code, f"{arguments}:\n{done.stdout}{done.stderr}")
        return done

    def deployed(self):
        """The id of the one deployment that is there."""
        return wait_for("a deployment", lambda: self.daemon.request(
            "GET", "/deployments").json()["content"], 20)[0]["uuid"]

    def test_deploy_status_log_list_delete(self):
        done = self.ends(0, "deploy", self.template, "-i", "count=3")
        uuid = re.match(r"(\S+)  accepted", done.stdout)[1]
        self.assertIn(f"{uuid}  CREATE_COMPLETE", done.stdout)
        self.assertRegex(done.stdout, r"\n  web +started")
        self.assertEqual(done.stdout.count('"10.'), 3, "three addresses among the outputs")
        self.assertIn("asks for 500 processors and gets 64", done.stderr)
        self.assertIn(uuid, self.ends(0, "list").stdout)
        self.assertIn("CREATE_COMPLETE", self.ends(0, "status", uuid).stdout)
        self.assertIn("CREATE_COMPLETE", self.ends(0, "status", uuid, "--follow").stdout)
        self.ends(0, "log", uuid)
        self.assertIn("deleted", self.ends(0, "delete", uuid).stdout)
        self.assertEqual(self.ends(0, "list").stdout, "")
        self.ends(3, "status", uuid)
        self.assertEqual(self.cloud.audit()["live"], [])

    def test_what_fails_says_where_and_why(self):
        self.cloud.control("fail_boots", count=100)
        done = self.ends(4, "deploy", self.template)
        self.assertIn("CREATE_FAILED", done.stdout)
        self.assertRegex(done.stdout, r"reason: node web, step resource.create \(web-\d\): ")
        self.ends(4, "status", self.deployed())
        self.ends(0, "delete", self.deployed())

    def test_a_time_out_and_an_interrupt_leave_it_running(self):
        self.cloud.control("options", quota={"instance": 0})
        done = self.ends(5, "deploy", self.template, "--timeout", "1")
        self.assertIn("still running after 1 s", done.stderr)
        uuid = self.deployed()
        shown = wait_for("it says what it waits for",
                         lambda: self.daemon.deployment(uuid).get("statusReason"), 20)
        self.assertIn("Waiting: quota: node web, step resource.create", shown)
        command = [str(TUTTI), "status", uuid, "--follow", "--server", self.daemon.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            self.assertTrue(any(line.startswith("  web ") for line in watching.stdout))
            watching.send_signal(signal.SIGINT)
            _, told = watching.communicate(timeout=20)
        self.assertEqual(watching.returncode, 5)
        self.assertIn("detached; it goes on", told)
        self.ends(0, "delete", uuid)

    def test_an_idempotency_key_finds_what_it_made(self):
        first = self.ends(0, "deploy", self.template, "--idempotency-key", "k", "--detach").stdout
        self.assertEqual(self.ends(0, "deploy", self.template, "--idempotency-key", "k").stdout.split()[0],
                         first.split()[0])

    def test_a_second_daemon_on_the_port_ends_with_a_word(self):
        other = Daemon(provider="simulated", settings=self.settings)
        self.addCleanup(other.close, delete=False)
        text = other.config.read_text()
        other.config.write_text(re.sub(r"port: \d+", f"port: {self.daemon.port}", text, count=1))
        done = subprocess.run([str(TUTTI), "serve", "--config", str(other.config)], capture_output=True,
                              text=True, timeout=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"cannot listen on 127.0.0.1 port {self.daemon.port}", done.stderr)


if __name__ == "__main__":
    unittest.main()
