#!/usr/bin/env python3
"""POST of the flagship to CREATE_COMPLETE through a fresh daemon: seconds, ratio to the floor given
as argument, the longest path by measured steps, their sum, the most at once, the daemon's memory."""
import datetime
import json
import pathlib
import secrets
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness import ROOT, Daemon, run, TUTTI  # noqa: E402


def steps_of(database, plan):
    """{step: (begin, end, requirements)} in seconds, from the journal and the plan."""
    rows = sqlite3.connect(f"file:{database}?mode=ro", uri=True).execute(
        "SELECT at, kind, json FROM journal ORDER BY rowid").fetchall()
    begin, end = {}, {}
    for at, kind, text in rows:
        entry = json.loads(text)
        name = entry.get("step")
        if not name:
            continue
        stamp = at / 1000 if isinstance(at, (int, float)) else datetime.datetime.fromisoformat(
            str(at).replace("Z", "+00:00")).timestamp()
        if kind == "effect":
            begin.setdefault(name, stamp)
        else:
            end[name] = stamp
    requirements = {s["id"]: s["requires"] for s in plan["steps"]}
    return {n: (begin[n], end[n], requirements.get(n, [])) for n in begin if n in end}


def longest_path(steps):
    memo = {}

    def cost(name):
        if name not in memo:
            began, ended, needs = steps[name]
            before = max((cost(n) for n in needs if n in steps), default=(0, []))
            memo[name] = (before[0] + ended - began, before[1] + [name])
        return memo[name]

    return max((cost(n) for n in steps), default=(0, []))


def most_at_once(steps):
    points = sorted([(b, 1) for b, _, _ in steps.values()] + [(e, -1) for _, e, _ in steps.values()])
    most = now = 0
    for _, change in points:
        now += change
        most = max(most, now)
    return most


def main():
    floor = float(sys.argv[1]) if len(sys.argv) > 1 else None
    template = ROOT / "templates" / "mesos-cluster.yaml"
    passwords = {f"{n}_password": "pw-" + secrets.token_hex(8) for n in ("mesos", "marathon", "chronos")}
    daemon = Daemon()
    try:
        daemon.start()
        began = time.monotonic()
        uuid = daemon.create(template, passwords)
        daemon.wait_status(uuid, "CREATE_COMPLETE", 900)
        seconds = time.monotonic() - began
        ratio = f"; {seconds / floor:.2f} of the floor" if floor else ""
        print(f"tutti     {seconds:.1f} s  (POST to CREATE_COMPLETE, machines included{ratio})")
        memory = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        print("daemon    " + next(line for line in memory.splitlines() if line.startswith("VmRSS")))
        inputs = [w for n, v in passwords.items() for w in ("-i", f"{n}={v}")]
        plan = json.loads(run(TUTTI, "plan", template, "--json", *inputs).stdout)
        steps = steps_of(daemon.dir / "data" / "tutti.db", plan)
        path_seconds, path = longest_path(steps)
        print(f"steps     {len(steps)}; sum {sum(e - b for b, e, _ in steps.values()):.1f} s; most at once {most_at_once(steps)}")
        print(f"longest   {path_seconds:.1f} s:")
        for name in path:
            print(f"          {steps[name][1] - steps[name][0]:6.1f} s  {name}")
    finally:
        daemon.close()


if __name__ == "__main__":
    main()
