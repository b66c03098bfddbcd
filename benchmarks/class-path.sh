# shellcheck shell=sh
# Sourced by compare and jmh with their folder in $home: finds a JDK, builds the benchmarks and sets their class path.
# A class path that is set already is used as it is, and nothing is built.

root=$(dirname "$home")

. "$root/.mvn/find-jdk.sh"
kumihimo_find_jdk

if [ -z "${KUMIHIMO_BENCH_CLASS_PATH-}" ]; then
  "$root/mvnw" -q -B -f "$root/pom.xml" -pl benchmarks -am -DskipTests process-classes >&2
  KUMIHIMO_BENCH_CLASS_PATH=$home/target/classes:$(cat "$home/target/class-path")
fi
