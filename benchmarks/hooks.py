#!/usr/bin/env python3
"""What the hooks of the test kit cost where there is no test: the toolkit against itself with the hooks cut out.

usage: benchmarks/hooks [--pairs N] [--capacity N ...]

The hooks are the blocks under `if (Points.ON)`. A copy of the toolkit's source is freed of them and compiled, and both run
the JMH benchmark of a send and a receive in pairs, each first in turn. Prints the mean difference over the pairs with its
95 % interval (Student's t on the logarithms of the ratios); less than 0 means that the toolkit with hooks was the faster.
"""

import argparse
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HOME = pathlib.Path(__file__).resolve().parent
JDK = pathlib.Path(os.environ.get("JAVA_HOME", "/usr"), "bin")
HOOK = re.compile(r"[ \t]*if \(Points\.ON\) \{")

# Student's t, two-sided 95 %, for so many degrees of freedom
T = {9: 2.262, 11: 2.201, 14: 2.145, 19: 2.093, 24: 2.064, 29: 2.045, 39: 2.023, 59: 2.001}


def without_hooks(text):
    """The text without the blocks, and how many there were."""
    count = 0
    while match := HOOK.search(text):
        depth, end = 1, match.end()
        while depth > 0:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        text = text[: match.start()] + text[end:]
        count += 1
    return text, count


def cut(source, target, class_path):
    """Compiles the sources that have hooks, without them; returns how many there were, and where the classes are."""
    hooks, files = 0, []
    for file in source.rglob("*.java"):
        text, count = without_hooks(file.read_text())
        if count > 0:
            if "Points.ON" in text:
                sys.exit(f"error: {file} has a hook that is no block of its own")
            hooks += count
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text)
            files.append(copy)
    if hooks == 0:
        sys.exit("error: no hook was found, so there is nothing to compare")
    classes = target / "classes"
    subprocess.run(
        [JDK / "javac", "-nowarn", "-proc:none", "--release", "21", "-XDstringConcat=inline", "-cp", class_path, "-d", classes, *files],
        check=True,
    )
    return hooks, classes


def score(class_path, capacity, arguments):
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [JDK / "java", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-cp", class_path, "org.openjdk.jmh.Main"]
        command += ["ChannelBenchmark.oneToOne", "-p", f"capacity={capacity}", "-p", "scheduler=kumihimo", "-f", "1"]
        command += ["-wi", str(arguments.warm_up), "-w", "1s", "-i", str(arguments.iterations), "-r", "1s"]
        command += ["-rf", "json", "-rff", result.name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.load(open(result.name))[0]["primaryMetric"]["score"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:], description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=20, choices=[n + 1 for n in T], help="how many pairs (default 20)")
    parser.add_argument("--capacity", type=int, nargs="+", default=[16], help="of the channel (default 16)")
    parser.add_argument("--warm-up", type=int, default=3, help="seconds (default 3)")
    parser.add_argument("--iterations", type=int, default=4, help="of a second each (default 4)")
    arguments = parser.parse_args()
    as_it_is = os.environ["KUMIHIMO_BENCH_CLASS_PATH"]
    with tempfile.TemporaryDirectory() as folder:
        hooks, classes = cut(HOME.parent / "toolkit/src/main/java", pathlib.Path(folder), as_it_is)
        print(f"{hooks} hooks cut out")
        bare = f"{classes}{os.pathsep}{as_it_is}"
        for capacity in arguments.capacity:
            logs, scores = [], {as_it_is: [], bare: []}
            for pair in range(arguments.pairs):
                order = [as_it_is, bare] if pair % 2 == 0 else [bare, as_it_is]
                measured = {which: score(which, capacity, arguments) for which in order}
                for which, value in measured.items():
                    scores[which].append(value)
                logs.append(math.log(measured[as_it_is] / measured[bare]))
                print(f"pair {pair + 1}: {measured[as_it_is]:.1f} ns with, {measured[bare]:.1f} ns without hooks", flush=True)
            mean = statistics.mean(logs)
            half = T[len(logs) - 1] * statistics.stdev(logs) / math.sqrt(len(logs))
            low, middle, high = (100 * (math.exp(x) - 1) for x in (mean - half, mean, mean + half))
            held = low <= 0 <= high or high < 2
            print(
                f"capacity {capacity}: {statistics.median(scores[as_it_is]):.1f} ns with, "
                f"{statistics.median(scores[bare]):.1f} ns without (medians); difference {middle:+.2f} % "
                f"[{low:+.2f} to {high:+.2f}], 95 % of {len(logs)} pairs: {'held' if held else 'missed'} "
                "(includes 0, or lies below 2 %)"
            )


if __name__ == "__main__":
    main()
