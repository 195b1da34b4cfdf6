"""Small pure questions that the roles of the cluster ask: addresses, ids, quorum, clocks."""

import base64
import ipaddress
import multiprocessing

from ansible.errors import AnsibleFilterError


def is_address(text):
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


# To look up all variables of a host is dear, and a task asks for the same few addresses some dozens
# of times.
ADDRESSES = {}


def address_of(host, hostvars):
    """The address at which the others reach the host; see found_address.

    Remembered in the process of one task alone, in which variables are what they are: the process
    that all of those come from lives on while tasks find out more.
    """
    if multiprocessing.parent_process() is None:
        return found_address(host, hostvars)
    if host not in ADDRESSES:
        ADDRESSES[host] = found_address(host, hostvars)
    return ADDRESSES[host]


def found_address(host, hostvars):
    """By host variable, else facts, else ansible_host, else the name, else what docker_engine saw."""
    known = hostvars[host]
    for name in ("cluster_address", "private_address"):
        if known.get(name):
            return known[name]
    facts = known.get("ansible_facts") or {}
    for place in (known.get("ansible_default_ipv4"), facts.get("default_ipv4")):
        if isinstance(place, dict) and place.get("address"):
            return place["address"]
    named = known.get("ansible_host") or host
    if is_address(named):
        return named
    return ((known.get("docker_engine_seen") or {}).get("machine") or {}).get("address") or named


def cluster_addresses(hosts, hostvars):
    return [address_of(host, hostvars) for host in hosts]


def cluster_hosts_at(hosts, addresses, hostvars):
    """{address: host} of those hosts of the play that have one of the addresses."""
    found = {address_of(host, hostvars): host for host in hosts}
    return {address: found[address] for address in addresses if address in found}


def zookeeper_known_ids(members, given, hosts, hostvars):
    """{member: id} of what is known: the given list, else each host's variable, else its disk."""
    given = as_list(given)
    if given:
        return dict(zip(members, given))
    known = {}
    for address, host in hosts.items():
        variables = hostvars[host]
        disk = (variables.get("zookeeper_disk") or {}).get("content")
        if variables.get("zookeeper_id"):
            known[address] = variables["zookeeper_id"]
        elif disk:
            known[address] = base64.b64decode(disk).decode().strip()
    return known


def ids_by_ordinal(members, hosts, hostvars):
    """The id (ordinal + 1) of each member that some host is, "" for unknown ones; [] if all are."""
    found = {address_of(host, hostvars): hostvars[host].get("tutti_ordinal", "") for host in hosts}
    ids = [int(found[m]) + 1 if found.get(m, "") != "" else "" for m in members]
    return ids if any(ids) else []


def as_list(value):
    """A list, or the text forms in which extra variables give one: "a,b" and "a b"."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [part for part in value.replace(",", " ").split() if part]
    return [str(part) for part in value]


def zookeeper_ids(members, known):
    """{member: id}: a known id is kept, the others get their position or the next free id.

    members is the ordered list of addresses; known maps some of them to the id that they were
    given or that lies on their disk. Everybody computes the same answer.
    """
    ids, taken = {}, set()
    for member in members:
        if known.get(member):
            ids[member] = int(known[member])
            if ids[member] in taken:
                raise AnsibleFilterError(
                    "two members of ZooKeeper have the id %d: ids are never shared or reused"
                    % ids[member])
            if not 1 <= ids[member] <= 255:
                raise AnsibleFilterError("%d is no ZooKeeper id: 1 to 255" % ids[member])
            taken.add(ids[member])
    for position, member in enumerate(members, 1):
        if member in ids:
            continue
        free = position
        while free in taken:
            free = free % 255 + 1
        ids[member] = free
        taken.add(free)
    return ids


def mesos_quorum(members):
    return len(members) // 2 + 1


def clocks_apart(sightings):
    """Seconds by which clocks surely differ, from [{name, clock, asked, answered}].

    A clock was read at some moment between the question and the answer, so its offset from the
    control machine lies in an interval; what counts is the gap between intervals, never noise.
    """
    offsets = [(s["clock"] - s["answered"], s["clock"] - s["asked"]) for s in sightings]
    if len(offsets) < 2:
        return 0.0
    return max(0.0, max(low for low, _ in offsets) - min(high for _, high in offsets))


class FilterModule:
    def filters(self):
        return {
            "cluster_addresses": cluster_addresses,
            "cluster_hosts_at": cluster_hosts_at,
            "cluster_list": as_list,
            "zookeeper_ids": zookeeper_ids,
            "zookeeper_known_ids": zookeeper_known_ids,
            "ids_by_ordinal": ids_by_ordinal,
            "mesos_quorum": mesos_quorum,
            "clocks_apart": clocks_apart,
        }
