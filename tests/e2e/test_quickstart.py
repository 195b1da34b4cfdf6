"""deploy/quickstart as its users call it: the first call leaves a running cluster, a second one changes
nothing, and --down removes all that it made and nothing else, also after a kill -9 of the daemon.

Its folder and port are of its own, so it runs beside somebody's quickstart; images are not built
again. The cluster is small: what a whole one does is test_flagship's."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import IN_CI, ROOT, TUTTI, Lab, docker, free_port, http, inventory, run, wait_for

SMALL = "-i master_count=1 -i agent_count=0 -i load_balancer_count=1"


def images():
    return sorted(docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}",
                         "--filter", "reference=tutti/*").split())


def free(port):
    with socket.create_server(("127.0.0.1", port)):
        return True


def started(deployment):
    """{container: (id, when it was started)} of a deployment."""
    names = inventory(deployment)["containers"]
    return {name: docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", name) for name in names}


class Quickstart(Lab):
    def setUp(self):
        above = self.above = pathlib.Path(tempfile.mkdtemp(prefix="tutti-quickstart-"))
        self.dir = above / "data"
        self.port = free_port()
        # Reached by a link, as user root with neither a home nor /usr/sbin in its path.
        (above / "tutti").symlink_to(ROOT)
        self.script = above / "tutti" / "deploy" / "quickstart"
        self.environment = {**os.environ, "PATH": "/usr/local/bin:/usr/bin:/bin", "TUTTI_PORT": str(self.port),
                            "TUTTI_QUICKSTART_DIR": str(self.dir), "TUTTI_QUICKSTART_DEPLOY": SMALL}
        self.environment.pop("HOME", None)
        self.addCleanup(self.clean_up)

    def clean_up(self):
        self.quickstart("--down")  # when this fails, the folder stays: it alone knows what is left
        shutil.rmtree(self.above)

    def quickstart(self, *arguments, check=True, **environment):
        return run(self.script, *arguments, check=check, timeout=900, env={**self.environment, **environment})

    def cli(self, *arguments):
        return run(TUTTI, *arguments, "--server", f"http://127.0.0.1:{self.port}").stdout

    def recorded(self, name):
        return (self.dir / name).read_text().strip()

    def foreign_objects(self):
        """A network, a volume and an image that are not quickstart's, whatever their names say."""
        name = f"tutti-foreign-{os.getpid()}"
        docker("network", "create", name)
        self.addCleanup(docker, "network", "rm", name, check=False)
        docker("volume", "create", name)
        self.addCleanup(docker, "volume", "rm", name, check=False)
        docker("tag", "tutti/base:bookworm", f"tutti/foreign:{os.getpid()}")
        self.addCleanup(docker, "image", "rm", f"tutti/foreign:{os.getpid()}", check=False)
        return name

    def test_up_again_and_down(self):
        foreign = self.foreign_objects()
        before, images_before = inventory(), images()

        first = self.quickstart().stdout
        self.assertIn("CREATE_COMPLETE", first)
        self.assertRegex(first, r"marathon_endpoint: https://[0-9.]+:8443")
        self.assertIn("STAND-INS", first)
        cluster, daemon = self.recorded("deployment"), self.recorded("tutti.pid")
        machines = started(cluster)
        self.assertEqual(len(machines), 2)
        address = re.search(r"marathon_endpoint: (\S+)", first).group(1)
        self.assertEqual(http("GET", address + "/ping").status, 401)

        second = self.quickstart().stdout
        self.assertIn("CREATE_COMPLETE", second)
        self.assertEqual((self.recorded("deployment"), self.recorded("tutti.pid")), (cluster, daemon))
        self.assertEqual(started(cluster), machines)
        self.assertEqual(self.cli("list").split()[0::3], [cluster])

        # A deployment of somebody who uses the daemon, and the daemon is killed in the middle of it.
        self.cli("deploy", ROOT / "templates" / "zookeeper.yaml", "--detach")
        other = (set(self.cli("list").split()[0::3]) - {cluster}).pop()
        owner = docker("inspect", "-f", '{{index .Config.Labels "tutti.owner"}}', *list(machines)[:1])
        wait_for("its network exists", lambda: inventory(other)["networks"], 60)
        os.kill(int(daemon), signal.SIGKILL)
        wait_for("it has ended", lambda: free(self.port), 30)

        with socket.create_server(("127.0.0.1", self.port)):
            refused = self.quickstart("--down", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"Nothing in {self.dir} was removed", refused.stderr)
        self.assertEqual(started(cluster), machines)

        # As if quickstart had built it: an image of the record goes, and no other.
        docker("tag", "tutti/base:bookworm", f"tutti/recorded:{os.getpid()}")
        with open(self.dir / "images", "a") as record:
            record.write(f"tutti/recorded:{os.getpid()}\n")

        # Something that the daemon does not know, but that carries its name: the data stays with it.
        left = f"tutti-left-{os.getpid()}"
        docker("volume", "create", "--label", f"tutti.owner={owner}", left)
        self.addCleanup(docker, "volume", "rm", left, check=False)
        refused = self.quickstart("--down", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"volume {left}", refused.stderr)
        self.assertEqual(self.of_owner(owner), [left])
        self.assertTrue(self.dir.exists())
        docker("volume", "rm", left)

        # The port comes from the folder, not from who calls.
        down = self.quickstart("--down", TUTTI_PORT="")
        self.assertIn("are gone", down.stdout)
        self.assertFalse(self.dir.exists())
        self.assertEqual(self.of_owner(owner), [])
        self.assertEqual(images(), images_before)
        docker("network", "inspect", foreign)
        docker("volume", "inspect", foreign)
        if IN_CI:  # elsewhere others may use the engine at the same time
            self.assertEqual(inventory(), before)
        self.assertNotEqual(subprocess.run(["pgrep", "-f", str(self.dir)], stdout=subprocess.DEVNULL).returncode, 0)
        self.assertIn("nothing to remove", self.quickstart("--down").stdout)

    @staticmethod
    def of_owner(owner):
        label = ["--filter", f"label=tutti.owner={owner}", "-q"]
        return [name for kind in (("ps", "-a"), ("volume", "ls"), ("network", "ls"))
                for name in docker(*kind, *label).split()]

    def test_a_folder_of_others_is_left_alone(self):
        self.dir.mkdir()
        (self.dir / "mine").write_text("precious")
        refused = self.quickstart(check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("holds other files", refused.stderr)
        self.quickstart("--down")
        self.assertEqual((self.dir / "mine").read_text(), "precious")


if __name__ == "__main__":
    unittest.main()
