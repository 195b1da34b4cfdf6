"""One service of the cluster on one machine: files, image, container. One task per role.

Used by every role of the cluster but indigo-dc.docker. Templates are rendered and certificates
issued here, on the control machine, and travel in one transfer to the module cluster_place, which
starts the container too. A second run with nothing to change costs one transfer and starts nothing.

A service that already serves and must change is restarted in turn: one member at a time, its leader
last, each serving again before the next; after a member that does not come back nobody else is
touched. First starts, and members that serve nobody, go in parallel, and all that a play has started
on a machine is waited for at its end (handler "Services answer", action plug-in cluster_answers):
tasks of this kind notify it.

Secrets travel inside the payload, which every log hides, and reach containers by files of mode
0600; neither they nor file contents are ever in the result of the task.
"""

import base64
import fcntl
import hashlib
import json
import os
import time

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import AnsibleEnvironment
from ansible.plugins.loader import lookup_loader

DOCUMENTATION = r"""
name: cluster_service
short_description: one service of the cluster
options:
  name: {required: true, description: name of the container, and of the service in messages}
  directory: {required: true, description: directory of the service's files on the machine}
  image: {required: true}
  image_archive: {description: image as made by docker save, on the control machine}
  image_remedy: {description: what to do when the image cannot be had}
  refuse: {description: a reason not to touch this machine; nothing is done when it is not empty}
  pull: {default: true, description: whether a registry may be asked}
  templates: {description: folder under the role's templates}
  owner: {default: 0}
  group: {default: 0}
  modes: {default: {}, description: "mode by file name, 0600 where none is given"}
  environment: {default: {}, description: becomes <directory>/<name>.env of mode 0600}
  directories: {default: [], description: "data directories: path, mode, owner, group, keep"}
  expect: {default: [], description: "files whose content must not differ: path, content, why"}
  certificates: {default: [], description: "orders to the lookup cluster_certificate, and the directory for each"}
  announce: {default: [], description: services for the Consul agent of this machine}
  container: {required: true, description: see cluster_container}
  probe: {required: true, description: see cluster_probe}
  leaves_by_exit:
    default: false
    description: whether it exits by design when its ensemble wavers, to be started again
  secrets: {default: [], description: values that must not be in any message}
  start_seconds: {default: 60}
  serve_seconds: {default: 180}
"""

CONSUL_SERVICES = "/etc/mesos-cluster/consul/services"
DAY = 86400


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


class Turn:
    """The order of restarts among the hosts of one task, kept by files beside this run's others."""

    def __init__(self, task_uuid, host, members):
        self.host, self.members = host, members
        self.directory = os.path.join(C.DEFAULT_LOCAL_TMP, "turns-" + task_uuid)
        os.makedirs(self.directory, exist_ok=True)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def begin(self):
        open(self._path("begun-" + self.host), "w").close()

    def finish(self):
        open(self._path("finished-" + self.host), "w").close()

    def wait_for_others(self, deadline_seconds, idle_seconds=30):
        """Until every other member has finished its part: the leader goes last.

        A member whose arguments could not be made never begins, and nobody says so. So when none
        of the others is at work for a while, those that have not begun are not coming.
        """
        end = time.monotonic() + deadline_seconds
        worked = time.monotonic()
        while True:
            left = [m for m in self.members
                    if m != self.host and not os.path.exists(self._path("finished-" + m))]
            if not left:
                return
            now = time.monotonic()
            if any(os.path.exists(self._path("begun-" + m)) for m in left):
                worked = now
            if now >= worked + idle_seconds:
                raise AnsibleError("not restarted, since it leads and goes last, and this step "
                                   "never began on %s" % ", ".join(left))
            if now >= end:
                raise AnsibleError("the leader still waits for %s" % ", ".join(left))
            time.sleep(0.1)

    def __enter__(self):
        self.lock = open(self._path("lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        self.lock.close()

    def spoil(self):
        with open(self._path("failed"), "w") as file:
            file.write(self.host)

    def spoiled_by(self):
        try:
            with open(self._path("failed")) as file:
                return file.read()
        except FileNotFoundError:
            return ""


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        self.args, self.packed = self._task.args, None
        self.name = self.args["name"]
        host = self.task_vars["inventory_hostname"]
        members = list(self.task_vars.get("ansible_play_batch") or [host])
        turn = Turn(self._task._uuid, host, members)
        turn.begin()
        try:
            result.update(self.bring_up(turn))
        finally:
            turn.finish()
        return self.scrubbed(result)

    def bring_up(self, turn):
        if self.args.get("refuse"):
            return {"failed": True, "msg": "%s: %s" % (self.name, self.args["refuse"])}
        placed = self.place_and_start()
        if placed.get("outcome") == "image":
            failure = self.fetch_image()
            if failure:
                return failure
            placed = dict(self.place_and_start(), written=placed["written"])
        if placed.get("failed"):
            return placed
        if placed["registration"] == "owed":
            self.note({"reload_consul": True})
        answer = {"changed": placed["changed"], "written": placed["written"]}
        if placed["outcome"] == "turn":
            answer.update(self.restart_in_turn(turn, placed["state"]["leader"]), changed=True)
        elif self._task.check_mode:
            pass
        elif placed["outcome"] == "started":
            self.note(self.waiting("alive", self.args.get("start_seconds", 60)))
        elif not placed["state"]["alive"]:
            # It left by itself, or came back a moment ago: nothing to change, but to wait for.
            answer.update(self.wait("alive", self.args.get("start_seconds", 60)))
        return answer

    def place_and_start(self, in_turn=False):
        return self.module("cluster_place", {
            "payload": self.payload(), "container": self.name, "image": self.args["image"],
            "in_turn": in_turn})

    def restart_in_turn(self, turn, leads):
        """A failure, or nothing."""
        seconds = int(self.args.get("serve_seconds", 180))
        # With one fork the leader would wait for hosts that cannot begin before it ends.
        if leads and context.CLIARGS.get("forks", 5) > 1:
            turn.wait_for_others(seconds * len(turn.members))
        with turn:
            if turn.spoiled_by():
                return {"failed": True, "msg": "%s was not restarted here, because it did not "
                        "come back on %s" % (self.name, turn.spoiled_by())}
            made = self.place_and_start(in_turn=True)
            failure = made if made.get("failed") else self.wait("serving", seconds)
            if failure:
                turn.spoil()
            return failure

    def waiting(self, level, seconds):
        return {"container": self.name, "probe": self.args["probe"], "level": level,
                "seconds": int(seconds), "leaves_by_exit": bool(self.args.get("leaves_by_exit")),
                "secrets": [str(secret) for secret in self.args.get("secrets") or [] if secret]}

    def wait(self, level, seconds):
        """A failure, or nothing when the level was reached."""
        waited = self.module("cluster_wait", {"services": encoded([self.waiting(level, seconds)])})
        if waited.get("failed"):
            return {key: waited[key] for key in ("failed", "msg", "log", "exception")
                    if waited.get(key)}
        return {}

    def note(self, what):
        """For cluster_answers; the folder is this run's own and closed to others."""
        path = os.path.join(C.DEFAULT_LOCAL_TMP, "started-" + self.task_vars["inventory_hostname"])
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(what) + "\n")

    def fetch_image(self):
        """Archive, then registry, else the remedy. Returns a failure or None."""
        image, archive = self.args["image"], self.args.get("image_archive")
        why = []
        if archive:
            failure = self.load_archive(archive)
            if not failure:
                return None
            why.append(failure)
        if self.args.get("pull", True):
            pulled = self.module("community.docker.docker_image", {
                "name": image, "source": "pull", "timeout": 900,
            })
            if not pulled.get("failed"):
                return None
            why.append(str(pulled.get("msg")))
        # Where nothing could be asked for it, asking again is hopeless.
        return {"failed": True, "hopeless": not why, "msg": "%s: the image %s is not on the machine%s. %s" % (
            self.name, image, "".join("; " + reason for reason in why),
            self.args.get("image_remedy") or "Name an image that a registry has, or an archive.")}

    def load_archive(self, archive):
        if not os.path.exists(archive):
            return "no archive at %s on the control machine" % archive
        shell = self._connection._shell
        folder = self._make_tmp_path()
        remote = self._transfer_file(archive, shell.join_path(folder, "image.tar"))
        loaded = self.module("community.docker.docker_image_load", {"path": remote,
                                                                      "timeout": 600})
        self._remove_tmp_path(folder)
        if loaded.get("failed"):
            return "%s: %s" % (archive, loaded.get("msg"))
        if self.args["image"] not in loaded.get("image_names", []):
            return "%s holds %s" % (archive, ", ".join(loaded.get("image_names", [])) or "nothing")
        return None

    # What travels.

    def place(self, name):
        return os.path.join(self.args["directory"], name)

    def environment_file(self):
        return self.place(self.name + ".env")

    def announced(self):
        if not self.args.get("announce"):
            return {}
        return {"path": "%s/%s.json" % (CONSUL_SERVICES, self.name),
                "services": self.args["announce"]}

    def entry(self, path, content, mode="0600", owner=0, group=0):
        if isinstance(content, str):
            content = content.encode()
        return {"path": path, "content": base64.b64encode(content).decode(), "mode": mode,
                "owner": owner, "group": group}

    def payload(self):
        """Made once: every certificate that is issued is another one."""
        if not self.packed:
            self.packed = encoded(self.contents())
        return self.packed

    def contents(self):
        own = {"owner": self.args.get("owner", 0), "group": self.args.get("group", 0)}
        directories = [dict(own, path=self.args["directory"], mode="0755")]
        files = []
        if self.args.get("environment"):
            files.append(self.entry(self.environment_file(), self.environment()))
        for name, text in self.rendered():
            mode = (self.args.get("modes") or {}).get(name, "0600")
            files.append(self.entry(self.place(name), text, mode, **own))
            parent = os.path.dirname(self.place(name))
            if parent not in [known["path"] for known in directories]:
                directories.append(dict(own, path=parent, mode="0755"))
        for order in self.args.get("certificates") or []:
            directories.append(dict(own, path=self.place(order["directory"]), mode="0755"))
        announced = self.announced()
        if announced:
            directories.append({"path": CONSUL_SERVICES, "mode": "0755"})
            text = json.dumps({"services": announced["services"]}, indent=2, sort_keys=True)
            files.append(self.entry(announced["path"], text + "\n", "0644"))
        directories += [dict({"mode": "0755"}, **entry)
                        for entry in self.args.get("directories") or []]
        # Of the files, Consul reads what is announced, and the container reads the others.
        read = [entry for entry in files if entry["path"] != announced.get("path")]
        text = json.dumps([read, self.args["container"]], sort_keys=True)
        return {
            "directories": directories, "files": files,
            "expect": self.args.get("expect") or [], "announced": announced,
            "bundles": [self.bundle(order, own) for order in self.args.get("certificates") or []],
            "read": hashlib.sha256(text.encode()).hexdigest(), "probe": self.args["probe"],
            "container": self.args["container"],
            "environment_file": self.environment_file() if self.args.get("environment") else "",
        }

    def environment(self):
        lines = []
        for name, value in sorted((self.args.get("environment") or {}).items()):
            if value is None or value == self.task_vars.get("omit"):
                continue
            if isinstance(value, bool):
                value = str(value).lower()
            if "\n" in str(value) or str(value) != str(value).strip():
                raise AnsibleError("%s: %s has spaces around it or a line break: an env file "
                                   "cannot carry that" % (self.name, name))
            lines.append("%s=%s\n" % (name, value))
        return "".join(lines)

    def rendered(self):
        """(name, text) of every file under the named folder of the role's templates."""
        if not self.args.get("templates"):
            return
        root = os.path.join(self._task._role._role_path, "templates", self.args["templates"])
        for folder, _subfolders, names in sorted(os.walk(root)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                shown = os.path.relpath(path, root)
                if shown.endswith(".j2"):
                    shown, text = shown[:-3], self.template(path, text)
                yield shown, text

    def template(self, path, text):
        templar = self._templar.copy_with_new_env(
            environment_class=AnsibleEnvironment, searchpath=[os.path.dirname(path)],
            available_variables=self.task_vars, trim_blocks=True, lstrip_blocks=True)
        return templar.do_template(
            text, preserve_trailing_newlines=True, escape_backslashes=False)

    def bundle(self, order, own):
        issued = lookup_loader.get("cluster_certificate", loader=self._loader,
                                   templar=self._templar).run([order])[0]
        return {
            "marker": self.place(order["directory"] + "/issued.json"),
            "purpose": issued["purpose"], "expires": issued["expires"], "id": issued["id"],
            "renew_before_seconds": 30 * DAY,
            "files": [
                self.entry(self.place("%s/%s" % (order["directory"], name)), content, mode, **own)
                for name, (content, mode) in sorted(issued["files"].items())
            ],
        }

    # Plumbing.

    def module(self, name, args):
        answer = self._execute_module(module_name=name, module_args=args,
                                      task_vars=self.task_vars)
        answer.pop("invocation", None)
        return answer

    def scrubbed(self, result):
        for secret in self.args.get("secrets") or []:
            for key in ("msg", "log", "exception"):
                if secret and key in result:
                    result[key] = result[key].replace(str(secret), "********")
        if "log" in result:
            result["msg"] = "%s\nlast lines of its log:\n%s" % (result["msg"], result.pop("log"))
        return result
