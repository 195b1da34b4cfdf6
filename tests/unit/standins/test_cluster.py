"""The stand-ins as a whole cluster on a real ZooKeeper: 3 masters, 2 agents, 3 Marathons, 3
Chronoses as processes. Each test heals what an earlier one broke, so that order does not matter."""
import json
import os
import signal
import unittest

import support
from cluster import ADMIN, AGENT, CANARIES, HTTP_USER, USER, Cluster
from support import eventually


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        support.need_kazoo()
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.close)

    def setUp(self):
        self.cluster.heal()

    def one_of(self, services, leading):
        """The service that leads (or one that does not), by the latch's smallest node."""
        path, mark = ("/marathon/leader-curator", "-latch-") \
            if services is self.cluster.marathons else ("/chronos/state/candidate", "-latch-")
        leader_id = self.cluster.nodes(path, mark)[0][1]
        return next(s for s in services if (f"{s.ip}:{s.port}" == leader_id) == leading)

    # Masters.

    def test_the_smallest_node_leads(self):
        nodes = self.cluster.nodes("/mesos", "json.info_")
        self.assertEqual(len(nodes), 3)
        info = json.loads(nodes[0][1])
        leader = self.cluster.leader()
        octets = [int(part) for part in leader.ip.split(".")]
        self.assertEqual(info["address"], {"hostname": leader.ip, "ip": leader.ip,
                                           "port": leader.port})
        self.assertEqual(info["ip"], sum(o << 8 * i for i, o in enumerate(octets)))
        self.assertEqual(info["pid"], f"master@{leader.ip}:{leader.port}")
        replicas = {data for _, data in self.cluster.nodes("/mesos/log_replicas", "")}
        self.assertEqual(replicas, {f"log-replica(1)@{m.ip}:{m.port}"
                                    for m in self.cluster.masters})
        metrics = leader.ask("/metrics/snapshot", USER).json()
        self.assertEqual(metrics["registrar/log/recovered"], 1)
        self.assertEqual(metrics["registrar/log/ensemble_size"], 3)
        self.assertEqual(metrics["master/slaves_active"], 2)

    def test_followers_redirect_to_the_leader(self):
        leader = self.cluster.leader()
        base = f"//{leader.ip}:{leader.port}"
        for master in self.cluster.masters:
            self.assertEqual(master.ask("/redirect").headers["Location"], base)
            self.assertEqual(master.status("/redirect/x"), 404)
            if master is leader:
                self.assertEqual(master.status("/slaves", USER), 200)
                self.assertEqual(master.status("/master/slaves", USER), 200)
                continue
            for method, path in (("GET", "/slaves?slave_id=1"), ("GET", "/master/state"),
                                 ("POST", "/api/v1"), ("POST", "/machine/down")):
                answer = master.ask(path, USER, method=method)
                self.assertEqual(answer.status, 307, path)
                self.assertEqual(answer.headers["Location"], base + path)

    def test_masters_ask_for_credentials(self):
        for master in self.cluster.masters:
            for path in ("/slaves", "/state", "/metrics/snapshot", "/flags"):
                answer = master.ask(path)
                self.assertEqual(answer.status, 401)
                self.assertEqual(answer.headers["WWW-Authenticate"],
                                 'Basic realm="mesos-master-readonly"')
            self.assertEqual(master.status("/slaves", f"{ADMIN}:wrong"), 401)
            self.assertEqual(master.status("/slaves", USER + ":x"), 401)
            self.assertEqual(master.ask("/api/v1", method="POST").headers["WWW-Authenticate"],
                             'Basic realm="mesos-master-readwrite"')
            for path in ("/health", "/master/health", "/version"):
                self.assertEqual(master.status(path), 200)
            self.assertIn("stand-in", master.ask("/version").json()["stand_in"])
            self.assertIn("stand-in", master.ask("/health").headers["Server"])

    def test_a_killed_leader_is_followed_by_the_next(self):
        agents = set(self.cluster.active_agents())
        leader = self.cluster.leader()
        heir = json.loads(self.cluster.nodes("/mesos", "json.info_")[1][1])["pid"]
        leader.process.end()
        new = eventually("another leads", self.cluster.leader)
        self.assertEqual(f"master@{new.ip}:{new.port}", heir)
        eventually("the agents came back", lambda: set(self.cluster.active_agents()) == agents)
        eventually("the frameworks came back",
                   lambda: {"marathon", "chronos"} <= self.cluster.frameworks())
        for agent in self.cluster.active_agents().values():
            self.assertIn("reregistered_time", agent)

    def test_a_frozen_leader_ends_when_it_wakes(self):
        leader = self.cluster.leader()
        leader.process.send(signal.SIGSTOP)
        others = [m for m in self.cluster.masters if m is not leader]

        def elected_among_others():
            answers = [m.ask("/metrics/snapshot", USER) for m in others]
            return [a for a in answers if a and a.json()["master/elected"] == 1]

        eventually("another leads", elected_among_others)
        leader.process.send(signal.SIGCONT)
        self.assertEqual(leader.process.wait(), 1)

    def test_term_hands_over_at_once(self):
        leader = self.cluster.leader()
        pid = f"master@{leader.ip}:{leader.port}"
        leader.process.send(signal.SIGTERM)
        self.assertEqual(leader.process.wait(), 143)
        data = [json.loads(text)["pid"] for _, text in self.cluster.nodes("/mesos", "json.info_")]
        self.assertNotIn(pid, data)  # its session was closed, not left to time out

    # Agents.

    def test_an_agent_keeps_its_id_over_restarts(self):
        agent = self.cluster.agents[0]
        before = agent.ask("/state").json()["id"]
        self.assertRegex(before, r"^[0-9a-f-]{36}-S\d+$")
        agent.process.send(signal.SIGTERM)
        self.assertEqual(agent.process.wait(), 143)
        agent.start()
        eventually("it registered", lambda: agent.status("/health") == 200 and
                   agent.ask("/metrics/snapshot").json()["slave/registered"] == 1)
        self.assertEqual(agent.ask("/slave(1)/state").json()["id"], before)
        self.assertIn(before, self.cluster.active_agents())

    def test_a_silent_agent_becomes_unreachable_and_returns(self):
        agent = self.cluster.agents[1]
        agent_id = agent.ask("/state").json()["id"]
        agent.process.send(signal.SIGSTOP)
        eventually("it is unreachable",
                   lambda: self.cluster.from_leader("/state").get("unreachable_slaves") == 1)
        self.assertNotIn(agent_id, {a["id"] for a in self.cluster.from_leader("/slaves")["slaves"]})
        agent.process.send(signal.SIGCONT)
        eventually("it is back", lambda: agent_id in self.cluster.active_agents())

    def test_an_agent_with_a_wrong_secret_ends(self):
        wrong = self.cluster.file("wrong.json", json.dumps({"principal": AGENT, "secret": "no"}))
        agent = self.cluster.agent("agent-wrong", MESOS_CREDENTIAL=wrong).start()
        self.assertEqual(agent.process.wait(), 1)
        self.assertIn("refused authentication", agent.process.output())

    def test_an_agent_without_a_credential_stays_outside(self):
        agent = self.cluster.agent("agent-bare", MESOS_CREDENTIAL="").start()
        self.addCleanup(agent.process.end)
        eventually("it was ignored", lambda: "not authenticated" in agent.process.output())
        self.assertEqual(agent.ask("/metrics/snapshot").json()["slave/registered"], 0)
        self.assertEqual(len(self.cluster.active_agents()), 2)

    def test_agents_have_realms_of_their_own(self):
        agent = self.cluster.agent(
            "agent-http", MESOS_HTTP_CREDENTIALS=self.cluster.credentials,
            MESOS_AUTHENTICATE_HTTP_READONLY="true").start()
        self.addCleanup(self.forget, agent)
        eventually("it serves", lambda: agent.status("/health") == 200)
        self.assertEqual(agent.ask("/state").headers["WWW-Authenticate"],
                         'Basic realm="mesos-agent-readonly"')
        self.assertEqual(agent.status("/state", USER), 200)

    def forget(self, agent):
        """Ends an extra agent, and waits until the cluster has only its own two."""
        agent.process.end()
        eventually("it is gone", lambda: len(self.cluster.active_agents()) == 2)

    # Marathon.

    def test_marathons_answer_through_the_leader(self):
        leader = self.one_of(self.cluster.marathons, True)
        url = f"{leader.ip}:{leader.port}"
        for marathon in self.cluster.marathons:
            for path in ("/ping", "/v2/info", "/v2/leader", "/no-such"):
                answer = marathon.ask(path)
                self.assertEqual(answer.status, 401)
                self.assertEqual(answer.headers["WWW-Authenticate"], 'Basic realm="Mesosphere"')
            answer = marathon.ask("/ping", HTTP_USER)
            self.assertEqual((answer.status, answer.body), (200, "pong"))
            self.assertEqual(answer.headers.get_all("X-Marathon-Leader"), ["http://" + url])
            self.assertEqual(marathon.ask("/v2/leader", HTTP_USER).json(), {"leader": url})
            info = marathon.ask("/v2/info", HTTP_USER).json()
            self.assertEqual((info["elected"], info["leader"]), (True, url))
            self.assertIn("stand-in", info["stand_in"])
            answer = support.ask(marathon.ip, marathon.https_port, "/ping", HTTP_USER,
                                 tls=self.cluster.trust)
            self.assertEqual((answer.status, answer.body), (200, "pong"))

    def test_a_proxying_loop_is_detected(self):
        standby = self.one_of(self.cluster.marathons, False)
        answer = standby.ask("/ping", HTTP_USER, headers={
            "X-Marathon-Via": f"1.1 somebody:8080, 1.1 {standby.ip}:{standby.port}"})
        self.assertEqual((answer.status, answer.body), (502, "Detected proxying loop."))

    def test_a_standby_says_when_the_leader_refuses(self):
        leader = self.one_of(self.cluster.marathons, True)
        standby = self.one_of(self.cluster.marathons, False)
        leader.process.end()
        refused = (502, "Connection to leader refused.")
        answer = standby.ask("/ping", HTTP_USER)
        self.assertIn((answer.status, answer.body), (refused, (200, "pong")))
        eventually("another leads", lambda: standby.status("/ping", HTTP_USER) == 200)

    def test_abdication_ends_the_leader(self):
        leader = self.one_of(self.cluster.marathons, True)
        standby = self.one_of(self.cluster.marathons, False)
        answer = standby.ask("/v2/leader", HTTP_USER, method="DELETE")
        self.assertEqual(answer.json(), {"message": "Leadership abdicated"})
        self.assertEqual(leader.process.wait(), 103)
        eventually("another leads", lambda: standby.status("/ping", HTTP_USER) == 200)
        self.assertIsNot(self.one_of(self.cluster.marathons, True), leader)

    def test_a_new_leader_keeps_the_framework_id(self):
        def ids():
            return {f["id"] for f in self.cluster.from_leader("/frameworks").get("frameworks", [])
                    if f["name"] == "marathon"}

        before = ids()
        self.assertEqual(len(before), 1)
        leader = self.one_of(self.cluster.marathons, True)
        leader.process.send(signal.SIGTERM)
        self.assertEqual(leader.process.wait(), 143)
        new = self.one_of(self.cluster.marathons, True)
        eventually("it registered",
                   lambda: "Registered with Mesos" in new.process.output())
        self.assertEqual(ids(), before)

    def test_a_marathon_that_mesos_refuses_ends(self):
        wrong = self.cluster.file("wrong-secret", "not the secret")
        lonely = self.cluster.marathon(
            "marathon-wrong", MARATHON_ZK=f"zk://{self.cluster.server.address}/marathon-wrong",
            MARATHON_MESOS_AUTHENTICATION_SECRET_FILE=wrong).start()
        self.assertEqual(lonely.process.wait(), 106)

    # Chronos.

    def test_chronoses_answer_through_the_leader(self):
        leader = self.one_of(self.cluster.chronoses, True)
        for chronos in self.cluster.chronoses:
            self.assertEqual(chronos.status("/ping"), 401)
            self.assertEqual(chronos.ask("/ping", HTTP_USER).body, "pong\n")
            self.assertEqual(chronos.ask("/v1/scheduler/jobs", HTTP_USER).json(), [])
            self.assertEqual(chronos.ask("/v1/scheduler/leader", HTTP_USER).json(),
                             {"leader": f"{leader.ip}:{leader.port}"})
            self.assertEqual(chronos.status("/scheduler/jobs", HTTP_USER), 404)
            answer = support.ask(chronos.ip, chronos.https_port, "/ping", HTTP_USER,
                                 tls=self.cluster.trust)
            self.assertEqual((answer.status, answer.body), (200, "pong\n"))

    def test_a_killed_chronos_is_followed_by_the_next(self):
        leader = self.one_of(self.cluster.chronoses, True)
        heir = self.cluster.nodes("/chronos/state/candidate", "-latch-")[1][1]
        leader.process.end()
        standby = next(s for s in self.cluster.chronoses if f"{s.ip}:{s.port}" == heir)
        eventually("the heir leads", lambda: (standby.ask("/v1/scheduler/leader", HTTP_USER)
                                              .body.find(heir) >= 0))

    # All of them.

    def test_no_secret_is_written_anywhere(self):
        texts = [service.process.output() for service in self.cluster.members()]
        for master in self.cluster.masters:
            with open(os.path.join(master.environ["MESOS_LOG_DIR"], "mesos-master.INFO"),
                      encoding="utf-8") as file:
                texts.append(file.read())
            texts.append(master.ask("/flags", USER).body)
        texts.append(self.cluster.marathons[0].ask("/v2/info", HTTP_USER).body)
        texts.append(json.dumps(self.cluster.from_leader("/state")))
        for service in self.cluster.members():
            with open(f"/proc/{service.process.child.pid}/cmdline", encoding="utf-8") as file:
                texts.append(file.read())
        for text in texts:
            for canary in CANARIES:
                self.assertNotIn(canary, text)

    def test_the_first_line_says_stand_in(self):
        for service in self.cluster.members():
            self.assertIn("stand-in", service.process.output().splitlines()[0])


if __name__ == "__main__":
    unittest.main()
