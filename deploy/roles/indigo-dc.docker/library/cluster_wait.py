#!/usr/bin/python
"""Waits on a machine until one service of the cluster is alive, or serves.

Used by the action plug-in cluster_service as its last step. It polls with a deadline, gives up
early when the container keeps dying, and says what it saw. It changes nothing.
"""

import base64
import json
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.cluster_probe import Docker, probe

DOCUMENTATION = r"""
module: cluster_wait
short_description: waits until a service is alive or serves
options:
  container: {type: str, required: true}
  probe: {type: str, required: true, description: base64 of JSON, hidden from every log}
  level: {choices: [alive, serving], default: alive}
  deadline_seconds: {type: int, default: 60}
  restarts_allowed:
    {type: int, default: 5, description: after so many during the wait, waiting is given up}
"""


def main():
    module = AnsibleModule(
        argument_spec={
            "container": {"type": "str", "required": True},
            "probe": {"type": "str", "required": True, "no_log": True},
            "level": {"choices": ["alive", "serving"], "default": "alive"},
            "deadline_seconds": {"type": "int", "default": 60},
            "restarts_allowed": {"type": "int", "default": 5},
        },
        supports_check_mode=True,
    )
    params = module.params
    spec = json.loads(base64.b64decode(params["probe"]))
    docker, end, pause = Docker(), time.monotonic() + params["deadline_seconds"], 0.1
    first = docker.container(params["container"]).get("restarts", 0)
    while True:
        seen = probe(spec)
        if seen["open"]:
            module.fail_json(
                msg="%s answers without credentials: its authentication is off, so it was stopped "
                "here" % params["container"], open=True,
            )
        if seen[params["level"]]:
            module.exit_json(changed=False, state=seen)
        container = docker.container(params["container"])
        restarts = container.get("restarts", 0) - first
        dying = restarts >= params["restarts_allowed"]
        if dying or time.monotonic() >= end or not container["exists"]:
            break
        time.sleep(pause)
        pause = min(pause * 1.4, 1.0)
    if not container["exists"]:
        reason = "its container is gone"
    elif dying:
        reason = "its container stopped %d times, exit code %d" % (
            restarts, container["exit_code"])
    else:
        reason = "not %s within %d s" % (params["level"], params["deadline_seconds"])
    module.fail_json(
        msg="%s: %s; %s" % (params["container"], reason, seen["detail"]),
        log=docker.log_tail(params["container"]),
    )


if __name__ == "__main__":
    main()
