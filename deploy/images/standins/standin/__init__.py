"""Stand-ins for mesos-master, mesos-agent, marathon and chronos: their outside, not their work.

Used where the real programs cannot be had. They never run a task, and never pass themselves off
as the real thing: whatever they show to a user says "stand-in".
"""

IMITATED_VERSIONS = {
    "mesos-master": "1.11.0",
    "mesos-agent": "1.11.0",
    "marathon": "1.11.0",
    "chronos": "3.0.2",
}


def title(component):
    """One line that says what this program is and what it is not."""
    return (f"Tutti stand-in for {component} {IMITATED_VERSIONS[component]}: imitates its outside, "
            f"is not {component}")
