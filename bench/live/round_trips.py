"""How often clients of a database wait for an answer: what the kernel counts for each connection (sock_diag(7)), without standing between.

A server sends what it has once nothing more was asked; an answer of up to 8 kB, which those to writes are, is one segment of data on the
loopback. Longer answers count more than once."""

import errno
import os
import socket
import struct
import threading

NETLINK_SOCK_DIAG, BY_FAMILY, REQUEST_DUMP = 4, 20, 0x301
ERROR, DONE = 2, 3
ESTABLISHED, INFO = 1, 2
HEADER, MESSAGE, ATTRIBUTE = struct.calcsize("=IHHII"), 72, 4
SEGMENTS_OUT = 156  # of struct tcp_info: tcpi_data_segs_out


def connections(port):
    """The client's port -> segments of data sent to it, of connections to `port` of this machine (IPv4)."""
    id_ = struct.pack("!HH", port, 0) + bytes(36) + struct.pack("=II", 0xffffffff, 0xffffffff)  # any address, interface and cookie
    body = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 1 << (INFO - 1), 0, 1 << ESTABLISHED) + id_
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
        kernel.send(struct.pack("=IHHII", HEADER + len(body), BY_FAMILY, REQUEST_DUMP, 1, 0) + body)
        while True:
            answer = kernel.recv(1 << 20)
            place = 0
            while place < len(answer):
                length, kind = struct.unpack_from("=IH", answer, place)
                if kind == DONE:
                    return found
                if kind == ERROR:
                    raise OSError(-struct.unpack_from("=i", answer, place + HEADER)[0], "sock_diag")
                server, client = struct.unpack_from("!HH", answer, place + HEADER + 4)
                segments = _segments(answer[place + HEADER + MESSAGE:place + length])
                if server == port and segments is not None:
                    found[client] = segments
                place += (length + 3) & ~3


def _segments(attributes):
    place = 0
    while place + ATTRIBUTE <= len(attributes):
        length, kind = struct.unpack_from("=HH", attributes, place)
        if kind == INFO and length >= ATTRIBUTE + SEGMENTS_OUT + 4:
            return struct.unpack_from("=I", attributes, place + ATTRIBUTE + SEGMENTS_OUT)[0]
        place += max((length + 3) & ~3, ATTRIBUTE)
    return None


class RoundTrips:
    """Counts from its construction to close(), looking ten times a second: what a connection did after the last look before it ended is
    not counted, nor are connections that only one look saw (those of the measuring itself)."""

    def __init__(self, port):
        self.port, self.seen, self.known = port, {}, True
        self.over, self.lock = threading.Event(), threading.Lock()
        self.before = self._look()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _look(self):
        try:
            return connections(self.port)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EINVAL, errno.EPERM, errno.EACCES):
                raise
            self.known = False  # a kernel that does not tell
            return {}

    def _watch(self):
        while self.known and not self.over.wait(0.1):
            self._add()

    def _add(self):
        with self.lock:
            for client, segments in self._look().items():
                looks, last, ended = self.seen.get(client, (0, 0, 0))
                if segments < last:  # another connection from the same port
                    ended += last
                self.seen[client] = (looks + 1, segments, ended)

    def count(self):
        """So far; None where the kernel does not tell."""
        self._add()
        with self.lock:
            total = sum(last + ended - self.before.get(client, 0) for client, (looks, last, ended) in self.seen.items() if looks > 1)
        return total if self.known else None

    def close(self):
        self.over.set()
        self.thread.join()
