"""A TCP proxy that cuts connections on command: now, always, or exactly around a COMMIT of the PostgreSQL protocol. It counts round trips."""

import atexit
import contextlib
import re
import socket
import struct
import threading
import time

from lab.process import free_port

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102  # PostgreSQL's documentation, "Message Formats"
READY = b"Z\x00\x00\x00\x05"
COMMIT = re.compile(rb"^\s*(commit|end)\b|;\s*(commit|end)\b", re.IGNORECASE)


class TcpProxy:
    """Listens at `port` of the loopback and forwards to `target_port`. Commands come from any thread and count from then on.

    `postgresql`: understands the protocol, for cut_commits; clients must come without TLS (sslmode=disable)."""

    def __init__(self, target_port, postgresql=True):
        self.target_port, self.postgresql, self.port = target_port, postgresql, free_port()
        self.delay = 0.0             # seconds that each piece waits, in both directions
        self.accepted = 0            # connections so far
        self.commits = 0             # COMMITs seen so far
        self.cuts = 0                # COMMITs cut so far
        self.round_trips = 0         # times that a client waited for what it had sent
        self._commit_cut = None      # [where, every, times left]
        self._since = 0              # COMMITs since that command
        self._open = threading.Event()
        self._open.set()             # not set: a black hole
        self._lock, self._pairs, self._listener = threading.Lock(), set(), None
        self.accept()
        atexit.register(self.stop)

    # ---- commands ----

    def accept(self):
        """Takes new connections (again)."""
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def refuse(self):
        """New connections are refused; those that are there go on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def cut(self):
        """Resets all connections now; answers how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            pair.close()
        return len(pairs)

    def away(self):
        """As if the server's machine were gone: refuses and cuts."""
        self.refuse()
        self.cut()

    def freeze(self):
        """A black hole: connections stay and are taken, nothing goes through."""
        self._open.clear()

    def thaw(self):
        self._open.set()

    def cut_commits(self, where, every=1, times=None):
        """Cuts the connection at every `every`th COMMIT, `times` times (None: always). where = "before": the server never gets it (it
        rolls back); "after": the server has committed and its answer is lost. None: no more."""
        if where not in ("before", "after", None):
            raise ValueError(where)
        with self._lock:
            self._commit_cut = None if where is None else [where, every, times]
            self._since = 0

    def stop(self):
        self.away()
        self.thaw()

    # ---- threads ----

    def _serve(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        self._open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), 30)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        pair = _Pair(self, client, server)
        with self._lock:
            self._pairs.add(pair)
        threading.Thread(target=pair.pump_answers, daemon=True).start()
        pair.pump_requests()

    def _forget(self, pair):
        with self._lock:
            self._pairs.discard(pair)

    def _decide(self):
        """What happens to the COMMIT that has just come: None, before, after."""
        with self._lock:
            self.commits += 1
            if self._commit_cut is None:
                return None
            where, every, times = self._commit_cut
            self._since += 1
            if self._since % every or times == 0:
                return None
            if times is not None:
                self._commit_cut[2] -= 1
            self.cuts += 1
            return where

    def _pass(self):
        """Waits as the commands say before a piece goes on."""
        if self.delay:
            time.sleep(self.delay)
        self._open.wait()


def _reset(connection):
    """Closes with RST, as a machine that is gone or a firewall does."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
    connection.close()


class _Pair:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.swallow = False  # the answer to a COMMIT must not come back

    def close(self):
        _reset(self.client)
        _reset(self.server)

    def pump_requests(self):
        scan = _Requests() if self.proxy.postgresql else None
        with contextlib.suppress(OSError):
            while piece := self.client.recv(262144):
                self.proxy._pass()
                for part, commit in scan.parts(piece) if scan else [(piece, False)]:
                    where = self.proxy._decide() if commit else None
                    if where == "before":
                        raise ConnectionResetError
                    if where == "after":
                        self.swallow = True
                    self.server.sendall(part)
                if scan:
                    self.proxy.round_trips += scan.take_round_trips()
        self._end()

    def pump_answers(self):
        kept = b""
        with contextlib.suppress(OSError):
            while piece := self.server.recv(262144):
                self.proxy._pass()
                if self.swallow:
                    kept += piece
                    if READY in kept[-6:]:
                        break
                    continue
                self.client.sendall(piece)
        self._end()

    def _end(self):
        self.proxy._forget(self)
        self.close()


class _Requests:
    """Cuts what a client sends at its COMMIT messages. Only heads of messages are looked at; large bodies pass in pieces."""

    def __init__(self):
        self.kept = b""         # the head of a message that is not yet complete
        self.rest = 0           # bytes of the present message that only pass
        self.started = False
        self.round_trips = 0    # Sync and Query messages since take_round_trips()

    def take_round_trips(self):
        taken, self.round_trips = self.round_trips, 0
        return taken

    def parts(self, piece):
        """(bytes, whether they are a COMMIT), in order. A COMMIT is handed out whole."""
        data, self.kept, begin, place = self.kept + piece, b"", 0, 0
        while place < len(data):
            if self.rest:
                step = min(self.rest, len(data) - place)
                place, self.rest = place + step, self.rest - step
                continue
            head = 5 if self.started else 8
            if len(data) - place < head:
                break
            if not self.started:
                size, code = struct.unpack_from(">ii", data, place)
                self.started = code not in (SSL_REQUEST, GSS_REQUEST)
                self.rest = size
                continue
            size = struct.unpack_from(">i", data, place + 1)[0] + 1
            if data[place:place + 1] in b"SQ" and (data[place:place + 1] == b"S" or len(data) - place >= size):
                self.round_trips += 1
            if data[place:place + 1] not in b"QP" or size > 4096:
                self.rest = size
                continue
            if len(data) - place < size:
                break
            body = data[place + 5:place + size]
            text = body.split(b"\0")[0 if data[place:place + 1] == b"Q" else 1]
            if COMMIT.search(text):
                if place > begin:
                    yield data[begin:place], False
                yield data[place:place + size], True
                begin = place + size
            place += size
        if place > begin:
            yield data[begin:place], False
        self.kept = data[place:]
