#!/usr/bin/env python3
"""Compares what the compiler says each file includes with the edges that the architecture allows.

Usage: edges.py BUILD_DIR (a finished Ninja build). Exits 1 when a file of one target includes a
header of a target that is not below it.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Direct edges between targets; what is reachable through them may be included.
EDGES = {
    "source": [], "topology": ["source"], "grammar": ["source"], "resolve": ["grammar", "topology"],
    "base": [], "model": ["base"], "support": ["base"], "provider": ["model", "support"],
    "simulated": ["provider"], "docker": ["provider"],
    "plan": ["topology", "model"], "reconcile": ["plan"], "store": ["base", "support"],
    "bootstrap": ["plan", "support"], "engine": ["reconcile", "store", "bootstrap", "provider"],
    "view": ["reconcile", "store"], "http": ["support"],
    "api": ["engine", "view", "resolve", "http"], "cli": ["resolve", "plan", "support"],
    "config": ["source", "base"],
}

FOLDERS = {
    "tosca/source/": "source", "tosca/topology/": "topology", "tosca/grammar/": "grammar",
    "tosca/resolve/": "resolve", "tosca/profiles/": "resolve",
    "providers/base/": "base", "providers/model": "model", "providers/support/": "support",
    "providers/provider": "provider", "providers/simulated/": "simulated", "providers/docker/": "docker",
    "server/plan/": "plan", "server/reconcile/": "reconcile", "server/store/": "store",
    "server/bootstrap/": "bootstrap", "server/engine/": "engine", "server/view/": "view",
    "server/http/": "http", "server/api/": "api", "server/cli/": "cli", "server/config/": "config",
}


def target_of(path):
    for folder, target in FOLDERS.items():
        if path.startswith(folder):
            return target
    return None  # main.cpp, tests: they may use all


def below(target):
    seen, todo = set(), [target]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo += EDGES[current]
    return seen


def violations(includes):
    """includes: source file -> set of headers, all relative to the repository."""
    found = []
    for path, headers in sorted(includes.items()):
        target = target_of(path)
        if target is None:
            continue
        allowed = below(target)
        for header in sorted(headers):
            other = target_of(header)
            if other is not None and other not in allowed:
                found.append(f"{path}: includes {header}, but {target} may not use {other}")
    return found


def read_includes(build):
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True,
                          check=True).stdout
    includes = {}
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if len(lines) < 2:
            continue
        files = []
        for line in lines[1:]:
            path = pathlib.Path(build, line.strip()).resolve()
            if path.is_relative_to(ROOT) and not path.is_relative_to(pathlib.Path(build).resolve()):
                files.append(str(path.relative_to(ROOT)))
        if files:
            includes[files[0]] = includes.get(files[0], set()) | set(files[1:])
    return includes


def main():
    includes = read_includes(sys.argv[1])
    if not includes:
        print("no dependency information: build first")
        return 1
    found = violations(includes)
    print("\n".join(found))
    print(f"{len(includes)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
