"""Where a Mesos process listens and what it calls itself, by libprocess' rules.

Used by master and agent. An announced loopback address is allowed (tests live there) but warned of.
"""
import ipaddress
import socket

from standin.process import Refused


class Identity:
    """`bind_ip`:`port` to listen on; `ip`, `hostname` to announce."""

    def __init__(self, values, log):
        if values["ip_discovery_command"]:
            raise Refused(1, "ip_discovery_command is not imitated by the stand-in")
        self.bind_ip = literal(values["ip"], "ip") if values["ip"] else own_address()
        self.port = values["port"]
        announced = values["advertise_ip"] or self.bind_ip
        if ipaddress.ip_address(literal(announced, "advertise_ip")).is_unspecified:
            announced = own_address()
        self.ip = announced
        self.announced_port = int(values["advertise_port"] or self.port)
        if ipaddress.ip_address(self.ip).is_loopback:
            log.warning(f"Announcing the loopback address {self.ip}: no other machine can reach it")
        self.hostname = values["hostname"] or self.look_up(values["hostname_lookup"])

    def look_up(self, allowed):
        if allowed:
            try:
                return socket.gethostbyaddr(self.ip)[0]
            except OSError:
                pass
        return self.ip

    def packed_ip(self):
        """IPv4 in network byte order, read as a little-endian number: 10.0.0.1 -> 16777226."""
        return int.from_bytes(ipaddress.IPv4Address(self.ip).packed, "little")


def literal(text, flag):
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise Refused(1, f"Failed to load flag '{flag}': expected an IPv4 address") from None


def own_address():
    name = socket.gethostname()
    try:
        return socket.gethostbyname(name)
    except OSError:
        raise Refused(1, f"Failed to resolve the host name '{name}': set the flag 'ip'") from None
