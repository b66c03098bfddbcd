#!/usr/bin/env python3
"""Requests per second of the example MiniRedis, of the same on the JDK's channels, and of Redis, under redis-benchmark.

usage: benchmarks/redis [--rounds N] [--connections N] [--requests N]

All servers run all the time, and in each round each has its turn: SET and GET, one request at a time and 16 in a
pipeline. Prints medians over the rounds with minimum and maximum, and the same of the ratios within each round; and the
processor time of the server per request, which other programs on the machine disturb less. One request at a time
there are as many as given, in pipelines ten times that. Needs Linux, redis-server and redis-benchmark.
"""

import argparse
import csv
import os
import socket
import statistics
import subprocess
import sys
import time

JAVA = ["-XX:+UseParallelGC", "-Xms1g", "-Xmx1g", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-cp"]
MODES = [("", 1), (" -P 16", 16)]
TARGETS = {("redis", 1): 0.6, ("redis", 16): 0.5, ("jdk", 1): 1.2, ("jdk", 16): 1.2}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, name, command):
        self.name = name
        self.port = free_port()
        self.process = subprocess.Popen(
            [part.replace("PORT", str(self.port)) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def await_start(self):
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"redis: the server {self.name} ended with {self.process.returncode}")
                time.sleep(0.1)
        sys.exit(f"redis: the server {self.name} does not listen after 30 s")

    def load(self, connections, requests, pipeline):
        """Returns requests per second of SET and GET, and microseconds of the server's processor time per request."""
        before = self.processor_time()
        output = subprocess.run(
            ["redis-benchmark", "-p", str(self.port), "-t", "set,get", "-c", str(connections), "-n", str(requests),
             "-P", str(pipeline), "--csv"],
            capture_output=True, text=True, timeout=300, check=True,
        ).stdout
        rows = list(csv.reader(line for line in output.splitlines() if line.startswith('"')))
        found = {row[0]: float(row[1]) for row in rows if row[0] in ("SET", "GET")}
        if len(found) != 2:
            sys.exit(f"redis: not understood: {output}")
        found["CPU"] = (self.processor_time() - before) * 1e6 / (2 * requests)
        return found

    def processor_time(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(values, digits):
    low, middle, high = (f"{v:,.{digits}f}" for v in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


def report(figures):
    """Prints the tables."""
    print(f"| {'operation':<11} | {'server':<8} | {'requests per second':<31} | {'MiniRedis to it':<22} | target |")
    print("|" + "|".join("-" * width for width in (13, 10, 33, 24, 8)) + "|")
    for label, pipeline in MODES:
        for operation in ("SET", "GET"):
            own = figures[("kumihimo", pipeline, operation)]
            for name in ("kumihimo", "jdk", "redis"):
                values = figures[(name, pipeline, operation)]
                ratios = "" if name == "kumihimo" else spread([a / b for a, b in zip(own, values)], 2)
                target = TARGETS.get((name, pipeline), "")
                print(f"| {operation + label:<11} | {name:<8} | {spread(values, 0):<31} | {ratios:<22} | {target:<6} |")
    print()
    print(f"| {'operation':<11} | {'server':<8} | {'µs of processor per request':<31} |")
    print("|" + "|".join("-" * width for width in (13, 10, 33)) + "|")
    for label, pipeline in MODES:
        for name in ("kumihimo", "jdk", "redis"):
            print(f"| {'both' + label:<11} | {name:<8} | {spread(figures[(name, pipeline, 'CPU')], 2):<31} |")


def main():
    parser = argparse.ArgumentParser(
        prog="benchmarks/redis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--requests", type=int, default=100_000)
    options = parser.parse_args()
    java = os.path.join(os.environ["JAVA_HOME"], "bin", "java")
    servers = []
    try:
        for name, command in (
            ("kumihimo", [java, *JAVA, os.environ["KUMIHIMO_EXAMPLES_CLASS_PATH"], "dev.kumihimo.examples.MiniRedis", "PORT"]),
            ("jdk", [java, *JAVA, os.environ["KUMIHIMO_BENCH_CLASS_PATH"], "dev.kumihimo.benchmarks.redis.JdkRedis", "PORT"]),
            ("redis", ["redis-server", "--port", "PORT", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]),
        ):
            servers.append(Server(name, command))
        for server in servers:
            server.await_start()
            for _, pipeline in MODES:  # the JIT compiler gets to see what comes
                server.load(options.connections, options.requests * (1 if pipeline == 1 else 10), pipeline)
        figures = {}
        for turn in range(options.rounds):
            print(f"round {turn + 1} of {options.rounds}", file=sys.stderr)
            for _, pipeline in MODES:
                for server in servers:
                    requests = options.requests * (1 if pipeline == 1 else 10)
                    for operation, rate in server.load(options.connections, requests, pipeline).items():
                        figures.setdefault((server.name, pipeline, operation), []).append(rate)
        report(figures)
    finally:
        for server in servers:
            server.process.terminate()
        for server in servers:
            server.process.wait()


if __name__ == "__main__":
    main()
