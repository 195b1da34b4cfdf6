"""What each stand-in does without ZooKeeper: at start, and when it goes."""
import json
import signal
import unittest

import support
from support import SESSION_S, eventually


class LossTest(unittest.TestCase):
    def setUp(self):
        support.need_kazoo()
        self.scratch = support.Scratch()
        self.addCleanup(self.scratch.close)
        self.server = self.scratch.zookeeper()

    def master(self, name, **more):
        return self.scratch.service("mesos-master", name, {
            "MESOS_ZK": f"zk://{self.server.address}/mesos", "MESOS_QUORUM": "1",
            "MESOS_WORK_DIR": self.scratch.subdirectory(name), "MESOS_IP": "{ip}",
            "MESOS_HOSTNAME": "{ip}", "MESOS_PORT": "{port}",
            "MESOS_ZK_SESSION_TIMEOUT": f"{SESSION_S}secs", **more})

    def marathon(self, name, **more):
        return self.scratch.service("marathon", name, {
            "MARATHON_MASTER": f"zk://{self.server.address}/mesos",
            "MARATHON_ZK": f"zk://{self.server.address}/marathon",
            "MARATHON_HOSTNAME": "{ip}", "MARATHON_HTTP_ADDRESS": "{ip}",
            "MARATHON_HTTP_PORT": "{port}",
            "MARATHON_ZK_SESSION_TIMEOUT": str(SESSION_S * 1000), **more})

    def chronos(self, name):
        return self.scratch.service("chronos", name, {
            "CHRONOS_MASTER": f"zk://{self.server.address}/mesos",
            "CHRONOS_ZK_HOSTS": f"zk://{self.server.address}/ignored",
            "CHRONOS_HOSTNAME": "{ip}", "CHRONOS_HTTP_ADDRESS": "{ip}",
            "CHRONOS_HTTP_PORT": "{port}", "CHRONOS_ZK_TIMEOUT": str(SESSION_S * 1000)})

    def elected(self, masters):
        answers = [(m, m.ask("/metrics/snapshot")) for m in masters]
        return [m for m, a in answers if a and a.json()["master/elected"] == 1]

    def test_loss_ends_the_leader_and_not_the_follower(self):
        masters = [self.master("first").start(), self.master("second").start()]
        marathon, chronos = self.marathon("marathon").start(), self.chronos("chronos").start()
        eventually("all serve", lambda: self.elected(masters)
                   and all(m.status("/redirect") == 307 for m in masters)
                   and marathon.status("/ping") == 200 and chronos.status("/ping") == 200)
        leader = self.elected(masters)[0]
        follower = next(m for m in masters if m is not leader)
        self.server.stop()
        self.assertEqual(leader.process.wait(), 1)
        self.assertEqual(marathon.process.wait(), 101)
        self.assertEqual(chronos.process.wait(), 1)
        eventually("the follower knows no leader", lambda: follower.status("/slaves") == 503)
        self.assertEqual(follower.ask("/redirect").body, "No leader elected")
        self.assertEqual(follower.status("/health"), 200)
        self.server.start()
        eventually("the follower leads", lambda: follower.status("/slaves") == 200)

    def test_start_without_zookeeper(self):
        self.server.stop()
        master, chronos = self.master("master").start(), self.chronos("chronos").start()
        marathon = self.marathon("marathon", MARATHON_ZK_CONNECTION_TIMEOUT="500").start()
        self.assertEqual(marathon.process.wait(), 100)
        eventually("the master lives", lambda: master.status("/health") == 200)
        self.assertEqual(master.status("/slaves"), 503)
        self.assertEqual(master.status("/redirect"), 503)
        self.assertIsNone(chronos.status("/ping"))
        self.server.start()
        eventually("the master leads", lambda: master.status("/slaves") == 200)
        eventually("Chronos serves", lambda: chronos.status("/ping") == 200)

    def test_term_without_zookeeper_ends_at_once(self):
        self.server.stop()
        started = [self.master("master").start(), self.chronos("chronos").start(),
                   self.marathon("marathon", MARATHON_ZK_CONNECTION_TIMEOUT="120000").start()]
        eventually("the master lives", lambda: started[0].status("/health") == 200)
        eventually("all handle signals",
                   lambda: all("stand-in" in s.process.output() for s in started))
        for service in started:
            service.process.send(signal.SIGTERM)
            self.assertEqual(service.process.wait(), 143)

    def test_term_in_the_middle_of_a_start(self):
        self.server.stop()
        for round in range(12):
            service = (self.master, self.chronos, self.marathon)[round % 3](f"early{round}").start()
            eventually("it handles signals", lambda: "stand-in" in service.process.output())
            service.process.send(signal.SIGTERM)
            self.assertEqual(service.process.wait(), 143)

    def test_a_leader_without_a_quorum_of_masters_ends(self):
        lonely = self.master("lonely", MESOS_QUORUM="2", MESOS_REGISTRY_FETCH_TIMEOUT="1secs")
        lonely.start()
        self.assertEqual(lonely.process.wait(), 1)
        self.assertIn("Recovery failed: 1 of a quorum of 2", lonely.process.output())

    def test_two_marathons_of_one_name_cannot_both_be(self):
        first = self.marathon("first").start()
        eventually("the first leads", lambda: first.status("/ping") == 200)
        second = self.marathon("second", MARATHON_HOSTNAME=first.ip,
                               MARATHON_HTTP_PORT=str(first.port)).start()
        # Whoever looks first leaves; the other has then nobody beside it, and may stay.
        ended = eventually("one of them ended", lambda: [
            s for s in (first, second) if not s.process.alive()])
        self.assertEqual({s.process.wait() for s in ended}, {104})

    def test_a_killed_marathon_may_return_when_its_session_is_over(self):
        marathon = self.marathon("marathon").start()
        eventually("it leads", lambda: marathon.status("/ping") == 200)
        marathon.process.end()
        eventually("it leads again", lambda: (marathon.process.alive() or marathon.start())
                   and marathon.status("/ping") == 200)

    def test_the_latch_has_curators_names(self):
        marathon = self.marathon("marathon").start()
        eventually("it leads", lambda: marathon.status("/ping") == 200)
        kazoo = support.kazoo_client(self.server.address)
        self.addCleanup(kazoo.stop)
        name, = kazoo.get_children("/marathon/leader-curator")
        self.assertRegex(name, r"^_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-latch-\d{10}$")
        self.assertEqual(kazoo.get("/marathon/leader-curator/" + name)[0].decode(),
                         f"{marathon.ip}:{marathon.port}")

    def test_frameworks_must_not_share_a_driver_port(self):
        self.master("master").start()
        ip = support.random_address()
        port = {"LIBPROCESS_IP": ip, "LIBPROCESS_PORT": str(support.free_port(ip))}
        marathon = self.marathon("marathon", **port).start()
        eventually("it registered", lambda: "Registered with" in marathon.process.output())
        other = self.marathon("other", MARATHON_ZK=f"zk://{self.server.address}/other", **port)
        self.assertEqual(other.start().process.wait(), 109)

    def test_an_agent_waits_for_zookeeper(self):
        self.server.stop()
        agent = self.scratch.service("mesos-agent", "agent", {
            "MESOS_MASTER": f"zk://{self.server.address}/mesos",
            "MESOS_WORK_DIR": self.scratch.subdirectory("agent"), "MESOS_IP": "{ip}",
            "MESOS_PORT": "{port}", "MESOS_HOSTNAME": "{ip}", "MESOS_LAUNCHER": "posix",
            "MESOS_ZK_SESSION_TIMEOUT": f"{SESSION_S}secs"}).start()
        eventually("it lives", lambda: agent.status("/health") == 200)
        self.server.start()
        master = self.master("master").start()
        eventually("it is registered", lambda: master.status("/slaves") == 200 and
                   len(master.ask("/slaves").json()["slaves"]) == 1)

    def test_zookeeper_credentials_guard_the_nodes(self):
        url = f"zk://user:canary-zk-0d0d@{self.server.address}/guarded"
        master = self.master("master", MESOS_ZK=url).start()
        eventually("it leads", lambda: master.status("/slaves") == 200)
        self.assertEqual(master.ask("/flags").json()["flags"]["zk"],
                         f"zk://****@{self.server.address}/guarded")
        self.assertNotIn("canary", master.process.output())
        stranger = support.kazoo_client(self.server.address)
        self.addCleanup(stranger.stop)
        node = next(n for n in stranger.get_children("/guarded") if n.startswith("json.info_"))
        self.assertIn("pid", json.loads(stranger.get("/guarded/" + node)[0]))
        with self.assertRaises(Exception) as caught:
            stranger.set("/guarded/" + node, b"{}")
        self.assertEqual(type(caught.exception).__name__, "NoAuthError")


if __name__ == "__main__":
    unittest.main()
