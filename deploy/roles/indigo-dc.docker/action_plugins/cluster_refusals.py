"""Refuses a play before anything starts, when its passwords are missing, known or impossible, or when
it asks for something that these roles do not do.

It also warns of variables of the original roles that have no effect here, and of a Docker network
in a public range, which it does accept.

Used once a play by indigo-dc.docker, on which every role depends. It looks at the variables of the
host and at the parameters that the play gives to its roles (`{ role: ..., marathon_password: ...}`
is visible to that role alone, which would be too late). It reaches no machine. No value is shown.
"""

import ipaddress

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

DOCUMENTATION = r"""
name: cluster_refusals
short_description: refuses passwords and settings that cannot be taken, before anything starts
options: {}
"""

KNOWN = {"changeit", "admin"}
PASSWORDS = ("mesos_password", "marathon_password", "chronos_password", "mesos_agent_secret",
             "mesos_framework_secret", "mesos_monitor_password", "keystore_password",
             "marathon_jks_password", "chronos_jks_password", "keepalived_password")
PAIRS = ("marathon_lb_auth_creds",)  # user:password
NAMES = ("mesos_username", "marathon_username", "chronos_username")
# These have no sensible default, and nobody could know a generated one of somebody else's template.
REQUIRED = {"indigo-dc.marathon": "marathon_password", "indigo-dc.chronos": "chronos_password"}
# How the roles' own defaults read: made at random, or out of a value that is looked at itself.
MADE = "lookup('cluster_secret'"
DERIVED = {
    "marathon_jks_password": "{{ keystore_password }}",
    "chronos_jks_password": "{{ keystore_password }}",
    "marathon_lb_auth_creds": "{{ marathon_password | default('') }}",
}

# Variables of the original roles that cannot be honoured: what would be missed is refused, what is
# done in another way is warned of.
NOT_DONE = {
    "mesos_enable_dvdi_mod": "set it to false: external volumes by the dvdi module are not supported",
    "mesos_install_rexray": "set it to false: REX-Ray is not installed by these roles; install it on "
                            "the agents yourself",
}
NO_EFFECT = {
    "docker_compose_version": "docker-compose is not installed; containers are made without it",
    "zookeeper_version": "name the image with zookeeper_image",
    "marathon_keystore_path": "the keystore is made per cluster, from the cluster's own CA",
    "marathon_key_password": "the keystore has one password, marathon_jks_password",
    "marathon_pkcs_password": "the keystore has one password, marathon_jks_password",
    "chronos_keystore_path": "the keystore is made per cluster, from the cluster's own CA",
    "chronos_key_password": "the keystore has one password, chronos_jks_password",
    "chronos_pkcs_password": "the keystore has one password, chronos_jks_password",
}
REXRAY = ("mesos_rexray_os_", "REX-Ray is not installed by these roles")


def objection(name, value):
    """Why the value cannot be taken, or nothing."""
    if not isinstance(value, (str, int)) or str(value) == "":
        return "%s is empty" % name
    text = str(value)
    if name in PAIRS:
        user, colon, password = text.partition(":")
        if not user or not colon:
            return "%s is not user:password" % name
        return objection("the password in " + name, password)
    if name in NAMES:
        return "%s contains a colon" % name if ":" in text else ""
    if text.lower() in KNOWN:
        return "%s is a published default" % name
    if ":" in text:
        return "%s contains a colon, which Basic authentication splits at" % name
    if text != text.strip() or not text.isprintable():
        return "%s has spaces around it or characters that cannot be printed" % name
    return ""


def not_done(name, value):
    """Why the setting cannot be taken, or nothing."""
    wanted = str(value).strip().lower() not in ("", "false", "no", "off", "0", "none")
    return "%s: %s" % (name, NOT_DONE[name]) if wanted else ""


def without_effect(names):
    """A warning for each of the variables that nobody reads."""
    found = ["%s has no effect: %s" % (name, NO_EFFECT[name])
             for name in sorted(names) if name in NO_EFFECT]
    if any(name.startswith(REXRAY[0]) for name in names):
        found.append("%s... has no effect: %s" % REXRAY)
    return found


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        given, roles = dict(task_vars), set()
        for role in self.play_roles():
            roles.add(role.get_name())
            given.update(role._role_params)
        problems = self.problems(given, roles)
        if problems:
            result.update(failed=True, hopeless=True, msg="refused before anything was started: %s. "
                          "Set other values in the inventory, the play or a vars file."
                          % "; ".join(problems))
            return result
        if given.get("mesos_install_mode") == "master":
            self.tell_generated(given, task_vars)
        result["changed"] = False
        result["warnings"] = without_effect(given)
        bridge = self._templar.template("{{ docker_bridge_ip_cidr }}")
        if not ipaddress.ip_interface(bridge).network.is_private:
            result["warnings"].append(
                "docker_bridge_ip_cidr %s is no private range (RFC 1918): hosts of the Internet that "
                "have such addresses cannot be reached from these machines" % bridge)
        return result

    def problems(self, given, roles):
        found = []
        for name in PASSWORDS + PAIRS + NAMES:
            if name in given and DERIVED.get(name, MADE) not in str(given[name]):
                found.append(objection(name, self._templar.template(given[name])))
        found += [not_done(name, self._templar.template(given[name]))
                  for name in NOT_DONE if name in given]
        found += ["%s is missing" % REQUIRED[role] for role in sorted(roles)
                  if role in REQUIRED and REQUIRED[role] not in given]
        if "indigo-dc.marathon-lb" in roles and self.setting(given, "service_discovery") != "consul":
            found.append("service_discovery must be consul: the load balancers find the masters by it")
        return [problem for problem in found if problem]

    def setting(self, given, name):
        return self._templar.template(given.get(name, ""))

    def play_roles(self):
        play = self._task._parent
        while play is not None and not getattr(play, "_play", None):
            play = getattr(play, "_parent", None)
        return play._play.get_roles() if play is not None else []

    def tell_generated(self, given, task_vars):
        if MADE not in str(given.get("mesos_password", "")):
            return
        batch = task_vars.get("ansible_play_batch") or [task_vars["inventory_hostname"]]
        if task_vars["inventory_hostname"] == batch[0]:
            self._templar.template(given["mesos_password"])
            path = self._templar.template("{{ lookup('cluster_secret', '@mesos_password') }}")
            Display().display("mesos_password was not given; the generated one is in %s" % path)
