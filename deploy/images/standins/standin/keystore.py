"""A PKCS12 keystore as TLS contexts, without the key ever touching a disk.

openssl unpacks it into memory (a memfd, readable by this process alone); its password goes by a
pipe, never by the command line.
"""
import os
import ssl
import subprocess

DEADLINE_S = 20
PEM_LIMIT_BYTES = 1024 * 1024


class KeystoreError(Exception):
    pass


def load(path, password):
    """-> (server context, client context that trusts the keystore's certificates)."""
    pem = unpack(path, password)
    descriptor = os.memfd_create("keystore", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem)
        name = f"/proc/self/fd/{descriptor}"
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.minimum_version = ssl.TLSVersion.TLSv1_2
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            server.load_cert_chain(name)
            client.load_verify_locations(name)
        except (ssl.SSLError, OSError) as error:
            raise KeystoreError(f"keystore '{path}' holds no usable key and certificate "
                                f"({getattr(error, 'reason', None) or error})") from None
        return server, client
    finally:
        os.close(descriptor)


def unpack(path, password):
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise KeystoreError(f"cannot read keystore '{path}': {error.strerror}") from None
    try:
        done = subprocess.run(["openssl", "pkcs12", "-in", path, "-passin", "stdin", "-nodes"],
                              input=((password or "") + "\n").encode(), capture_output=True,
                              timeout=DEADLINE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise KeystoreError("openssl did not run: it unpacks keystores") from None
    if done.returncode != 0 or len(done.stdout) > PEM_LIMIT_BYTES:
        raise KeystoreError(f"keystore '{path}' was tampered with, is not PKCS12, or the password "
                            "was incorrect (the stand-in reads no JKS)")
    return done.stdout
