"""Waits, once at the end of a play, until all services that the play has started on a host answer.

Used as a handler of indigo-dc.docker; cluster_service leaves a note for each service that it starts
for the first time, and one when the Consul agent could not be told of a service. So the services of
a machine start beside each other, and one wait covers all.
The notes are files in this run's own temporary folder, since they hold credentials for the probes
and facts would show them.
"""

import base64
import json
import os

from ansible import constants as C
from ansible.plugins.action import ActionBase

DOCUMENTATION = r"""
name: cluster_answers
short_description: waits until the services that were started answer
options: {}
"""


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        path = os.path.join(C.DEFAULT_LOCAL_TMP, "started-" + task_vars["inventory_hostname"])
        try:
            with open(path) as file:
                notes = [json.loads(line) for line in file]
            os.unlink(path)
        except FileNotFoundError:
            return dict(result, changed=False)
        started = [note for note in notes if "probe" in note]
        waited = self._execute_module(module_name="cluster_wait", task_vars=task_vars, module_args={
            "services": base64.b64encode(json.dumps(started).encode()).decode(),
            "reload_consul": any(note.get("reload_consul") for note in notes),
        })
        if not waited.get("failed"):
            return dict(result, changed=False)
        message = waited.get("msg", "")
        if waited.get("log"):
            message += "\nlast lines of the logs:\n" + waited["log"]
        message += waited.get("exception", "")
        for note in started:
            for secret in note["secrets"]:
                message = message.replace(secret, "********")
        return dict(result, failed=True, msg=message)
