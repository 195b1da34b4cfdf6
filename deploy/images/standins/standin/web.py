"""A small HTTP/1.1 server and client: limits, time-outs, TLS where a context is given.

Used by all components. An application has `handle(request) -> Reply`; whatever it raises becomes
a 500 without detail. The `Server` header says stand-in.
"""
import http.client
import json
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

CONNECTIONS_MAX = 256
IDLE_TIMEOUT_S = 15
BODY_LIMIT_BYTES = 1024 * 1024
ANSWER_LIMIT_BYTES = 8 * 1024 * 1024


class Request:
    """One request: `target` is path and query as sent, `headers` ignore case."""

    def __init__(self, method, target, headers, body, peer):
        self.method = method
        self.target = target
        self.path, _, self.query = target.partition("?")
        self.headers = headers
        self.body = body
        self.peer = peer

    def json(self):
        """The body as a JSON object; ValueError when it is not one."""
        value = json.loads(self.body)
        if not isinstance(value, dict):
            raise ValueError("expected a JSON object")
        return value


class Reply:
    """`then`, where given, runs after the answer was written (to leave, for instance)."""

    def __init__(self, status, body=b"", content_type="text/plain; charset=utf-8", headers=(),
                 then=None):
        self.status = status
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = content_type
        self.headers = list(headers)
        self.then = then


def json_reply(value, status=200):
    return Reply(status, json.dumps(value), "application/json")


def refuse_method(allowed):
    return Reply(405, "Expecting one of " + allowed, headers=[("Allow", allowed)])


def unauthorized(basic):
    return Reply(401, "Unauthorized", headers=[("WWW-Authenticate", basic.challenge())])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_S
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def version_string(self):
        return self.server.software

    def log_message(self, format, *args):
        pass  # request lines may hold secrets in their query

    def answer(self):
        body = self.read_body()
        if body is None:
            return
        request = Request(self.command, self.path, self.headers, body, self.client_address[0])
        try:
            reply = self.server.application.handle(request)
        except Exception as error:  # one bad request must not end the thread unanswered
            self.server.log.error(f"{self.command} failed: {type(error).__name__}: {error}")
            reply = Reply(500, "Internal error of the stand-in")
        self.send(reply)
        if reply.then:
            self.wfile.flush()
            reply.then()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = answer

    def read_body(self):
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            return self.give_up(411, "Content-Length is needed")
        if int(length) > BODY_LIMIT_BYTES:
            return self.give_up(413, f"the body is limited to {BODY_LIMIT_BYTES} bytes")
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else self.give_up(400, "the body is too short")

    def give_up(self, status, text):
        self.close_connection = True
        self.send(Reply(status, text))

    def send(self, reply):
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.body:
            self.send_header("Content-Type", reply.content_type)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()


class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on (ip, port); OSError when the address is used. TLS with `tls`, an SSLContext."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, ip, port, application, software, log, tls=None):
        self.address_family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        self.application = application
        self.software = software
        self.log = log
        self.tls = tls
        self.slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__((ip, port), Handler)

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True, name="listener").start()

    def process_request(self, request, client_address):
        if not self.slots.acquire(blocking=False):
            self.log.warning(f"refused a connection: {CONNECTIONS_MAX} are open")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            request.settimeout(IDLE_TIMEOUT_S)
            if self.tls:
                request = self.tls.wrap_socket(request, server_side=True)
            super().process_request_thread(request, client_address)
        except OSError:
            self.shutdown_request(request)  # a failed handshake
        finally:
            self.slots.release()

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ValueError)):
            self.log.error(f"connection failed: {type(error).__name__}: {error}")


def ask(method, url, headers=None, body=b"", timeout_s=5, read_timeout_s=10, tls=None):
    """One request without redirects -> (status, headers, body). OSError or HTTPException."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s,
                                                 context=tls)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    try:
        connection.connect()
        connection.sock.settimeout(read_timeout_s)
        target = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, target or "/", body=body or None, headers=headers or {})
        response = connection.getresponse()
        answer = response.read(ANSWER_LIMIT_BYTES)
        return response.status, response.headers, answer
    finally:
        connection.close()


def post_json(url, value, timeout_s=5):
    """-> (status, object or {}); OSError when nobody answered in time."""
    try:
        status, _, body = ask("POST", url, {"Content-Type": "application/json"},
                              json.dumps(value).encode(), timeout_s, timeout_s)
    except http.client.HTTPException as error:
        raise OSError(type(error).__name__) from None
    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        answer = {}
    return status, answer if isinstance(answer, dict) else {}
