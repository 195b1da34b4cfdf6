"""One Compute with ZooKeeper, from POST to CREATE_COMPLETE to nothing left; and killed on the way."""
import pathlib
import signal
import unittest

from harness import ROOT, Daemon, Lab, Untouched, docker, inside, inventory, machine, wait_for

TEMPLATE = ROOT / "templates" / "zookeeper.yaml"


class Single(Lab):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)
        self.daemon.start()
        self.untouched = Untouched(self.daemon)

    def assert_nothing_left(self, uuid):
        self.assertEqual(inventory(uuid), {"containers": [], "volumes": [], "networks": []})
        self.untouched.check()


class Skeleton(Single):
    def test_zookeeper_runs_and_is_deleted(self):
        uuid = self.daemon.create(TEMPLATE)
        shown = self.daemon.wait_status(uuid, "CREATE_COMPLETE", 180)
        self.assertIn("outputs", shown)
        name = machine(uuid, "server")
        answer = inside(name, "sh", "-c", "printf srvr | nc -w2 127.0.0.1 2181")
        self.assertIn("Mode: standalone", answer)
        resources = self.daemon.request("GET", f"/deployments/{uuid}/resources").json()["content"]
        self.assertEqual({r["state"] for r in resources}, {"STARTED"})
        self.daemon.delete(uuid)
        self.assert_nothing_left(uuid)

    def test_restart_of_the_daemon_keeps_what_is_deployed(self):
        uuid = self.daemon.create(TEMPLATE)
        self.daemon.wait_status(uuid, "CREATE_COMPLETE", 180)
        before = self.daemon.deployment(uuid)
        started = docker("inspect", "-f", "{{.State.StartedAt}}", machine(uuid, "server"))
        self.daemon.kill(signal.SIGKILL)
        self.daemon.start()
        self.assertEqual(self.daemon.deployment(uuid), before)
        self.assertEqual(docker("inspect", "-f", "{{.State.StartedAt}}", machine(uuid, "server")), started)
        self.daemon.delete(uuid)
        self.assert_nothing_left(uuid)


class Killed(Single):
    """kill -9 of the daemon during create, bootstrap and delete, then a restart."""

    def finish(self, uuid):
        self.daemon.start()
        self.daemon.wait_status(uuid, "CREATE_COMPLETE", 240)
        self.assertEqual(len(inventory(uuid)["containers"]), 1)
        self.assertEqual(len(inventory(uuid)["networks"]), 1)
        self.daemon.delete(uuid)
        self.assert_nothing_left(uuid)

    def test_during_create(self):
        uuid = self.daemon.create(TEMPLATE)
        wait_for("a network or volume exists",
                 lambda: inventory(uuid)["networks"] or inventory(uuid)["volumes"], 60, pause=0.01)
        self.daemon.kill()
        self.finish(uuid)

    def test_during_bootstrap(self):
        uuid = self.daemon.create(TEMPLATE)

        runs = wait_for("ansible runs", lambda: ansible_below(self.daemon.process.pid), 120, pause=0.02)
        self.daemon.kill()

        def ended():
            now = processes()
            return not any(pid in now and now[pid][1] == start for pid, start in runs.items())

        wait_for("the run ends with the daemon", ended, 30)
        self.finish(uuid)

    def test_during_delete(self):
        uuid = self.daemon.create(TEMPLATE)
        self.daemon.wait_status(uuid, "CREATE_COMPLETE", 180)
        self.assertEqual(self.daemon.request("DELETE", f"/deployments/{uuid}").status, 204)
        self.daemon.kill()
        self.daemon.start()
        self.daemon.wait_status(uuid, "404", 120)
        self.assert_nothing_left(uuid)

    def test_delete_in_mid_create(self):
        uuid = self.daemon.create(TEMPLATE)
        wait_for("something exists", lambda: inventory(uuid)["networks"], 60, pause=0.01)
        self.daemon.delete(uuid)
        self.assert_nothing_left(uuid)


def processes():
    """{pid: (parent, start time, command line)} of everything that runs now."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if stat[0] != "Z":
            found[int(entry.name)] = (int(stat[1]), stat[19], command)
    return found


def ansible_below(ancestor):
    """{pid: start time} of the ansible-playbook processes that a daemon has started."""
    everything = processes()

    def is_below(pid):
        while pid in everything:
            if pid == ancestor:
                return True
            pid = everything[pid][0]
        return False

    return {pid: start for pid, (_, start, command) in everything.items()
            if "ansible-playbook" in command and is_below(pid)}


if __name__ == "__main__":
    unittest.main()
