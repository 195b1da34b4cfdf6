"""Issues the certificate of one service on one machine from the cluster's own CA.

Used by the action plug-in cluster_service, on the control machine: the key of the CA never goes to
a machine of the cluster. What it issues is sent every time, and the machine keeps what it has as
long as the purpose is the same and it is not about to expire (module cluster_place, bundles).
"""

import datetime
import hashlib
import ipaddress
import os
import subprocess
import tempfile

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOCUMENTATION = r"""
name: cluster_certificate
short_description: a certificate from the cluster's CA
options:
  _terms: {description: orders, see LookupModule.issue, required: true}
"""

LIFETIME = datetime.timedelta(days=825)
PEM = serialization.Encoding.PEM


def alternative_names(names):
    """x509 names of a list that mixes addresses and host names, in its order, without doubles."""
    result = []
    for name in dict.fromkeys(str(name) for name in names if name):
        try:
            result.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            result.append(x509.DNSName(name))
    return result


def keystore(key, certificate, authority, alias, password):
    """PKCS#12 by openssl, with the algorithms that every JVM reads."""
    with tempfile.TemporaryDirectory(prefix="cluster-keystore-") as folder:
        for name, text in (("key", key), ("crt", certificate), ("ca", authority),
                           ("password", password.encode())):
            path = os.path.join(folder, name)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(text)
        made = subprocess.run(
            ["openssl", "pkcs12", "-export", "-inkey", "key", "-in", "crt", "-certfile", "ca",
             "-name", alias, "-passout", "file:password", "-out", "store",
             "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
            cwd=folder, capture_output=True, text=True)
        if made.returncode != 0:
            raise AnsibleError("openssl pkcs12: " + made.stderr.strip())
        with open(os.path.join(folder, "store"), "rb") as file:
            return file.read()


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        return [self.issue(order) for order in terms]

    def issue(self, order):
        """order: ca_certificate, ca_key (PEM), names, and keystore {alias, password} or nothing.

        Returns files {name: (content, mode)}, purpose (what makes an older one good enough),
        expires (seconds since 1970) and id (changes whenever another one is issued).
        """
        try:
            authority = x509.load_pem_x509_certificate(order["ca_certificate"].encode())
            signer = serialization.load_pem_private_key(order["ca_key"].encode(), None)
        except ValueError as error:
            raise AnsibleError("the CA of the cluster cannot be read: %s" % error)
        names = alternative_names(order["names"])
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(
                [x509.NameAttribute(NameOID.COMMON_NAME, str(order["names"][0])[:64])]))
            .issuer_name(authority.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
                critical=False)
            .sign(signer, hashes.SHA256())
        )
        return self.packed(order, key, certificate, authority, now)

    def packed(self, order, key, certificate, authority, now):
        key_text = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption())
        text = certificate.public_bytes(PEM)
        authority_text = authority.public_bytes(PEM)
        files = {
            "ca.crt": (authority_text, "0644"), "host.crt": (text, "0644"),
            "host.key": (key_text, "0600"), "host.pem": (text + authority_text + key_text, "0600"),
        }
        store = order.get("keystore")
        if store:
            files["keystore.p12"] = (
                keystore(key_text, text, authority_text, store["alias"], str(store["password"])),
                "0600")
        purpose = [authority_text.decode(), [str(name) for name in order["names"]],
                   hashlib.sha256(str(store).encode()).hexdigest() if store else ""]
        return {
            "files": files,
            "purpose": hashlib.sha256(repr(purpose).encode()).hexdigest(),
            "expires": int((now + LIFETIME).timestamp()),
            "id": format(certificate.serial_number, "x"),
        }
