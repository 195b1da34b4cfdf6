"""kill -9 of the daemon at every named failpoint against the simulated cloud, whose world outlives
it: nothing is lost, nothing doubled, nothing left. Needs neither root nor Docker."""
import unittest

from harness import wait_for
from simcloud import OnSimulatedCloud

TEMPLATE = """tosca_definitions_version: tosca_simple_yaml_1_3
topology_template:
  node_templates:
    web:
      type: tosca.nodes.Compute
      capabilities:
        scalable: {properties: {count: 3}}
    db:
      type: tosca.nodes.Compute
"""
OBJECTS = 5  # a network and four instances


class Failpoints(OnSimulatedCloud):
    def gone(self, uuid):
        try:
            return self.daemon.deployment(uuid) is None
        except OSError:
            return False

    def completed(self):
        try:
            listed = self.daemon.request("GET", "/deployments").json()["content"]
        except OSError:
            return False
        return bool(listed) and listed[0]["status"] == "CREATE_COMPLETE"

    def assert_never_doubled(self):
        self.assertTrue(all(n <= 1 for n in self.cloud.audit()["most_live"].values()), self.cloud.audit())

    def dies_at(self, failpoint, count, request, done):
        """Sends the request to a daemon that must die at the failpoint's `count`th time, and starts
        it again. Points are counted by steps, so that commits which several share count as many."""
        self.daemon.start(TUTTI_TESTING="1", TUTTI_FAILPOINT=f"{failpoint}:{count}")
        try:
            request()
        except OSError:
            pass  # it may die before the request is answered
        wait_for("it dies or is done", lambda: self.daemon.process.poll() is not None or done(), 90)
        self.assertEqual(self.daemon.process.poll(), -9, "the failpoint was not reached")
        self.daemon.start()

    def killed_then_whole(self, failpoint, count):
        """Dies at the failpoint in create, comes back, completes; then dies in delete, comes back."""
        self.dies_at(failpoint, count, lambda: self.daemon.post(TEMPLATE), self.completed)
        shown, = self.daemon.request("GET", "/deployments").json()["content"]
        uuid = shown["uuid"]
        self.daemon.wait_status(uuid, "CREATE_COMPLETE", 90)
        self.assert_never_doubled()
        self.assertEqual(len(self.cloud.audit()["live"]), OBJECTS)

        self.daemon.kill()
        self.dies_at(failpoint, count, lambda: self.daemon.request("DELETE", f"/deployments/{uuid}"),
                     lambda: self.gone(uuid))
        self.daemon.wait_status(uuid, "404", 90)
        self.assert_never_doubled()
        self.assertEqual(self.cloud.audit()["live"], [])


def add(failpoint, count):
    def test(self):
        self.killed_then_whole(failpoint, count)
    setattr(Failpoints, f"test_{failpoint.replace('-', '_')}_{count}", test)


for name in ("after-intent-commit", "after-request-sent", "after-answer", "before-outcome-commit"):
    for number in (1, 2, 4):
        add(name, number)


if __name__ == "__main__":
    unittest.main()
