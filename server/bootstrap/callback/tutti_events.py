# An Ansible callback that tells Tutti what happens, as lines of JSON on a descriptor of its own
# (TUTTI_EVENTS_FD). Tutti writes this file beside each run; nothing else uses it.
from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: tutti_events
    type: stdout
    short_description: events for Tutti
    description: Writes one JSON object a line; results of no_log tasks without their contents.
"""

# Tutti cuts it further, once secrets are out of it.
LONGEST_MESSAGE = 60000


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "tutti_events"

    def __init__(self):
        super().__init__()
        self._out = os.fdopen(int(os.environ["TUTTI_EVENTS_FD"]), "w", encoding="utf-8")

    def _tell(self, event, **facts):
        facts["event"] = event
        self._out.write(json.dumps(facts) + "\n")
        self._out.flush()

    def _result(self, event, result, **facts):
        self._tell(event, host=result._host.get_name(),
                   task=result.task_name or result._task.get_name(), **facts)

    @staticmethod
    def _message(result):
        data = result._result
        if data.get("_ansible_no_log") or result._task.no_log:
            return "the output is hidden (no_log)"
        parts = [data.get(name) for name in ("msg", "module_stderr", "stderr", "reason")]
        for item in data.get("results") or []:
            if isinstance(item, dict) and item.get("failed") and not item.get("_ansible_no_log"):
                parts.append(item.get("msg"))
        texts = []
        for part in parts:
            if part and str(part) not in texts:
                texts.append(str(part).strip())
        return ("\n".join(texts) or "no message")[:LONGEST_MESSAGE]

    @staticmethod
    def _hopeless(data):
        """What a module or action plug-in says of its failure: repeating it will not help."""
        results = [item for item in data.get("results") or [] if isinstance(item, dict)]
        # Of a task without a loop Ansible takes `failed` out of the result before it gets here.
        return bool(data.get("hopeless")) or any(
            item.get("failed") and item.get("hopeless") for item in results)

    def v2_playbook_on_play_start(self, play):
        self._tell("play", name=play.get_name())

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._tell("task", task=task.get_name().strip())

    def v2_playbook_on_handler_task_start(self, task):
        self._tell("task", task=task.get_name().strip())

    def v2_runner_on_ok(self, result):
        self._result("ok", result, changed=bool(result._result.get("changed")))

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("failed", result, ignored=bool(ignore_errors), message=self._message(result),
                     hopeless=self._hopeless(result._result))

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result, message=self._message(result))

    def v2_runner_retry(self, result):
        left = int(result._result.get("retries", 0)) - int(result._result.get("attempts", 0))
        self._result("retry", result, left=left)

    def v2_playbook_on_no_hosts_matched(self):
        self._tell("no_hosts")

    def v2_playbook_on_stats(self, stats):
        hosts = {host: stats.summarize(host) for host in stats.processed}
        # What the play hands out by set_stats with per_host.
        given = {host: stats.custom[host] for host in stats.processed if host in stats.custom}
        self._tell("recap", hosts=hosts, given=given)
