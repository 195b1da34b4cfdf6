"""Health steps that fail, through HTTP: the deployment says which node, which step and why, and does
not repeat what repeating cannot mend. Mesos, Marathon and Chronos are stand-ins."""
import pathlib
import shutil
import tempfile
import unittest

from harness import ROOT, Daemon, Lab, Untouched, inside, inventory, machine, wait_for

FLAGSHIP = (ROOT / "templates" / "mesos-cluster.yaml").read_text()
PASSWORDS = {f"{name}_password": f"canary-{name}-0123" for name in ("mesos", "marathon", "chronos")}

# A node whose start waits for a file on its machine, and that hands out an attribute afterwards: what
# refers to the attribute begins when the test says so.
GATE_TYPES = """tosca_definitions_version: tosca_simple_yaml_1_3
imports: [ tutti ]
node_types:
  test.nodes.Gate:
    derived_from: tosca.nodes.SoftwareComponent
    attributes:
      opened: { type: string }
    interfaces:
      Standard:
        operations:
          start: { implementation: tosca/gate.yml }
  test.nodes.GatedMaster:
    derived_from: tutti.nodes.mesos.Master
    interfaces:
      Standard:
        operations:
          start: { inputs: { gate: { type: string } } }
"""
GATE_PLAYBOOK = """- hosts: targets
  gather_facts: false
  tasks:
    - name: The gate opens
      ansible.builtin.wait_for: { path: /run/gate, timeout: 600 }
    - ansible.builtin.set_stats: { per_host: true, data: { opened: "yes" } }
"""


def edited(text, *changes):
    """The text with each (old, new) replaced; every old must be there once."""
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


class HealthStep(Lab):
    def started(self, **options):
        daemon = Daemon(**options)
        self.addCleanup(daemon.close)
        self.untouched = Untouched(daemon)
        return daemon.start()

    def delete(self, daemon, uuid):
        daemon.delete(uuid)
        self.assertEqual(inventory(uuid), {"containers": [], "volumes": [], "networks": []})
        self.untouched.check()

    def failed(self, daemon, uuid, seconds):
        """statusReason of a deployment that fails, after a look for secrets in all that is shown."""
        shown = daemon.wait_status(uuid, "CREATE_FAILED", seconds)
        for path in ("", "/log", "/progress", "/resources"):
            body = daemon.request("GET", f"/deployments/{uuid}{path}").text
            for canary in PASSWORDS.values():
                self.assertNotIn(canary, body, path)
        return shown["statusReason"]

    def test_a_wrong_password_fails_at_once_with_its_reason(self):
        template = edited(FLAGSHIP, (
            "      requirements:\n        - host: lb_server\n        - masters: mesos_master\n",
            "      interfaces:\n        Standard:\n          operations:\n            start:\n"
            "              inputs: { marathon_password: not-the-password }\n"
            "      requirements:\n        - host: lb_server\n        - masters: mesos_master\n"))
        daemon = self.started()
        uuid = daemon.create(template, {**PASSWORDS, "master_count": 1, "agent_count": 1,
                                        "load_balancer_count": 1})
        reason = self.failed(daemon, uuid, 400)
        self.assertIn("node cluster, step Standard.start", reason)
        self.assertRegex(reason, "Marathon .* refuses the user admin with the password given here")
        failures = daemon.request("GET", f"/deployments/{uuid}/progress").json()["failures"]
        self.assertEqual([(f["node"], f["attempt"]) for f in failures], [("cluster", 1)])
        states = {r["toscaNodeName"]: r["state"] for r in
                  daemon.request("GET", f"/deployments/{uuid}/resources?size=100").json()["content"]}
        self.assertEqual(states["cluster"], "ERROR")
        self.assertEqual(states["mesos_master"], "STARTED")
        self.delete(daemon, uuid)

    def test_two_masters_down_fail_the_ensemble_with_its_reason(self):
        share = self.folder()
        shutil.copytree(ROOT / "deploy" / "playbooks", share / "playbooks")
        (share / "playbooks" / "tosca" / "gate.yml").write_text(GATE_PLAYBOOK)
        (share / "roles").symlink_to(ROOT / "deploy" / "roles")
        (share / "gate_types.yaml").write_text(GATE_TYPES)
        daemon = self.started(share_dir=share,
                              settings=f"imports:\n  gate: {share / 'gate_types.yaml'}\n")
        template = edited(
            FLAGSHIP, ("  - tutti\n", "  - tutti\n  - gate\n"),
            ("type: tutti.nodes.mesos.Master\n", "type: test.nodes.GatedMaster\n"),
            ("            virtual_address: { get_attribute: [ virtual_address, ip_address ] }\n",
             "            virtual_address: { get_attribute: [ virtual_address, ip_address ] }\n"
             "          operations:\n            start:\n              inputs:\n"
             "                gate: { get_attribute: [ gate, opened ] }\n"
             "                health_deadline_seconds: 5\n"),
            ("    master_server:\n      type: tosca.nodes.Compute\n",
             "    gate:\n      type: test.nodes.Gate\n      requirements:\n        - host: lb_server\n"
             "    master_server:\n      type: tosca.nodes.Compute\n"))
        uuid = daemon.create(template, {**PASSWORDS, "agent_count": 0, "load_balancer_count": 1})
        wait_for("the masters are configured",
                 lambda: self.state(daemon, uuid, "mesos_master") == {"CREATED"}, 400)
        for ordinal in (1, 2):
            inside(machine(uuid, "master_server", ordinal), "docker", "stop", "-t", "2",
                   "zookeeper", "mesos-master")
        inside(machine(uuid, "lb_server"), "touch", "/run/gate")
        reason = self.failed(daemon, uuid, 300)
        self.assertIn("node mesos_master, step Standard.start", reason)
        self.assertIn("2 of 3 masters are down, which leaves no quorum", reason)
        self.assertEqual(self.state(daemon, uuid, "mesos_master"), {"ERROR"})
        self.delete(daemon, uuid)

    @staticmethod
    def state(daemon, uuid, node):
        resources = daemon.request("GET", f"/deployments/{uuid}/resources?size=100").json()["content"]
        return {r["state"] for r in resources if r["toscaNodeName"] == node}

    def folder(self):
        made = tempfile.TemporaryDirectory(prefix="tutti-share-")
        self.addCleanup(made.cleanup)
        return pathlib.Path(made.name)


if __name__ == "__main__":
    unittest.main()
