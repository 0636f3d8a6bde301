"""A proxy before an S3 server that fails requests on command, as S3 and networks do."""

import atexit
import contextlib
import http.client
import http.server
import re
import select
import socket
import struct
import threading
import urllib.parse
import xml.sax.saxutils

from lab.process import free_port

KINDS = {
    "500": (500, "InternalError", "We encountered an internal error. Please try again."),
    "503": (503, "SlowDown", "Please reduce your request rate."),
    "403": (403, "AccessDenied", "Access Denied"),
    "hang": None,        # never answers; the connection stays until `clear` or until the client leaves
    "stall_upload": None,  # reads half of the body and no more, as `hang`; the server gets nothing
    "stall_answer": None,  # the server does it; the answer stops in its first line, as `hang`
    "cut_upload": None,  # reads half of the body, then resets the connection; the server gets nothing
    "cut_answer": None,  # the server does it, the answer is lost
    "cut_download": None,  # half of the answer's body, then a reset
}


class S3Faults:
    """Listens at `port` of the loopback and forwards to an S3 of s3.py, Host header included, so that signatures stay good.

    fault(kind, method=, match=, nth=, every=, times=): the `nth` request from now (default: the next one), or `every` so many, of those
    with this method whose path and query contain the regular expression. Commands come from any thread."""

    def __init__(self, s3):
        self.s3, self.port = s3, free_port()
        self.requests = []      # (method, path with query, status or the fault's kind), in order of their ends
        self.removals = []      # keys that clients asked to remove, one by one or many at once, whatever was answered
        self.left = 0           # hanging and stalled requests whose clients gave up (or were killed)
        self._faults, self._lock, self._thaw = [], threading.Lock(), threading.Event()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        atexit.register(self.stop)

    # What clients take from an S3, but for the endpoint.
    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def access_key(self):
        return self.s3.access_key

    @property
    def secret_key(self):
        return self.s3.secret_key

    @property
    def region(self):
        return self.s3.region

    # ---- commands ----

    def fault(self, kind, method=None, match=None, nth=None, every=None, times=None):
        if kind not in KINDS:
            raise ValueError(f"no fault {kind!r}; there are: {', '.join(KINDS)}")
        with self._lock:
            self._faults.append({
                "kind": kind,
                "method": method,
                "match": match,
                "nth": nth or (None if every else 1),
                "every": every,
                "times": times,
                "seen": 0,
                "hit": 0
            })

    def clear(self):
        """No more faults; hanging requests are reset."""
        with self._lock:
            self._faults.clear()
        self._thaw.set()
        self._thaw = threading.Event()

    def hits(self):
        """How many requests were failed so far by the faults that are set."""
        with self._lock:
            return sum(fault["hit"] for fault in self._faults)

    def stop(self):
        self.clear()
        self.server.shutdown()
        self.server.server_close()

    # ---- for the handler ----

    def decide(self, method, path):
        with self._lock:
            answer = None
            for fault in self._faults:
                if (fault["method"] and fault["method"] != method) or (fault["match"] and not re.search(fault["match"], path)):
                    continue
                fault["seen"] += 1
                hit = fault["seen"] == fault["nth"] if fault["nth"] else fault["seen"] % fault["every"] == 0
                if answer is None and hit and (fault["times"] is None or fault["hit"] < fault["times"]):
                    fault["hit"] += 1
                    answer = fault["kind"]
            return answer

    def done(self, method, path, outcome):
        with self._lock:
            self.requests.append((method, path, outcome))

    def removes(self, keys):
        with self._lock:
            self.removals += keys

    def stall(self, client):
        """Until `clear`, or until the client has closed its end."""
        thaw, ends = self._thaw, select.poll()
        ends.register(client, select.POLLRDHUP)
        while not thaw.wait(0.05):
            if ends.poll(0):
                with self._lock:
                    self.left += 1
                return


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def handle(self):
        with contextlib.suppress(ConnectionError):  # clients are killed, and give up
            super().handle()

    def _serve(self):
        fault = self.owner.decide(self.command, self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if fault == "hang":
            return self._stall(fault)
        if fault in ("cut_upload", "stall_upload"):
            self.rfile.read(length // 2)
            if fault == "stall_upload":
                return self._stall(fault)
            self.owner.done(self.command, self.path, fault)
            return self._reset()
        body = self._body(length)
        self._note_removals(body)
        if fault and KINDS[fault]:
            status, code, words = KINDS[fault]
            self.owner.done(self.command, self.path, status)
            return self._answer(
                status, [("Content-Type", "application/xml")],
                f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{words}</Message><RequestId>TEST</RequestId></Error>".encode())
        try:
            status, headers, answer = self._forward(body)
        except (OSError, http.client.HTTPException):
            self.owner.done(self.command, self.path, "unreachable")
            return self._reset()
        if fault == "stall_answer":
            self.wfile.write(b"HTTP/1.1 2")
            return self._stall(fault)
        self.owner.done(self.command, self.path, fault or status)
        if fault == "cut_answer":
            return self._reset()
        return self._answer(status, headers, answer, half=fault == "cut_download")

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve

    def _body(self, length):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(length)
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _stall(self, fault):
        self.owner.done(self.command, self.path, fault)
        self.owner.stall(self.connection)
        self._reset()

    def _note_removals(self, body):
        path, _, query = self.path.partition("?")
        if self.command == "DELETE":
            self.owner.removes([urllib.parse.unquote(path).partition("/" + self.owner.s3.bucket + "/")[2]])
        elif self.command == "POST" and query.split("=")[0] == "delete":
            self.owner.removes([xml.sax.saxutils.unescape(key) for key in re.findall("<Key>([^<]*)</Key>", body.decode())])

    def _forward(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.owner.s3.port, timeout=120)
        with contextlib.closing(connection):
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("expect", "connection", "transfer-encoding", "content-length"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, [(name, value) for name, value in answer.getheaders()
                                   if name.lower() not in ("transfer-encoding", "connection", "date", "server")], raw

    def _answer(self, status, headers, body, half=False):
        self.send_response(status)
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:len(body) // 2] if half else body)
        if half:
            self.wfile.flush()
            self._reset()

    def _reset(self):
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
