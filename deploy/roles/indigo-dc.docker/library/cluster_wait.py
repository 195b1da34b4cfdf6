#!/usr/bin/python
"""Waits on a machine until services of the cluster are alive, or serve.

Used by the action plug-ins cluster_service (a restart in turn) and cluster_answers (all that a play
has started). It polls with a deadline, gives up early when a container keeps dying, and says what
it saw. It changes nothing.
"""

import base64
import http.client
import json
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.cluster_probe import Docker, consul_reload, probe

DOCUMENTATION = r"""
module: cluster_wait
short_description: waits until services are alive or serve
options:
  services:
    type: str
    required: true
    description: >-
      base64 of a JSON list, hidden from every log: container, probe (see cluster_probe), level
      (alive or serving), seconds, leaves_by_exit (whether restarts are its way of life)
  reload_consul:
    type: bool
    default: false
    description: whether the Consul agent has still to read the services announced to it
"""

RESTARTS_ALLOWED = 5
RELOAD_SECONDS = 30


class Waiting:
    def __init__(self, service, docker):
        self.service, self.docker = service, docker
        self.name = service["container"]
        self.end = time.monotonic() + int(service["seconds"])
        self.first = None
        self.failure = ""

    def done(self):
        """True when there is nothing more to wait for; failure then says whether it is good."""
        try:
            return self.look()
        except (OSError, http.client.HTTPException) as error:  # an engine under load
            if time.monotonic() >= self.end:
                self.failure = "the Docker engine does not answer: %s" % error
            return bool(self.failure)

    def look(self):
        seen = probe(self.service["probe"])
        if seen["open"]:
            self.failure = "it answers without credentials: its authentication is off"
            return True
        if seen[self.service["level"]]:
            return True
        container = self.docker.container(self.name)
        if self.first is None:
            self.first = container.get("restarts", 0)
        restarts = container.get("restarts", 0) - self.first
        if not container["exists"]:
            self.failure = "its container is gone"
        elif restarts >= RESTARTS_ALLOWED and not self.service.get("leaves_by_exit"):
            self.failure = "its container stopped %d times, exit code %d; %s" % (
                restarts, container["exit_code"], seen["detail"])
        elif time.monotonic() >= self.end:
            self.failure = "not %s within %s s; %s" % (
                self.service["level"], self.service["seconds"], seen["detail"])
        return bool(self.failure)


class Reload:
    """Until the Consul agent, which may have started a moment ago, has read its files again."""

    name, failure = "consul", ""

    def __init__(self):
        self.end = time.monotonic() + RELOAD_SECONDS

    def done(self):
        if consul_reload():
            return True
        if time.monotonic() >= self.end:
            self.failure = ("its agent has not read the services of this machine within %d s"
                            % RELOAD_SECONDS)
        return bool(self.failure)


def main():
    module = AnsibleModule(
        argument_spec={
            "services": {"type": "str", "required": True, "no_log": True},
            "reload_consul": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    docker = Docker()
    every = [Waiting(service, docker)
             for service in json.loads(base64.b64decode(module.params["services"]))]
    if module.params["reload_consul"]:
        every.append(Reload())
    left, pause = every, 0.1
    while True:
        left = [waiting for waiting in left if not waiting.done()]
        if not left:
            break
        time.sleep(pause)
        pause = min(pause * 1.3, 1.0)
    failed = [waiting for waiting in every if waiting.failure]
    if not failed:
        module.exit_json(changed=False)
    module.fail_json(
        msg="; ".join("%s: %s" % (waiting.name, waiting.failure) for waiting in failed),
        failed_services=[waiting.name for waiting in failed],
        log="\n".join("%s:\n%s" % (waiting.name, docker.log_tail(waiting.name))
                      for waiting in failed),
    )


if __name__ == "__main__":
    main()
