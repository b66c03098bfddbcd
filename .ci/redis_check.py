#!/usr/bin/env python3
"""Asks two Redis servers the same, at random, and compares what they answer, byte for byte.

usage: redis_check.py PORT REFERENCE_PORT [COMMANDS] [SEED]

Empties both. Commands go out in pipelines of random length, cut at random places. A time to live may differ by what
passes between the two answers. Exits with 1 and the first difference.
"""

import random
import re
import socket
import sys

KEYS = [b"a", b"b", b"braid", b"", b"\x00\xff\r\n", b"k" * 300]
VALUES = [b"", b"1", b"-7", b"007", b"-0", b"+3", b" 4", b"4 ", b"text", b"\r\n$3\r\n", b"v" * 5000,
          b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"1e3", b"18446744073709551616"]
TIMES = [b"0", b"-5", b"900000", b"3600000", b"99999999", b"x", b"", b"9223372036854775807", b"-9223372036854775808", b"1.5"]
WORDS = [b"EX", b"px", b"NX", b"xx", b"GET", b"KEEPTTL", b"bogus"]
NAMES = [b"PING", b"ECHO", b"GET", b"SET", b"MGET", b"MSET", b"DEL", b"EXISTS", b"INCR", b"DECR", b"INCRBY", b"DECRBY",
         b"EXPIRE", b"PEXPIRE", b"PERSIST", b"TTL", b"PTTL", b"DBSIZE", b"FLUSHALL", b"PUBLISH", b"UNSUBSCRIBE", b"SELECT"]


def encode(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Client:
    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 20)
        self.input = self.sock.makefile("rb")

    def send(self, data, rng):
        while data:
            cut = rng.randint(1, len(data)) if rng.random() < 0.3 else len(data)
            self.sock.sendall(data[:cut])
            data = data[cut:]

    def reply(self):
        line = self.input.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"disconnected after {line!r}")
        if line[:1] == b"$" and line != b"$-1\r\n":
            return line + self.input.read(int(line[1:]) + 2)
        if line[:1] == b"*":
            return line + b"".join(self.reply() for _ in range(max(0, int(line[1:]))))
        return line


def command(rng):
    """Returns one command, mostly one that makes sense."""
    key, value, time = (lambda: rng.choice(KEYS)), (lambda: rng.choice(VALUES)), (lambda: rng.choice(TIMES))
    if rng.random() < 0.05:
        return [rng.choice(NAMES)] + [rng.choice(KEYS + VALUES + TIMES) for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.01:
        return [rng.choice([b"nonsense", b"get\r\n", b"", b"x" * 200])] + [value() for _ in range(rng.randint(0, 20))]
    kind = rng.choice(["set", "set", "set", "get", "get", "number", "number", "time", "many", "other"])
    if kind == "set":
        words = [b"SET", key(), value()]
        for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3])):
            option = rng.choice(WORDS)
            words += [option, time()] if option in (b"EX", b"px") and rng.random() < 0.95 else [option]
        return words
    if kind == "get":
        return [rng.choice([b"GET", b"get", b"gEt"]), key()]
    if kind == "number":
        name = rng.choice([b"INCR", b"DECR", b"INCRBY", b"DECRBY"])
        return [name, key()] + ([value()] if name.endswith(b"BY") else [])
    if kind == "time":
        name = rng.choice([b"EXPIRE", b"PEXPIRE", b"PERSIST", b"TTL", b"PTTL"])
        return [name, key()] + ([time()] if name.endswith(b"EXPIRE") else [])
    if kind == "many":
        name = rng.choice([b"MGET", b"MSET", b"DEL", b"EXISTS"])
        count = rng.randint(1, 4)
        return [name] + ([w for _ in range(count) for w in (key(), value())] if name == b"MSET" else [key() for _ in range(count)])
    return rng.choice([[b"PING"], [b"PING", value()], [b"ECHO", value()], [b"DBSIZE"], [b"PUBLISH", key(), value()],
                       [b"UNSUBSCRIBE", key()], [b"UNSUBSCRIBE"], [b"SELECT", b"0"], [b"HELLO", b"9"], [b"COMMAND", b"what"],
                       [b"CONFIG", b"GET", b"save"], [b"CONFIG", b"GET", b"APPENDONL?"], [b"CONFIG", b"GET"], [b"CONFIG", b"frob"]])


def same(words, got, expected):
    """Whether two answers are the same, but for the time between them and for what errors quote."""
    if got == expected:
        return True
    numbers = re.fullmatch(rb":(\d+)\r\n:(\d+)\r\n", got + expected)
    if words[0] in (b"TTL", b"PTTL") and numbers:
        return abs(int(numbers[1]) - int(numbers[2])) <= 5000
    unknown = b"-ERR unknown command"
    if got.startswith(unknown) and expected.startswith(unknown):
        return True
    return expected.startswith(b"-ERR Unsupported option") and got.startswith(b"-ERR wrong number")  # before Redis 7


def main(arguments):
    port, reference, count, seed = (int(a) for a in arguments + ["20000", str(random.randrange(1 << 30))][len(arguments) - 2 :])
    print(f"redis_check: {count} commands, seed {seed}")
    rng = random.Random(seed)
    tested, real = Client(port), Client(reference)
    done = 0
    batch = [[b"FLUSHALL"]]
    while done < count:
        data = b"".join(encode(words) for words in batch)
        tested.send(data, rng)
        real.send(data, rng)
        for words in batch:
            for _ in range(max(1, len(words) - 1) if words[0] == b"UNSUBSCRIBE" else 1):
                got, expected = tested.reply(), real.reply()
                if not same(words, got, expected):
                    print(f"redis_check: {words!r} is answered {got!r}, and {expected!r} by Redis", file=sys.stderr)
                    return 1
        done += len(batch)
        batch = [command(rng) for _ in range(rng.choice([1, 1, 2, 5, 50]))]
    print(f"redis_check: all answers alike")
    return 0


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
