"""The highly available Mesos cluster through HTTP, and what it survives.

One cluster serves all tests of the class, in the order of their names; each fault asserts what moved
and what stayed from before to after, and leaves the cluster whole. Mesos, Marathon and Chronos are
stand-ins here (deploy/images/standins); ZooKeeper, Consul, HAProxy and keepalived are real.
"""
import pathlib
import secrets
import unittest

from cluster import LASTING, MOVABLE, Cluster, watch
from harness import ROOT, Daemon, Lab, ProcessWatch, Untouched, docker, http, inside, inventory, wait_for

TEMPLATE = ROOT / "templates" / "mesos-cluster.yaml"


class Flagship(Lab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.close)
        cls.daemon.start()
        cls.untouched = Untouched(cls.daemon)
        cls.passwords = {f"{name}_password": "pw-" + secrets.token_hex(8)
                         for name in ("mesos", "marathon", "chronos")}
        with ProcessWatch(*cls.passwords.values()) as cls.watch:
            cls.uuid = cls.daemon.create(TEMPLATE, cls.passwords)
            cls.daemon.wait_status(cls.uuid, "CREATE_COMPLETE", 600)
        cls.cluster = Cluster(cls.daemon, cls.uuid, cls.passwords)

    def setUp(self):
        self.before = self.cluster.wait_whole()

    def assert_moved(self, *moved, may_move=(), seconds=180):
        """The cluster becomes whole again; all of `moved` is elsewhere than before, and nothing else
        is but for `may_move`."""
        after = self.cluster.wait_whole(seconds)
        for name in MOVABLE + LASTING:
            if name in moved:
                self.assertNotEqual(after[name], self.before[name], f"{name} had to move")
            elif name not in may_move:
                self.assertEqual(after[name], self.before[name], f"{name} had no reason to move")

    # What runs.

    def test_01_everything_runs(self):
        cluster = self.cluster
        self.assertEqual(sorted(cluster.zookeeper_modes().values()), ["follower", "follower", "leader"])
        self.assertEqual(cluster.consul_members(), sorted(cluster.at(cluster.machines)))
        self.assertEqual(cluster.services(), cluster.expected_services())
        self.assertEqual(len(set(cluster.zookeeper_ids().values())), 3)
        self.assertEqual(len(cluster.holders()), 1)

    def test_02_all_masters_name_the_leader_of_the_smallest_znode(self):
        cluster = self.cluster
        leader = self.before["Mesos"]
        script = ("import json\nfrom kazoo.client import KazooClient\n"
                  "z = KazooClient('127.0.0.1:2181'); z.start(timeout=10)\n"
                  "first = min(n for n in z.get_children('/mesos') if n.startswith('json.info_'))\n"
                  "print(json.loads(z.get('/mesos/' + first)[0])['address']['ip']); z.stop()\n")
        named = inside(leader, "docker", "exec", "mesos-master", "python3", "-c", script)
        self.assertEqual(named, cluster.addresses[leader])
        for master in cluster.masters:
            answer = http("GET", f"http://{cluster.addresses[master]}:5050/redirect")
            self.assertEqual((answer.status, answer.headers["Location"]), (307, f"//{named}:5050"), master)

    def test_03_through_the_virtual_address(self):
        cluster = self.cluster
        self.assertEqual(cluster.marathon_through_address(with_password=False), 401)
        self.assertEqual(cluster.marathon_through_address(), 200)
        slaves = cluster.mesos_through_address()
        self.assertEqual(slaves.status, 200)
        self.assertEqual(len(slaves.json()["slaves"]), 2)

    def test_04_no_secret_is_seen(self):
        self.assertGreater(self.watch.looks, 10)
        self.assertEqual(self.watch.found, set(), "in a command line")
        shown = {**self.files(), **self.answers(), **self.refusals(), **self.logs_of_machines()}
        for place, text in shown.items():
            for password in self.passwords.values():
                self.assertNotIn(password.encode(), text, place)

    def files(self):
        """What the daemon keeps, its log among it, and what its runs have left in memory."""
        found = {}
        for path in [*self.daemon.dir.rglob("*"), *pathlib.Path("/dev/shm").glob("tutti-*/**/*")]:
            try:
                found[str(path)] = path.read_bytes() if path.is_file() else b""
            except FileNotFoundError:
                pass  # a run of another daemon has ended
        return found

    def answers(self):
        paths = ("", "/log", "/resources", "/extrainfo", "/progress", "/template")
        return {path: self.daemon.request("GET", f"/deployments/{self.uuid}{path}").body for path in paths}

    def refusals(self):
        """Error bodies of requests that carry the passwords, in right and in wrong places."""
        canary = self.passwords["mesos_password"]
        found = {}
        for rule, wrong in (("policy.odd-members", {"master_count": 2}), ("input.unknown", {"password": canary}),
                            ("property.type", {"marathon_password": [canary]}),
                            ("property.type", {"chronos_password": {"value": canary}})):
            answer = self.daemon.post(TEMPLATE, {**self.passwords, **wrong})
            self.assertEqual(answer.status, 400, answer.text[:300])
            self.assertEqual([d["rule"] for d in answer.errors()], [rule])
            found[f"refusal of {list(wrong)}"] = answer.body
        short = self.daemon.post(TEMPLATE, {**self.passwords, "chronos_password": "canary7"})
        self.assertIn("property.constraint", short.text)
        self.assertNotIn("canary7", short.text)
        return found

    def logs_of_machines(self):
        found = {}
        containers = "for c in $(docker ps -aq); do docker logs $c 2>&1; done"
        for what, command in (("journal", ("journalctl", "--no-pager", "-q")),
                              ("containers' logs", ("sh", "-c", containers))):
            for name, text in zip(self.cluster.machines,
                                  self.cluster.everywhere(self.cluster.machines, *command)):
                self.assertTrue(text, f"{what} of {name} is empty")
                found[f"{what} of {name}"] = text.encode()
        return found

    def test_05_what_runs_is_told(self):
        self.assertIn("stand-ins", self.daemon.deployment(self.uuid)["outputs"]["mesos_stack"])
        warnings = self.daemon.request("GET", f"/deployments/{self.uuid}/progress").json()["warnings"]
        self.assertIn("stand-ins", " ".join(warnings))

    # The machine that leads both ZooKeeper and Mesos.

    def lose_the_leader(self, lose, give_back):
        cluster = self.cluster
        leader = cluster.let_one_lead_both()
        self.before = cluster.wait_whole()
        docker(lose, leader)
        self.addCleanup(docker, give_back, leader, check=False)
        wait_for("another ZooKeeper leads", lambda: cluster.zookeeper_leader() not in (None, leader), 60)
        wait_for("another master leads", lambda: cluster.mesos_leader() not in (None, leader), 90)
        self.assertEqual(cluster.holder(), self.before["address"])
        wait_for("5050 is the new leader", lambda: cluster.mesos_through_address().status == 200, 60)
        wait_for("Marathon answers", lambda: cluster.marathon_through_address() == 200, 90)
        docker(give_back, leader)
        self.assert_moved("Mesos", "ZooKeeper", may_move=("Marathon", "Chronos"))

    def test_10_killed_leader(self):
        self.lose_the_leader("kill", "start")

    def test_11_paused_leader(self):
        self.lose_the_leader("pause", "unpause")

    # The load balancers.

    def lose_the_address(self, lose, give_back, seconds=30):
        """The holder of the virtual address loses it to the other, and does not get it back."""
        cluster, holder = self.cluster, self.before["address"]
        lose(holder)
        self.addCleanup(give_back, holder, check=False)
        wait_for("the other holds the address", lambda: cluster.holders() == [self.other(holder)], seconds)
        wait_for("Marathon answers", lambda: cluster.marathon_through_address() == 200, 30)
        wait_for("Mesos answers", lambda: cluster.mesos_through_address().status == 200, 30)
        give_back(holder)
        self.assert_moved("address")

    def other(self, balancer):
        return next(name for name in self.cluster.balancers if name != balancer)

    def test_12_holder_of_the_address_killed(self):
        self.lose_the_address(lambda name: docker("kill", name),
                              lambda name, **options: docker("start", name, **options))

    def test_13_haproxy_alone_stopped(self):
        self.lose_the_address(lambda name: inside(name, "docker", "stop", "-t", "1", "haproxy"),
                              lambda name, **options: inside(name, "docker", "start", "haproxy", **options))

    def test_14_haproxy_alone_killed(self):
        cluster, holder = self.cluster, self.before["address"]
        # The process itself, which Docker starts again, before or after the address has moved; its
        # own `kill` counts as a stop.
        starts = int(inside(holder, "docker", "inspect", "-f", "{{.RestartCount}}", "haproxy"))
        inside(holder, "sh", "-c", "kill -KILL $(docker inspect -f '{{.State.Pid}}' haproxy)")
        wait_for("it runs again", lambda: inside(
            holder, "docker", "inspect", "-f", "{{.RestartCount}} {{.State.Running}}", "haproxy")
            == f"{starts + 1} true", 60)
        wait_for("Marathon answers", lambda: cluster.marathon_through_address() == 200, 30)
        self.assert_moved(may_move=("address",))

    def test_15_no_live_backend_for_one_load_balancer(self):
        # It does not reach Marathon and Chronos, which the other does.
        rule = ("OUTPUT", "-p", "tcp", "-m", "multiport", "--dports", "8080,4400",
                "!", "-d", "127.0.0.1", "-j", "REJECT", "--reject-with", "tcp-reset")
        self.lose_the_address(lambda name: inside(name, "iptables", "-I", *rule),
                              lambda name, **options: inside(name, "iptables", "-D", *rule, **options), 90)

    def test_16_no_live_backend_at_all(self):
        cluster = self.cluster
        cluster.everywhere(cluster.masters, "docker", "stop", "-t", "2", "marathon")
        self.addCleanup(cluster.everywhere, cluster.masters, "docker", "start", "marathon", check=False)
        wait_for("the load balancer says that nobody serves",
                 lambda: cluster.marathon_through_address() == 503, 30)
        self.assertEqual(cluster.mesos_through_address().status, 200, "Mesos goes on")
        cluster.everywhere(cluster.masters, "docker", "start", "marathon")
        # Where Marathon is away for long, both give the address away, and one takes it up again.
        self.assert_moved(may_move=("Marathon", "address"))

    # Consul, and reboots.

    def test_17_consul_gone_everywhere(self):
        cluster = self.cluster
        cluster.everywhere(cluster.machines, "docker", "stop", "-t", "2", "consul")
        self.addCleanup(cluster.everywhere, cluster.machines, "docker", "start", "consul", check=False)

        def served():
            self.assertEqual(cluster.marathon_through_address(), 200)
            self.assertEqual(cluster.mesos_through_address().status, 200)
            self.assertEqual(cluster.holder(), self.before["address"])

        # HAProxy's holds are an hour; short ones lose the servers after twelve seconds.
        watch(18, served)
        cluster.everywhere(cluster.machines, "docker", "start", "consul")
        self.assert_moved()

    def test_18_machine_rebooted(self):
        leaders = (self.before["Mesos"], self.before["ZooKeeper"])
        name = next(master for master in self.cluster.masters if master not in leaders)
        docker("restart", "-t", "10", name, timeout=120)
        self.assert_moved(may_move=("Marathon", "Chronos"))

    def test_19_all_rebooted(self):
        docker("restart", "-t", "5", *self.cluster.machines, timeout=300)
        self.assert_moved(may_move=MOVABLE, seconds=300)

    def test_90_delete_leaves_what_was_before(self):
        self.daemon.delete(self.uuid, seconds=180)
        self.assertEqual(inventory(self.uuid), {"containers": [], "volumes": [], "networks": []})
        self.untouched.check()


if __name__ == "__main__":
    unittest.main()
