#!/usr/bin/env python3
"""Drives a TCP echo server from outside: many connections at once, every byte compared.

usage: echo_check.py PORT [CONNECTIONS] [ROUND_TRIPS] [SECONDS]

All connections are open before the first byte is sent, and each has one message of 1 KiB on its way at any time.
Exits with 1 and one line that says what went wrong, within SECONDS in any case.
"""

import random
import resource
import selectors
import socket
import sys
import time

HOST = "127.0.0.1"
SIZE = 1024


class Failed(Exception):
    pass


class Session:
    """One connection: what it sends next, and how much of the answer has come."""

    def __init__(self, number, sock, data):
        self.number = number
        self.sock = sock
        self.data = data
        self.round = 0
        self.unsent = memoryview(b"")
        self.expected = b""
        self.received = bytearray()

    def next_message(self):
        # Differs in each connection and round: a mixed-up, repeated or lost answer cannot pass.
        start = (self.number * 131 + self.round * 17) % (len(self.data) - SIZE)
        head = b"%08d:%08d:" % (self.number, self.round)
        self.expected = head + self.data[start : start + SIZE - len(head)]
        self.unsent = memoryview(self.expected)
        self.received = bytearray()

    def send(self):
        """Sends what it can; true if nothing is left."""
        try:
            while self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
            return True
        except BlockingIOError:
            return False

    def receive(self):
        """Takes what has come; true if the answer is complete and right."""
        chunk = self.sock.recv(4 * SIZE)
        if not chunk:
            raise Failed(f"connection {self.number} was closed in round {self.round}")
        self.received += chunk
        if len(self.received) < SIZE:
            return False
        if self.received != self.expected:
            raise Failed(f"connection {self.number} got other bytes back in round {self.round}")
        return True


def connect(port, count):
    sockets = []
    for number in range(count):
        try:
            sock = socket.create_connection((HOST, port), timeout=10)
        except OSError as e:
            raise Failed(f"connection {number} was not accepted: {e}") from e
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets.append(sock)
    return sockets


def check(port, connections, rounds, seconds):
    deadline = time.monotonic() + seconds
    data = random.Random(20261123).randbytes(64 * SIZE)
    selector = selectors.DefaultSelector()
    open_sessions = 0

    def transmit(session):
        wanted = selectors.EVENT_READ if session.send() else selectors.EVENT_READ | selectors.EVENT_WRITE
        if selector.get_key(session.sock).events != wanted:
            selector.modify(session.sock, wanted, session)

    for number, sock in enumerate(connect(port, connections)):
        session = Session(number, sock, data)
        selector.register(sock, selectors.EVENT_READ, session)
        open_sessions += 1
    for key in list(selector.get_map().values()):
        key.data.next_message()
        transmit(key.data)

    while open_sessions:
        left = deadline - time.monotonic()
        events = selector.select(left) if left > 0 else []
        if not events:
            rounds_done = sorted(key.data.round for key in selector.get_map().values())
            raise Failed(
                f"not done after {seconds} s: {open_sessions} of {connections} connections are open,"
                f" in rounds {rounds_done[0]} to {rounds_done[-1]} of {rounds}"
            )
        for key, mask in events:
            session = key.data
            if mask & selectors.EVENT_WRITE:
                transmit(session)
            if mask & selectors.EVENT_READ and session.receive():
                session.round += 1
                if session.round < rounds:
                    session.next_message()
                    transmit(session)
                else:
                    selector.unregister(session.sock)
                    session.sock.close()
                    open_sessions -= 1


def main(arguments):
    port, connections, rounds, seconds = (int(a) for a in arguments + ["1000", "100", "60"][len(arguments) - 1 :])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    start = time.monotonic()
    try:
        check(port, connections, rounds, seconds)
    except (Failed, OSError) as e:
        print(f"echo_check: {e}", file=sys.stderr)
        return 1
    took = time.monotonic() - start
    print(f"echo_check: {connections} connections x {rounds} round trips of {SIZE} bytes, all as sent, in {took:.1f} s")
    return 0


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
