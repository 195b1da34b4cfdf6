"""How the programs read their options, and what they refuse."""
import os
import subprocess
import tempfile
import unittest

import support
from standin import flags
from standin.process import Refused

MASTER = {"MESOS_WORK_DIR": "/tmp/x", "MESOS_ZK": "zk://a:1/mesos", "MESOS_QUORUM": "1"}


def mesos(component, argv=(), **environ):
    return flags.MesosFlags(component, list(argv), environ).values


def marathon(argv=(), **environ):
    arguments = flags.scallop_arguments("MARATHON_", environ, skip=("MARATHON_APP_",)) + list(argv)
    return flags.ScallopFlags("marathon", arguments, environ, 112).values


class MesosFlagsTest(unittest.TestCase):
    def refused(self, component, argv=(), **environ):
        with self.assertRaises(Refused) as caught:
            mesos(component, argv, **environ)
        self.assertEqual(caught.exception.status, 1)
        return str(caught.exception)

    def test_types_and_defaults(self):
        values = mesos("mesos-master", MESOS_OFFER_TIMEOUT="30secs", MESOS_QUORUM="2",
                       MESOS_AUTHENTICATE_AGENTS="true", MESOS_HOSTNAME_LOOKUP="false")
        self.assertEqual(values["offer_timeout"], 30)
        self.assertEqual(values["quorum"], 2)
        self.assertIs(values["authenticate_agents"], True)
        self.assertIs(values["hostname_lookup"], False)
        self.assertEqual(values["agent_ping_timeout"], 15)
        self.assertEqual(values["agent_reregister_timeout"], 600)
        self.assertEqual(values["port"], 5050)
        self.assertEqual(mesos("mesos-agent")["port"], 5051)

    def test_the_command_line_wins(self):
        self.assertEqual(mesos("mesos-master", ["--registry=in_memory"],
                               MESOS_REGISTRY="replicated_log")["registry"], "in_memory")

    def test_booleans(self):
        self.assertIs(mesos("mesos-master", ["--quiet"])["quiet"], True)
        self.assertIs(mesos("mesos-master", ["--no-hostname_lookup"])["hostname_lookup"], False)
        self.assertIs(mesos("mesos-master", MESOS_QUIET="")["quiet"], True)
        self.assertIn("quiet", self.refused("mesos-master", MESOS_QUIET="yes"))

    def test_unknown_names(self):
        self.assertIn("MESOS_ZK", self.refused("mesos-agent", MESOS_ZK="zk://a:1/mesos"))
        self.assertIn("MESOS_MASTER", self.refused("mesos-master", MESOS_MASTER="zk://a:1/m"))
        self.assertIn("Failed to load unknown flag 'quorom'",
                      self.refused("mesos-master", ["--quorom=2"]))
        self.assertIn("LIBPROCESS_PROT", self.refused("mesos-master", LIBPROCESS_PROT="1"))
        self.assertEqual(mesos("mesos-master", PATH="/bin", MESOSPHERE_X="1")["port"], 5050)

    def test_aliases(self):
        self.assertIs(mesos("mesos-master", MESOS_AUTHENTICATE_SLAVES="true")
                      ["authenticate_agents"], True)
        self.refused("mesos-master", MESOS_AUTHENTICATE_SLAVES="true",
                     MESOS_AUTHENTICATE_AGENTS="true")

    def test_illegal_values(self):
        for variable, text in (
                ("MESOS_OFFER_TIMEOUT", "30"), ("MESOS_OFFER_TIMEOUT", "30 secs"),
                ("MESOS_AGENT_REREGISTER_TIMEOUT", "9mins"), ("MESOS_AGENT_PING_TIMEOUT", "16mins"),
                ("MESOS_PORT", "65536"), ("MESOS_PORT", "x"), ("MESOS_QUORUM", "0"),
                ("MESOS_REGISTRY", "disk"), ("MESOS_REGISTRY_STRICT", "true"),
                ("MESOS_RECOVERY_AGENT_REMOVAL_LIMIT", "50"), ("MESOS_ACLS", "{"),
                ("MESOS_AUTHENTICATORS", "a,b"), ("MESOS_LOGGING_LEVEL", "DEBUG")):
            self.assertIn(variable[6:].lower(), self.refused("mesos-master", **{variable: text}))
        for variable, text in (
                ("MESOS_CONTAINERIZERS", "docker,rkt"), ("MESOS_LAUNCHER", "systemd"),
                ("MESOS_RECONFIGURATION_POLICY", "any"), ("MESOS_GC_DISK_HEADROOM", "1.5"),
                ("MESOS_FETCHER_CACHE_SIZE", "2G")):
            self.assertIn(variable[6:].lower(), self.refused("mesos-agent", **{variable: text}))

    def test_values_from_files(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("zk://user:canary@a:1/mesos\n")
            file.flush()
            given = flags.MesosFlags("mesos-master", [], {"MESOS_ZK": "file://" + file.name})
        self.assertEqual(given.values["zk"], "zk://user:canary@a:1/mesos")
        self.assertNotIn("canary", str(given.display()))
        self.assertIn("cannot read", self.refused("mesos-master", MESOS_ZK="file:///no/such"))

    def test_messages_hold_no_secrets(self):
        self.assertNotIn("canary", self.refused("mesos-master", ["canary"]))
        self.assertNotIn("canary", self.refused("mesos-agent", MESOS_DOCKER_CONFIG="{canary"))

    def test_every_default_is_legal(self):
        for component in ("mesos-master", "mesos-agent", "marathon", "chronos"):
            table, _ = flags.table(component)
            for name, flag in table.items():
                if flag["type"] in ("toggle", "presence") or "default" not in flag:
                    continue
                text = flag["default"]
                flags.convert(flag, str(text).lower() if isinstance(text, bool) else str(text))


class MarathonFlagsTest(unittest.TestCase):
    def refused(self, argv=(), **environ):
        with self.assertRaises(Refused) as caught:
            marathon(argv, **environ)
        self.assertEqual(caught.exception.status, 112)
        return str(caught.exception)

    def test_environment_becomes_options(self):
        values = marathon(MARATHON_HTTP_PORT="9000", MARATHON_DISABLE_HTTP="",
                          MARATHON_DISABLE_HA="", MARATHON_APP_ID="/x",
                          MARATHON_ENABLE_FEATURES="external_volumes,gpu_resources")
        self.assertEqual(values["http_port"], 9000)
        self.assertIs(values["disable_http"], True)
        self.assertIs(values["ha"], False)
        self.assertEqual(values["https_port"], 8443)

    def test_refusals(self):
        self.assertIn("Unknown option 'htpp_port'", self.refused(MARATHON_HTPP_PORT="1"))
        self.refused(MARATHON_HA="true")            # the value is an excess argument
        self.refused(MARATHON_MASTER="")            # an option without its value
        self.refused(["--http_port", "1"], MARATHON_HTTP_PORT="1")
        self.refused(MARATHON_DISABLE_HA="", MARATHON_HA="")
        self.refused(MARATHON_HTTP_PORT="many")
        self.refused(MARATHON_KILLSPERBATCH="1")    # lower-cased: the environment cannot name it
        self.refused(MARATHON_TASK_LOST_EXPUNGE_GC="1")
        self.refused(MARATHON_ENABLE_FEATURES="maintenance_mode")
        self.refused(MARATHON_DEFAULT_ACCEPTED_RESOURCE_ROLES="*")
        self.assertNotIn("canary", self.refused(MARATHON_HA="canary"))

    def test_the_command_line(self):
        self.assertEqual(marathon(["--http_port=9000", "--killsPerBatch", "7"])["killsPerBatch"], 7)


class ProgramTest(unittest.TestCase):
    """The programs' refusals as exit statuses; none of them gets as far as ZooKeeper."""

    def end_of(self, program, *argv, **environ):
        done = subprocess.run([f"{support.STANDINS}/bin/{program}", *argv],
                              env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1",
                                   **environ},
                              capture_output=True, text=True, timeout=support.DEADLINE_S)
        return done.returncode, done.stdout + done.stderr

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.agent = {"MESOS_MASTER": "zk://a:1/mesos", "MESOS_WORK_DIR": self.directory.name,
                      "MESOS_CONTAINERIZERS": "mesos", "MESOS_IP": "127.0.0.1"}

    def file(self, text, name="file"):
        path = os.path.join(self.directory.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_version(self):
        for program in ("mesos-master", "mesos-agent", "mesos-slave", "marathon", "chronos"):
            status, text = self.end_of(program, "--version")
            self.assertEqual(status, 0)
            self.assertIn("stand-in", text)

    def test_master_needs(self):
        for missing in ("MESOS_WORK_DIR", "MESOS_QUORUM"):
            environ = {k: v for k, v in MASTER.items() if k != missing}
            status, text = self.end_of("mesos-master", **environ)
            self.assertEqual(status, 1)
            self.assertIn("needed for replicated log based registry", text)
        for bad in ("a:1/mesos", "zk://a/mesos", "zk://a:1", "zk://a:1,b/mesos", "zk://u@a:1/m"):
            status, text = self.end_of("mesos-master", **dict(MASTER, MESOS_ZK=bad))
            self.assertEqual(status, 1, bad)
            self.assertIn("bad ZooKeeper address", text)

    def test_master_credentials(self):
        status, text = self.end_of("mesos-master", **MASTER,
                                   MESOS_AUTHENTICATE_HTTP_READONLY="true")
        self.assertEqual(status, 1)
        self.assertIn("No credentials provided", text)
        for content in ("", "admin canary\n", "[]", '{"credentials":[{"secret":"canary"}]}'):
            status, text = self.end_of("mesos-master", **MASTER,
                                       MESOS_CREDENTIALS=self.file(content))
            self.assertEqual(status, 1, content)
            self.assertNotIn("canary", text)
        self.assertEqual(self.end_of("mesos-master", **MASTER,
                                     MESOS_CREDENTIALS="/no/such")[0], 1)

    def test_agent_needs(self):
        for missing in ("MESOS_MASTER", "MESOS_WORK_DIR"):
            environ = {k: v for k, v in self.agent.items() if k != missing}
            self.assertEqual(self.end_of("mesos-agent", **environ)[0], 1)
        status, text = self.end_of("mesos-agent", **self.agent, MESOS_ISOLATION="posix/cpu,nope")
        self.assertEqual(status, 1)
        self.assertIn("Unknown or unsupported isolator: nope", text)

    def test_agent_on_a_host_with_cgroups_v2(self):
        self.file("cpu memory", "cgroup.controllers")
        host = dict(self.agent, MESOS_CGROUPS_HIERARCHY=self.directory.name)
        status, text = self.end_of("mesos-agent", **host, MESOS_LAUNCHER="linux")
        self.assertEqual(status, 1)
        self.assertIn("cgroups v1", text)
        status, text = self.end_of("mesos-agent", **host, MESOS_LAUNCHER="posix",
                                   MESOS_ISOLATION="posix/cpu,cgroups/mem")
        self.assertEqual(status, 1)
        self.assertIn("cgroups/mem", text)

    def test_agent_without_docker(self):
        status, text = self.end_of("mesos-agent", **dict(
            self.agent, MESOS_CONTAINERIZERS="docker,mesos", MESOS_DOCKER_SOCKET="/no/such"))
        self.assertEqual(status, 1)
        self.assertIn("Failed to create docker", text)

    def test_marathon_statuses(self):
        self.assertEqual(self.end_of("marathon")[0], 112)
        self.assertEqual(self.end_of("marathon", MARATHON_MASTER="zk://a:1/m",
                                     MARATHON_ZK="zk://a:1")[0], 112)
        status, text = self.end_of("marathon", MARATHON_MASTER="zk://a:1/m",
                                   MARATHON_SSL_KEYSTORE_PATH=self.file("not a keystore"),
                                   MARATHON_SSL_KEYSTORE_PASSWORD="canary")
        self.assertEqual(status, 107)
        self.assertNotIn("canary", text)

    def test_chronos_statuses(self):
        master = {"CHRONOS_MASTER": "zk://a:1/mesos"}
        for environ in ({"CHRONOS_NOPE": "1"}, {"CHRONOS_ENABLE_FEATURES": "gpu_resources"},
                        {"CHRONOS_ZK_HOSTS": "a,b"}, {"CHRONOS_USER": "two words"},
                        {"CHRONOS_DISABLE_HTTP": "true"}):
            self.assertEqual(self.end_of("chronos", **master, **environ)[0], 1, environ)


if __name__ == "__main__":
    unittest.main()
