#!/usr/bin/env python3
"""Drives a chat server from outside: a client that talks, one that reads along, and one that does not read for long.

usage: chat_check.py PORT [LINES] [SECONDS]

The reader has to get every line. The slow one has to be told how many it missed, and they and the lines it got have to be
all. Exits with 1 and one line that says what went wrong, within SECONDS of silence in any case.
"""

import re
import socket
import sys
import time

HOST = "127.0.0.1"
BATCH = 50  # fewer than the server keeps for a client: who reads along cannot fall behind
FILLER = "x" * 1000


class Failed(Exception):
    pass


class Client:
    """One who takes part. Its greeting tells that the server counts with it."""

    def __init__(self, port, name, seconds, receive_buffer=None):
        self.name = name
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(seconds)
        self.sock.connect((HOST, port))
        self.input = self.sock.makefile("r", encoding="utf-8", newline="\n")
        greeting = re.fullmatch(r"you are client (\d+)", self.receive())
        if not greeting:
            raise Failed(f"the {name} got no greeting")
        self.number = int(greeting.group(1))

    def send(self, text):
        self.sock.sendall(text.encode())

    def receive(self):
        try:
            line = self.input.readline()
        except TimeoutError as e:
            raise Failed(f"the {self.name} gets nothing any more") from e
        if not line.endswith("\n"):
            raise Failed(f"the {self.name} was disconnected")
        return line[:-1]

    def expect(self, line):
        got = self.receive()
        if got != line:
            raise Failed(f"the {self.name} got '{got[:60]}' in place of '{line[:60]}'")


def check(port, lines, seconds):
    talker = Client(port, "talker", seconds)
    reader = Client(port, "reader", seconds)
    slow = Client(port, "slow client", seconds, receive_buffer=4096)
    prefix = f"{talker.number}: "
    for start in range(0, lines, BATCH):
        batch = [f"{n} {FILLER}" for n in range(start, min(start + BATCH, lines))]
        talker.send("".join(line + "\n" for line in batch))
        for line in batch:
            reader.expect(prefix + line)
    talker.send("end\n")
    reader.expect(prefix + "end")

    received = missed = 0
    while (line := slow.receive()) != prefix + "end":
        told = re.fullmatch(r"you missed (\d+) messages", line)
        if told:
            missed += int(told.group(1))
        elif line == f"{prefix}{received + missed} {FILLER}":
            received += 1
        else:
            raise Failed(f"the slow client got '{line[:60]}' after {received} lines and {missed} missed ones")
    if not missed:
        raise Failed("the slow client missed nothing: it was not slow enough")
    if received + missed != lines:
        raise Failed(f"the slow client got {received} lines and missed {missed}, which is not {lines}")
    return received, missed


def main(arguments):
    port, lines, seconds = (int(a) for a in arguments + ["20000", "30"][len(arguments) - 1 :])
    start = time.monotonic()
    try:
        received, missed = check(port, lines, seconds)
    except (Failed, OSError) as e:
        print(f"chat_check: {e}", file=sys.stderr)
        return 1
    took = time.monotonic() - start
    print(
        f"chat_check: the reader got all {lines} lines, the slow client {received},"
        f" and was told of the {missed} it missed, in {took:.1f} s"
    )
    return 0


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
