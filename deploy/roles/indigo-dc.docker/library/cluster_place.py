#!/usr/bin/python
"""Puts one service's files on a machine, and starts its container where that disturbs nobody.

Used by the action plug-in cluster_service alone, as its half on the machine: one transfer holds all
of a service, and the answer says what comes next (outcome):
  runs     it is there as it should be, and nothing was started
  started  its container was made or started
  image    the image is not on the machine; nothing was started
  turn     it serves, and must change: call again with in_turn when it is this member's turn
Only files that differ are written, each by rename. It never touches a data directory that exists.
"""

import base64
import grp
import hashlib
import http.client
import json
import os
import pwd
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils import cluster_container
from ansible.module_utils.cluster_probe import Docker, consul_knows, consul_reload, probe

DOCUMENTATION = r"""
module: cluster_place
short_description: files of one service in one transfer, and the state of the service
options:
  payload:
    required: true
    type: str
    description: >-
      base64 of JSON {files, directories, bundles, expect, announced, read, container,
      environment_file, probe}; hidden from every log. announced is {path, services} of the file that
      the Consul agent of the machine reads, or empty; read stands for all that the container reads
      at its start but the bundles; container are options of cluster_container
  container: {type: str, required: true}
  image: {type: str, required: true}
  in_turn: {type: bool, default: false, description: restart it even though it serves}
"""


def number(name, lookup, field):
    if isinstance(name, int) or str(name).isdigit():
        return int(name)
    return getattr(lookup(name), field)


class Place:
    def __init__(self, module):
        self.module = module
        self.written = []

    def owner(self, entry):
        try:
            return (
                number(entry.get("owner", 0), pwd.getpwnam, "pw_uid"),
                number(entry.get("group", 0), grp.getgrnam, "gr_gid"),
            )
        except KeyError as error:
            self.module.fail_json(msg="%s: %s" % (entry["path"], error))

    def settle(self, path, entry):
        """Mode and owner as wanted; notes the path when they were not."""
        uid, gid = self.owner(entry)
        mode = int(entry["mode"], 8)
        now = os.stat(path)
        if now.st_mode & 0o7777 == mode and (now.st_uid, now.st_gid) == (uid, gid):
            return
        self.note(path)
        if not self.module.check_mode:
            os.chown(path, uid, gid)
            os.chmod(path, mode)

    def note(self, path):
        if path not in self.written:
            self.written.append(path)

    def directory(self, entry):
        path = entry["path"]
        if os.path.isdir(path):
            if not entry.get("keep"):
                self.settle(path, entry)
            return
        self.note(path)
        if not self.module.check_mode:
            os.makedirs(path, mode=0o755)
            self.settle(path, entry)

    def file(self, entry):
        path, content = entry["path"], base64.b64decode(entry["content"])
        try:
            with open(path, "rb") as old:
                same = old.read() == content
        except FileNotFoundError:
            same = False
        if same:
            self.settle(path, entry)
            return
        self.note(path)
        if self.module.check_mode:
            return
        uid, gid = self.owner(entry)
        scratch = "%s.%d.new" % (path, os.getpid())
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as new:
            new.write(content)
        os.chown(scratch, uid, gid)
        os.chmod(scratch, int(entry["mode"], 8))
        os.replace(scratch, path)

    def bundle(self, entry):
        """Files that are only good together (key, certificate, keystore).

        They are kept as long as their marker says that they were made for the same purpose and
        are good for a while yet; else all of them are replaced.
        """
        try:
            with open(entry["marker"], encoding="utf-8") as marker:
                old = json.load(marker)
        except (FileNotFoundError, ValueError):
            old = {}
        complete = all(os.path.exists(file["path"]) for file in entry["files"])
        fresh = old.get("expires", 0) > time.time() + entry["renew_before_seconds"]
        if complete and fresh and old.get("purpose") == entry["purpose"]:
            for file in entry["files"]:
                self.settle(file["path"], file)
            return old["id"]
        for file in entry["files"]:
            self.file(file)
        text = {key: entry[key] for key in ("purpose", "expires", "id")}
        self.file({
            "path": entry["marker"],
            "content": base64.b64encode(json.dumps(text).encode()).decode(),
            "mode": "0600",
        })
        return entry["id"]

    def expect(self, entry):
        try:
            with open(entry["path"], encoding="utf-8") as file:
                found = file.read().strip()
        except FileNotFoundError:
            return
        if found != str(entry["content"]):
            self.module.fail_json(
                msg="%s holds %r where %r is expected: %s"
                % (entry["path"], found, str(entry["content"]), entry["why"])
            )


def register(place, docker, announced):
    """Has Consul read the file with the services: known, told just now, or owed.

    An agent that does not run yet reads its files when it starts. One that has only just started
    may have read them before this one was written and not answer yet: then it is still owed the
    news. It is asked what it knows too, since an earlier run may have ended before it was told.
    """
    if not docker.container("consul")["running"]:
        return "known"
    if announced["path"] not in place.written and consul_knows(announced["services"]):
        return "known"
    return "told" if consul_reload() else "owed"


def settle_container(module, docker, payload, wanted):
    """(outcome, state of the service before it)."""
    name, image = module.params["container"], module.params["image"]
    image_id, there = docker.image_id(image), docker.container(name)
    state = {"alive": False, "serving": False, "leader": False}
    if there["running"]:
        state = probe(payload["probe"])
    same = (there["exists"] and there["labels"].get("tutti.configuration") == wanted
            and there["image"] == image_id)
    if same and (there["running"] or there["restarting"]):
        return "runs", state
    if module.check_mode:
        return "started", state
    if not image_id:
        return "image", state
    if state["serving"] and not module.params["in_turn"]:
        return "turn", state
    told = cluster_container.definition(
        image, payload["container"], {"tutti.configuration": wanted, "tutti.image": image},
        cluster_container.environment_of(payload["environment_file"]))
    if same:
        cluster_container.start(docker, name, told)
    else:
        cluster_container.make(docker, name, told, there["exists"])
    return "started", state


def main():
    module = AnsibleModule(
        argument_spec={
            "payload": {"type": "str", "required": True, "no_log": True},
            "container": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "in_turn": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    payload = json.loads(base64.b64decode(module.params["payload"]))
    place = Place(module)
    for entry in payload["expect"]:
        place.expect(entry)
    for entry in payload["directories"]:
        place.directory(entry)
    for entry in payload["files"]:
        place.file(entry)
    bundles = [place.bundle(entry) for entry in payload["bundles"]]
    wanted = hashlib.sha256(json.dumps([payload["read"], bundles]).encode()).hexdigest()[:32]

    docker, registration = Docker(), "known"
    try:
        if payload["announced"] and not module.check_mode:
            registration = register(place, docker, payload["announced"])
        outcome, state = settle_container(module, docker, payload, wanted)
    except (OSError, http.client.HTTPException) as error:
        module.fail_json(msg="the Docker engine does not answer: %s" % error)
    except cluster_container.EngineRefused as error:
        module.fail_json(msg="%s: %s" % (module.params["container"], error))
    module.exit_json(
        changed=bool(place.written) or registration != "known" or outcome == "started",
        written=place.written, registration=registration, outcome=outcome, state=state)


if __name__ == "__main__":
    main()
