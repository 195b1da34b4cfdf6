"""Refuses a play before anything starts, when its passwords are missing, known or impossible.

It also warns of a Docker network in a public range, which it does accept.

Used once a play by indigo-dc.docker, on which every role depends. It looks at the variables of the
host and at the parameters that the play gives to its roles (`{ role: ..., marathon_password: ...}`
is visible to that role alone, which would be too late). It reaches no machine. No value is shown.
"""

import ipaddress

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

DOCUMENTATION = r"""
name: cluster_refusals
short_description: refuses known, empty or impossible passwords before anything starts
options: {}
"""

KNOWN = {"changeit", "admin"}
PASSWORDS = ("mesos_password", "marathon_password", "chronos_password", "mesos_agent_secret",
             "mesos_framework_secret", "mesos_monitor_password", "keystore_password",
             "keepalived_password", "cluster_vrrp_password")
NAMES = ("mesos_username", "marathon_username", "chronos_username")
# These have no sensible default, and nobody could know a generated one of somebody else's template.
REQUIRED = {"indigo-dc.marathon": "marathon_password", "indigo-dc.chronos": "chronos_password"}


def objection(name, value):
    """Why the value cannot be taken, or nothing."""
    if not isinstance(value, (str, int)) or str(value) == "":
        return "%s is empty" % name
    text = str(value)
    if name in NAMES:
        return "%s contains a colon" % name if ":" in text else ""
    if text.lower() in KNOWN:
        return "%s is a published default" % name
    if ":" in text:
        return "%s contains a colon, which Basic authentication splits at" % name
    if text != text.strip() or not text.isprintable():
        return "%s has spaces around it or characters that cannot be printed" % name
    return ""


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        given, roles = dict(task_vars), set()
        for role in self.play_roles():
            roles.add(role.get_name())
            for name, value in role._role_params.items():
                if name in PASSWORDS + NAMES + ("mesos_install_mode",):
                    given[name] = value
        problems = []
        for name in PASSWORDS + NAMES:
            if name not in given or "lookup('cluster_secret'" in str(given[name]):
                continue
            problem = objection(name, self._templar.template(given[name]))
            if problem:
                problems.append(problem)
        problems += ["%s is missing" % REQUIRED[role] for role in sorted(roles)
                     if role in REQUIRED and REQUIRED[role] not in given]
        if problems:
            result.update(failed=True, hopeless=True, msg="refused before anything was started: %s. Set other "
                          "values in the inventory, the play or a vars file."
                          % "; ".join(problems))
            return result
        if given.get("mesos_install_mode") == "master":
            self.tell_generated(given, task_vars)
        result["changed"] = False
        bridge = self._templar.template("{{ docker_bridge_ip_cidr }}")
        if not ipaddress.ip_interface(bridge).network.is_private:
            result["warnings"] = ["docker_bridge_ip_cidr %s is no private range (RFC 1918): hosts "
                                  "of the Internet that have such addresses cannot be reached from "
                                  "these machines" % bridge]
        return result

    def play_roles(self):
        play = self._task._parent
        while play is not None and not getattr(play, "_play", None):
            play = getattr(play, "_parent", None)
        return play._play.get_roles() if play is not None else []

    def tell_generated(self, given, task_vars):
        if "lookup('cluster_secret'" not in str(given.get("mesos_password", "")):
            return
        batch = task_vars.get("ansible_play_batch") or [task_vars["inventory_hostname"]]
        if task_vars["inventory_hostname"] == batch[0]:
            self._templar.template(given["mesos_password"])
            path = self._templar.template("{{ lookup('cluster_secret', '@mesos_password') }}")
            Display().display("mesos_password was not given; the generated one is in %s" % path)
