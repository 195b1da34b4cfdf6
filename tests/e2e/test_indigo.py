"""INDIGO's own mesos_cluster.yaml, unmodified: 1 master, 1 load balancer, 2 slaves; a skeleton
deployed beside it meanwhile; and deleted although SSH is dead on every machine."""
import unittest

from harness import ROOT, Daemon, Lab, Untouched, docker, http, inside, inventory, machine, wait_for

INDIGO = ROOT / "tests" / "golden" / "tosca" / "indigo"
PASSWORDS = {"mesos_password": "pw-mesos-1", "marathon_password": "pw-marathon-1",
             "chronos_password": "pw-chronos-1"}
# What keeps a template from being deployed here: a rule, and the name of what is missing.
ELASTIC = ("plan.missing-implementation", "artifacts/ec3/ec3_install.yml")
MISSING = {
    "mesos_elastic_cluster.yaml": [ELASTIC],
    "hybrid_mesos_elastic_cluster.yaml": [("policy.placement", "5cf12da6cb0e8f527dfb3c97"), ELASTIC],
    "mesos_cluster_aws.yaml": [("policy.placement", "SLA_provider-AWS-us-east-1_indigo-dc")],
    "spark_mesos_cluster.yaml": [("plan.missing-implementation", "artifacts/mesos/spark_mesos_setup.yml")],
}


class MesosCluster(Lab):
    def test_deploys_unmodified_beside_another_and_goes_without_ssh(self):
        daemon = Daemon()
        self.addCleanup(daemon.close)
        daemon.start()
        untouched = Untouched(daemon)
        uuid = daemon.create(INDIGO / "mesos_cluster.yaml", PASSWORDS)
        second = daemon.create(ROOT / "templates" / "zookeeper.yaml")
        shown = daemon.wait_status(uuid, "CREATE_COMPLETE", 600)
        daemon.wait_status(second, "CREATE_COMPLETE", 300)
        networks = [docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", n)
                    for u in (uuid, second) for n in inventory(u)["networks"]]
        self.assertEqual(len(set(networks)), 2, networks)

        outputs = shown["outputs"]
        marathon = outputs["marathon_endpoint"] + "/v2/info"
        wait_for("Marathon refuses without a password",
                 lambda: http("GET", marathon).status == 401, 60)
        self.assertEqual(http("GET", marathon, user="admin",
                              password=PASSWORDS["marathon_password"]).status, 200)
        slaves = wait_for("both slaves registered",
                          lambda: self.slaves(outputs["mesos_endpoint"]), 90)
        self.assertEqual(slaves, 2)

        for node, count in (("mesos_master_server", 1), ("mesos_slave_server", 2), ("mesos_lb_server", 1)):
            for ordinal in range(count):
                inside(self.find(uuid, node, ordinal), "systemctl", "stop", "ssh", "ssh.socket", check=False)
        daemon.delete(uuid)
        self.assertEqual(inventory(uuid), {"containers": [], "volumes": [], "networks": []})
        self.assertEqual(daemon.deployment(second)["status"], "CREATE_COMPLETE")
        daemon.delete(second)
        untouched.check()

    @staticmethod
    def find(uuid, node, ordinal):
        try:
            return machine(uuid, node, ordinal)
        except AssertionError:
            return machine(uuid, "mesosserverpublic", ordinal)  # its endpoint.dns_name

    @staticmethod
    def slaves(endpoint):
        answer = http("GET", endpoint + "/slaves", user="admin", password=PASSWORDS["mesos_password"])
        found = answer.json()["slaves"] if answer.status == 200 else []
        return len(found) if len(found) == 2 else None


class Refused(Lab):
    def test_what_cannot_be_deployed_names_what_is_missing(self):
        daemon = Daemon()
        self.addCleanup(daemon.close)
        daemon.start()
        for name, refusals in MISSING.items():
            declared = (INDIGO / name).read_text()
            answer = daemon.post(INDIGO / name, {k: v for k, v in PASSWORDS.items() if k + ":" in declared})
            self.assertEqual(answer.status, 400, f"{name}: {answer.text[:300]}")
            told = answer.errors()
            self.assertEqual([d["rule"] for d in told], [rule for rule, _ in refusals], name)
            for diagnostic, (_, missing) in zip(told, refusals):
                self.assertIn("missing", diagnostic["message"], name)
                self.assertIn(missing, diagnostic["message"], name)
        self.assertEqual(daemon.request("GET", "/deployments").json()["content"], [])


if __name__ == "__main__":
    unittest.main()
