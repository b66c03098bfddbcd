"""The socat column of benchmarks/compare. Speaks as much of the columns' protocol as a proxy needs.

* `list` prints `proxy`;
* `proxy PORT` prints `listening PORT`, then for each line of standard input `cpu NANOSECONDS` used so far by socat and
  the processes that it has forked, and ends with the input.
"""

import os
import re
import socket
import subprocess
import sys

BUFFER_SIZE = 65536


def ticks(pid, with_ended_children):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_ended_children else 13]))


def cpu_nanos(listener):
    """The listener's, that of the children it has waited for, and that of those that still run."""
    total = ticks(listener, True)
    with open(f"/proc/{listener}/task/{listener}/children") as children:
        for child in children.read().split():
            try:
                total += ticks(child, True)
            except (FileNotFoundError, ProcessLookupError):
                pass  # has ended, before its file was opened or before it was read
    return total * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def proxy(target):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["socat", "-d", "-d", "-b", str(BUFFER_SIZE)]
    command += [f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=1024,nodelay"]
    command += [f"TCP:127.0.0.1:{target},nodelay"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if re.search(r" listening on ", line):
                break
        else:
            sys.exit("error: socat does not listen")
        print("listening", port, flush=True)
        # What it says of each connection goes nowhere.
        subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        for _ in sys.stdin:
            print("cpu", cpu_nanos(process.pid), flush=True)
    finally:
        process.kill()


if sys.argv[1:] == ["list"]:
    print("proxy")
elif len(sys.argv) == 3 and sys.argv[1] == "proxy":
    proxy(int(sys.argv[2]))
else:
    sys.exit("usage: list | proxy PORT")
