"""Runs the module docker_engine and notes when it was asked, so that clocks can be compared.

Used by indigo-dc.docker; the filter clocks_apart reads what is added here.
"""

import time

from ansible.plugins.action import ActionBase

DOCUMENTATION = r"""
name: docker_engine
short_description: the module docker_engine, with the moments of question and answer
options: {}
"""


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        asked = time.time()
        result.update(self._execute_module(module_args=self._task.args, task_vars=task_vars))
        if "machine" in result:
            result["machine"].update(
                name=task_vars["inventory_hostname"], asked=asked, answered=time.time())
        return result
