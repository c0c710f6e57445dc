"""A login at PostgreSQL with the standard library alone, as a proof of a credential.

An application has a driver, and proves with that what it needs: one query of its own is worth more than a login.
This file is here so that the example runs with nothing but boto3.
"""

import base64
import hashlib
import hmac
import os
import secrets
import socket
import ssl
import struct

TIMEOUT_SECONDS = float(os.environ.get("LOGIN_TIMEOUT_SECONDS", "5"))


class LoginFailed(Exception):
    """PostgreSQL, or the way to it, does not take the credential. The text holds no secret value."""


def log_in(secret, application):
    """Logs in as a secret of AWS's documented shape says, and out again. Raises LoginFailed or OSError."""
    host, port = secret["host"], int(secret.get("port", 5432))
    with socket.create_connection((host, port), TIMEOUT_SECONDS) as plain:
        if secret.get("ssl") in (True, "true"):
            with _encrypted(plain, host) as connection:
                _authenticate(connection, secret, application)
        else:
            _authenticate(plain, secret, application)


def _encrypted(plain, host):
    plain.sendall(struct.pack("!ii", 8, 80877103))
    if plain.recv(1) != b"S":
        raise LoginFailed("the server has no TLS, and the secret asks for it")
    authorities = os.environ.get("PGSSLROOTCERT")
    return ssl.create_default_context(cafile=authorities).wrap_socket(plain, server_hostname=host)


def _authenticate(connection, secret, application):
    parameters = {
        "user": secret["username"],
        "database": secret.get("dbname", "postgres"),
        "application_name": application,
    }
    text = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    connection.sendall(struct.pack("!ii", len(text) + 8, 196608) + text)
    scram = Scram(secret["password"])
    while True:
        kind, body = _receive(connection)
        if kind == b"E":
            fields = {field[:1]: field[1:].decode("utf-8", "replace") for field in body.split(b"\0") if field}
            raise LoginFailed(f"{fields.get(b'C')} {fields.get(b'M')}")
        if kind == b"Z":
            _send(connection, b"X", b"")
            return
        if kind == b"R":
            answer = scram.answer(struct.unpack("!i", body[:4])[0], body[4:])
            if answer is not None:
                _send(connection, b"p", answer)


class Scram:
    """The client's side of SCRAM-SHA-256 (RFC 7677), without channel binding."""

    def __init__(self, password):
        self.password = password.encode()
        self.first = f"n=,r={secrets.token_urlsafe(18)}"
        self.signature = None
        self.is_proved = False

    def answer(self, method, body):
        if method == 0 and self.is_proved:
            return None
        if method == 10 and b"SCRAM-SHA-256" in body.split(b"\0"):
            message = f"n,,{self.first}".encode()
            return b"SCRAM-SHA-256\0" + struct.pack("!i", len(message)) + message
        if method == 11:
            return self._final(body.decode())
        if method == 12 and self._is_the_server(body.decode()):
            self.is_proved = True
            return None
        raise LoginFailed(f"authentication request {method} is not SCRAM-SHA-256, or proves nothing")

    def _final(self, server_first):
        said = _members(server_first)
        nonce = said["r"]
        if not nonce.startswith(_members(self.first)["r"]):
            raise LoginFailed("the server answers somebody else")
        salt = base64.b64decode(said["s"])
        salted = hashlib.pbkdf2_hmac("sha256", self.password, salt, int(said["i"]))
        bare = f"c=biws,r={nonce}"
        everything = f"{self.first},{server_first},{bare}".encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        mask = hmac.digest(hashlib.sha256(key).digest(), everything, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, mask))
        self.signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), everything, "sha256")
        return f"{bare},p={base64.b64encode(proof).decode()}".encode()

    def _is_the_server(self, server_final):
        signature = base64.b64decode(_members(server_final).get("v", ""))
        return self.signature is not None and hmac.compare_digest(signature, self.signature)


def _members(message):
    return dict(part.split("=", 1) for part in message.split(","))


def _send(connection, kind, body):
    connection.sendall(kind + struct.pack("!i", len(body) + 4) + body)


def _receive(connection):
    head = _exactly(connection, 5)
    return head[:1], _exactly(connection, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(connection, count):
    received = b""
    while len(received) < count:
        some = connection.recv(count - len(received))
        if some == b"":
            raise LoginFailed("the server hung up")
        received += some
    return received
