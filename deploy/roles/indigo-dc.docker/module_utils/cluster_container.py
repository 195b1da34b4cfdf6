"""Makes and starts the container of one service, by the API of this machine's Docker engine.

Used by the module cluster_place, in the same start of Python that has placed the service's files:
another one for community.docker would cost more than the container. It knows the options of
docker_container that the roles use, by their names there, and no others. Data and configuration of
a service lie outside of its container, so a container may always be made anew.
"""

import http.client
import json

# Creating waits for disks, stopping for the longest stop_timeout of a role.
ENGINE_SECONDS = 150

OF_CONTAINER = {"command": "Cmd", "entrypoint": "Entrypoint", "stop_timeout": "StopTimeout"}
OF_HOST = {
    "capabilities": "CapAdd", "network_mode": "NetworkMode", "pid_mode": "PidMode",
    "privileged": "Privileged", "security_opts": "SecurityOpt", "volumes": "Binds",
}


class EngineRefused(Exception):
    """The engine does not do it; the text is its own reason."""


def definition(image, options, labels, environment):
    """What the engine is told; environment is a list of NAME=VALUE."""
    unknown = set(options) - set(OF_CONTAINER) - set(OF_HOST)
    if unknown:
        raise EngineRefused("no such option of a container: %s" % ", ".join(sorted(unknown)))
    told = {OF_CONTAINER[name]: value for name, value in options.items() if name in OF_CONTAINER}
    host = {OF_HOST[name]: value for name, value in options.items() if name in OF_HOST}
    host["RestartPolicy"] = {"Name": "unless-stopped"}
    return dict(told, Image=image, Labels=labels, Env=environment, HostConfig=host)


def environment_of(path):
    """The lines of an env file, or nothing where there is none."""
    if not path:
        return []
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().split("\n") if line]


def ask(docker, method, path, good, body=None):
    try:
        status, answer = docker.call(method, "/containers/" + path, body, ENGINE_SECONDS)
    except (OSError, http.client.HTTPException) as error:
        raise EngineRefused("the Docker engine gives no answer to %s %s: %s" % (method, path, error))
    if status in good:
        return
    try:
        reason = json.loads(answer)["message"]
    except (ValueError, KeyError, TypeError):
        reason = "status %d" % status
    raise EngineRefused("%s %s: %s" % (method, path, reason))


def make(docker, name, told, exists):
    """A new container, in the place of an older one. It is stopped in its own time."""
    if exists:
        ask(docker, "POST", name + "/stop", (204, 304, 404))
        ask(docker, "DELETE", name + "?v=1&force=1", (204, 404))
    ask(docker, "POST", "create?name=" + name, (201,), told)
    ask(docker, "POST", name + "/start", (204, 304))


def start(docker, name, told):
    """The container that is there; anew if it cannot be started."""
    try:
        ask(docker, "POST", name + "/start", (204, 304))
    except EngineRefused:
        # Now and then an engine under load forgets to clear a dead container away and cannot start
        # it again ("task already exists").
        make(docker, name, told, True)
