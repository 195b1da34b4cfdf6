"""Principals and secrets: Mesos' JSON files, HTTP Basic, and the proof on the private channel.

Used by all components. Secrets are compared in constant time and never put into a message.
"""
import base64
import binascii
import hashlib
import hmac
import json
import os
import stat

from standin.process import Refused

FILE_LIMIT_BYTES = 1024 * 1024


def load_credentials(path, log):
    """{"credentials":[{"principal","secret"}]} -> {principal: secret}; Refused(1) otherwise."""
    document = read_json(path, "credentials", log)
    entries = document.get("credentials") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise Refused(1, f"Invalid credentials file '{path}': no list 'credentials'")
    return dict(one_credential(entry, path) for entry in entries)


def load_credential(path, log):
    """{"principal","secret"} -> (principal, secret); Refused(1) otherwise."""
    return one_credential(read_json(path, "credential", log), path)


def one_credential(entry, path):
    if not isinstance(entry, dict) or not isinstance(entry.get("principal"), str) \
            or not entry["principal"] or not isinstance(entry.get("secret", ""), str):
        raise Refused(1, f"Invalid credentials file '{path}': needs 'principal' and 'secret'")
    return entry["principal"], entry.get("secret", "")


def read_json(path, what, log):
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise Refused(1, f"Failed to read {what} file '{path}': {error.strerror}") from None
    if len(text) > FILE_LIMIT_BYTES:
        raise Refused(1, f"{what} file '{path}' is larger than {FILE_LIMIT_BYTES} bytes")
    if mode & (stat.S_IRWXO):
        log.warning(f"Permissions on {what} file '{path}' are too open; it is recommended that it "
                    "is NOT accessible by others")
    try:
        return json.loads(text)
    except ValueError:
        raise Refused(1, f"{what} file '{path}' is not JSON (Mesos 1.11 reads no other form)"
                      ) from None


class Basic:
    """HTTP Basic for one realm. `users` maps names to passwords; `parts` is the rule for ':'.

    Mesos wants exactly two parts ("exact"); Jetty splits at the first colon ("first").
    """

    def __init__(self, realm, users, parts="exact"):
        self.realm = realm
        self.users = users
        self.parts = parts

    def allows(self, header):
        scheme, _, encoded = (header or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return False
        pieces = text.split(":") if self.parts == "exact" else text.split(":", 1)
        if len(pieces) != 2:
            return False
        password = self.users.get(pieces[0])
        return password is not None and same(password, pieces[1])

    def challenge(self):
        return f'Basic realm="{self.realm}"'


def same(left, right):
    return hmac.compare_digest(left.encode(), right.encode())


def proof(secret, nonce):
    """What shows knowledge of `secret` without sending it (stands for CRAM-MD5)."""
    return hmac.new(secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()
