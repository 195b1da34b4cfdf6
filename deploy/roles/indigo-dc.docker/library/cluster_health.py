#!/usr/bin/python
"""Whether the cluster as a whole is right, asked from one of its machines; the wait for an ensemble.

Used by the playbooks that follow the start of all members. Everything is asked at once and again
until all of it is right or the deadline passed; a refusal of the credentials ends it early, since
waiting cures no wrong password. The failure names each thing that is wrong. It changes nothing.
"""

import base64
import concurrent.futures
import json
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.cluster_probe import Http, holds_address, zookeeper_mode

DOCUMENTATION = r"""
module: cluster_health
short_description: waits until the ensemble, or what the load balancers show of it, is right
options:
  payload:
    type: str
    required: true
    description: >-
      base64 of JSON, hidden from every log. masters (addresses), credentials {mesos, marathon,
      chronos: [user, password]} (no user where nobody is asked for one), ports {zookeeper, mesos,
      marathon, chronos}, consul_services, entry (address of the load balancer or empty),
      entry_ports (of what it serves), virtual_address, agents
  scope: {choices: [masters, balancers], required: true}
  deadline_seconds: {type: int, default: 120}
"""


class Wrong(Exception):
    """Not right (yet); hopeless says that waiting does not help."""

    def __init__(self, text, hopeless=False):
        super().__init__(text)
        self.hopeless = hopeless


def listed(pairs):
    return ", ".join("%s %s" % pair for pair in sorted(pairs))


def zookeeper_modes(ask):
    """{master: mode or reason}"""
    def mode(address):
        try:
            return zookeeper_mode(address, ask["ports"]["zookeeper"]) or "without quorum"
        except OSError as error:
            return "gives no answer (%s)" % error

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return dict(zip(ask["masters"], pool.map(mode, ask["masters"])))


def check_zookeeper(ask):
    modes = zookeeper_modes(ask)
    count = len(modes)
    leaders = [m for m in modes.values() if m in ("leader", "standalone")]
    followers = [m for m in modes.values() if m == "follower"]
    if len(leaders) == 1 and len(followers) == count - 1:
        return
    silent = [a for a, mode in modes.items() if mode.startswith("gives no answer")]
    text = "ZooKeeper has %d leader(s) and %d follower(s) where 1 and %d belong: %s" % (
        len(leaders), len(followers), count - 1, listed(modes.items()))
    if silent and len(silent) > (count - 1) // 2:
        text += "; %d of %d masters are down, which leaves no quorum" % (len(silent), count)
    raise Wrong(text)


def consul(path):
    answer = Http("127.0.0.1", 8500, path)
    if answer.status != 200:
        raise Wrong("the Consul agent of this machine answers %s to %s" % (
            answer.status or answer.text, path))
    return answer.json()


def check_consul(ask):
    if not consul("/v1/status/leader"):
        raise Wrong("Consul has no leader")
    # A machine that was made anew is there twice for some hours, if its name is another.
    alive = {m["Addr"] for m in consul("/v1/agent/members") if m["Status"] == 1}
    absent = [a for a in ask["masters"] if a not in alive]
    if absent:
        raise Wrong("Consul does not count these masters as alive: %s" % ", ".join(absent))


def check_services(ask):
    for name in ask["consul_services"]:
        found = consul("/v1/health/service/%s?passing" % name)
        addresses = {entry["Service"]["Address"] for entry in found}
        absent = [a for a in ask["masters"] if a not in addresses]
        if absent:
            raise Wrong("Consul has no passing service %s at %s" % (name, ", ".join(absent)))


def check_mesos(ask):
    user, password = ask["credentials"]["mesos"]

    def role(address):
        answer = Http(address, ask["ports"]["mesos"], "/metrics/snapshot", user, password)
        if answer.status == 401:
            raise Wrong("the Mesos master at %s refuses the user %s with the password given here "
                        "(401): it runs with another password" % (address, user), True)
        if answer.status != 200:
            return "gives no answer (%s)" % (answer.status or answer.text)
        if user and Http(address, ask["ports"]["mesos"], "/metrics/snapshot").status == 200:
            raise Wrong("the Mesos master at %s answers without credentials" % address, True)
        return "leads" if answer.json().get("master/elected") == 1 else "stands by"

    roles = gather(role, ask["masters"])
    if list(roles.values()).count("leads") != 1:
        raise Wrong("not exactly one Mesos master leads: %s" % listed(roles.items()))
    silent = [a for a, what in roles.items() if what.startswith("gives")]
    if silent:
        raise Wrong("not all Mesos masters answer: %s" % listed(roles.items()))


def gather(question, addresses):
    """{address: answer}, asked at once; the first Wrong is raised."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return dict(zip(addresses, pool.map(question, addresses)))


def asks_for_credentials(what, address, port, user, password, tls=False):
    """401 without credentials and 200 with them, or Wrong."""
    closed = Http(address, port, "/ping", tls=tls)
    place = "%s at %s:%s" % (what, address, port)
    if 200 <= closed.status < 300:
        raise Wrong("%s answers without credentials: its authentication is off" % place, True)
    answer = Http(address, port, "/ping", user, password, tls=tls)
    if answer.status == 401:
        raise Wrong("%s refuses the user %s with the password given here (401): it runs with "
                    "another password" % (place, user), True)
    if answer.status != 200:
        raise Wrong("%s gives no answer: %s" % (
            place, answer.status if answer.status else answer.text))
    if closed.status != 401:
        raise Wrong("%s answers %d without credentials where 401 belongs" % (place, closed.status))


def framework(name):
    def check(ask):
        user, password = ask["credentials"][name]
        gather(lambda address: asks_for_credentials(
            name.capitalize(), address, ask["ports"][name], user, password), ask["masters"])
    return check


def check_entry_framework(name):
    def check(ask):
        user, password = ask["credentials"][name]
        asks_for_credentials(name.capitalize() + " behind the load balancer", ask["entry"],
                             ask["entry_ports"][name], user, password, tls=True)
    return check


def check_entry_mesos(ask):
    """Port 5050 of the load balancer is the leading master."""
    user, password = ask["credentials"]["mesos"]
    answer = Http(ask["entry"], ask["entry_ports"]["mesos"], "/metrics/snapshot", user, password,
                  tls=True)
    place = "Mesos behind the load balancer at %s:%s" % (ask["entry"], ask["entry_ports"]["mesos"])
    if answer.status == 401:
        raise Wrong("%s refuses the user %s with the password given here (401)" % (place, user),
                    True)
    if answer.status != 200:
        raise Wrong("%s gives no answer: %s" % (place, answer.status or answer.text))
    if answer.json().get("master/elected") != 1:
        raise Wrong("%s is not the leading master" % place)


def check_agents(ask):
    """The leading master counts the agents, whether the load balancer shows it or not."""
    user, password = ask["credentials"]["mesos"]

    def active(address):
        answer = Http(address, ask["ports"]["mesos"], "/metrics/snapshot", user, password)
        metrics = answer.json() if answer.status == 200 else {}
        return metrics.get("master/slaves_active", 0) if metrics.get("master/elected") == 1 else 0

    wanted, seen = int(ask["agents"]), max(gather(active, ask["masters"]).values())
    if seen < wanted:
        raise Wrong("%d of %d agents have registered" % (seen, wanted))


CHECKS = {
    "masters": {
        "zookeeper": check_zookeeper, "consul": check_consul, "mesos": check_mesos,
        "marathon": framework("marathon"), "chronos": framework("chronos"),
        "services": check_services,
    },
    "balancers": {
        "consul": check_consul, "mesos": check_entry_mesos, "agents": check_agents,
        "marathon": check_entry_framework("marathon"), "chronos": check_entry_framework("chronos"),
    },
}


def checks_of(scope, ask):
    """All of the scope, but for those behind a load balancer which does not serve them."""
    off = set()
    if scope == "balancers":
        off = {"mesos", "marathon", "chronos"} - set(ask["entry_ports"])
    return {name: check for name, check in CHECKS[scope].items() if name not in off}


def round_of(checks, ask):
    """{name: Wrong} of this moment."""
    wrong = {}

    def run(name):
        try:
            checks[name](ask)
        except Wrong as reason:
            wrong[name] = reason
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            wrong[name] = Wrong("%s answers with something else than expected (%s)" % (name, error))

    with concurrent.futures.ThreadPoolExecutor(len(checks)) as pool:
        list(pool.map(run, checks))
    return wrong


def main():
    module = AnsibleModule(
        argument_spec={
            "payload": {"type": "str", "required": True, "no_log": True},
            "scope": {"choices": ["masters", "balancers"], "required": True},
            "deadline_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    ask = json.loads(base64.b64decode(module.params["payload"]))
    every = checks_of(module.params["scope"], ask)
    started, pause, hopeless_rounds = time.monotonic(), 0.2, 0
    wrong = dict.fromkeys(every)
    while hopeless_rounds < 2:
        # Ask again only what was wrong; when nothing is any more, all of it once more together.
        asked = {name: check for name, check in every.items() if not wrong or name in wrong}
        wrong = round_of(asked, ask)
        if not wrong and asked == every:
            break
        hopeless_rounds = hopeless_rounds + 1 if any(w.hopeless for w in wrong.values()) else 0
        if time.monotonic() - started >= module.params["deadline_seconds"]:
            wrong = round_of(every, ask)
            break
        if wrong:
            time.sleep(pause)
            pause = min(pause * 1.3, 1.0)
    seconds = round(time.monotonic() - started, 1)
    if not wrong:
        module.exit_json(changed=False, seconds=seconds,
                         holds_virtual_address=holds_address(ask.get("virtual_address", "")))
    # hopeless: for whoever would repeat the play.
    module.fail_json(wrong=sorted(wrong), seconds=seconds, hopeless=hopeless_rounds >= 2,
                     msg="the cluster is not healthy after %s s: %s" % (
                         seconds, "; ".join(str(wrong[n]) for n in sorted(wrong))))


if __name__ == "__main__":
    main()
