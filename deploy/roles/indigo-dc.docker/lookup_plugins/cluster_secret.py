"""The secrets of a cluster that is made without a daemon: made once, on the control machine.

Used by the defaults of indigo-dc.docker, evaluated only where a role really needs the value; under
a daemon the values come as variables and this is never asked. They live in a directory of mode
0700 beside the inventory (cluster_secrets_directory moves it), one file of mode 0600 each, and are
used again by every later run. The key of the CA never leaves this machine.
"""

import base64
import datetime
import fcntl
import os
import secrets
import string

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DOCUMENTATION = r"""
name: cluster_secret
short_description: secrets of one cluster, made once on the control machine
options:
  _terms: {description: name of the secret, required: true}
"""

# Nothing that a shell, an URL, an env file or "user:password" could take for something else.
ALPHABET = string.ascii_letters + string.digits


def word(length):
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


MAKERS = {
    "consul_gossip_key": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "keepalived_password": lambda: word(8),  # VRRP takes eight characters and drops the rest
    "keepalived_router_id": lambda: str(1 + secrets.randbelow(255)),
    "keystore_password": lambda: word(24),
    "mesos_agent_secret": lambda: word(32),
    "mesos_framework_secret": lambda: word(32),
    "mesos_monitor_password": lambda: word(32),
    "mesos_password": lambda: word(24),
}
AUTHORITY = ("cluster_ca_certificate", "cluster_ca_key")


def make_authority():
    """A self-signed CA for this cluster alone: {name: PEM}."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster CA " + word(8))])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return {
        "cluster_ca_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "cluster_ca_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    }


def write(path, text):
    """All or nothing: a half-written secret would be used for ever."""
    descriptor = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


class Store:
    def __init__(self, directory):
        self.directory = directory

    def path(self, name):
        return os.path.join(self.directory, name)

    def get(self, name):
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        if os.stat(self.directory).st_mode & 0o077:
            raise AnsibleError(
                "%s is open to others than its owner: chmod 700 it" % self.directory)
        with open(self.path(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the hosts of a play ask at the same time
            if not os.path.exists(self.path(name)):
                self.make(name)
            with open(self.path(name)) as file:
                return file.read()

    def make(self, name):
        if name in AUTHORITY:
            for part, text in make_authority().items():
                write(self.path(part), text)
        elif name in MAKERS:
            write(self.path(name), MAKERS[name]())
        else:
            raise AnsibleError("cluster_secret knows no secret of the name %s" % name)


def default_directory(variables):
    sources = [s for s in variables.get("ansible_inventory_sources") or [] if os.path.exists(s)]
    if sources:
        return sources[0].rstrip("/") + ".secrets"
    return os.path.join(variables.get("playbook_dir", "."), "cluster.secrets")


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        variables = variables or {}
        directory = variables.get("cluster_secrets_directory") or default_directory(variables)
        store = Store(os.path.abspath(self._templar.template(directory)))
        return [store.path(term[1:]) if term.startswith("@") else store.get(term)
                for term in terms]
