# shellcheck shell=sh
# Sourced by mvnw and examples/run: sets and exports JAVA_HOME to a JDK of at least the version this build needs.
#
# Order: JAVA_HOME, then the java on PATH, then the usual folders (25 if there is one, else the newest). Says what to
# install and exits with 1 when there is none.

# Prints the feature version (21, 25, ...) of the JDK at $1, or 0 if there is no JDK with a compiler.
kumihimo_jdk_version() {
  if ! [ -x "$1/bin/java" ] || ! [ -x "$1/bin/javac" ]; then
    echo 0
    return 0
  fi
  # The release file spares starting a JVM; JDKs that come without it are asked.
  kumihimo_found=$(sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null) || kumihimo_found=
  [ -n "$kumihimo_found" ] || kumihimo_found=$("$1/bin/java" -XshowSettings:properties -version 2>&1 |
    sed -n 's/^ *java\.specification\.version = \([0-9]*\).*/\1/p') || kumihimo_found=
  echo "${kumihimo_found:-0}"
}

kumihimo_find_jdk() {
  kumihimo_least=21
  kumihimo_preferred=25

  if [ -n "${JAVA_HOME-}" ] && [ "$(kumihimo_jdk_version "$JAVA_HOME")" -ge "$kumihimo_least" ]; then
    export JAVA_HOME
    return 0
  fi

  # The java on PATH may be a link or a launcher script, so it is asked where its home is.
  if command -v java >/dev/null 2>&1; then
    kumihimo_home=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p') || kumihimo_home=
    if [ "$(kumihimo_jdk_version "$kumihimo_home")" -ge "$kumihimo_least" ]; then
      JAVA_HOME=$kumihimo_home
      export JAVA_HOME
      return 0
    fi
  fi

  kumihimo_best=0
  case $- in *f*) kumihimo_noglob=true ;; *) kumihimo_noglob=false ;; esac
  set +f
  for kumihimo_home in /usr/lib/jvm/* /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* "${HOME-}"/.jdks/*/Contents/Home; do
    kumihimo_version=$(kumihimo_jdk_version "$kumihimo_home")
    [ "$kumihimo_version" -ge "$kumihimo_least" ] || continue
    if [ "$kumihimo_version" -eq "$kumihimo_preferred" ]; then
      JAVA_HOME=$kumihimo_home
      kumihimo_best=$kumihimo_version
      break
    fi
    if [ "$kumihimo_version" -gt "$kumihimo_best" ]; then
      JAVA_HOME=$kumihimo_home
      kumihimo_best=$kumihimo_version
    fi
  done
  [ "$kumihimo_noglob" = false ] || set -f

  if [ "$kumihimo_best" -eq 0 ]; then
    echo "Kumihimo needs a JDK $kumihimo_least or newer and found none: install JDK $kumihimo_preferred, or set JAVA_HOME to one." >&2
    exit 1
  fi
  export JAVA_HOME
}

kumihimo_find_jdk
