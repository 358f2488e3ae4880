# Sourced by the start scripts. find_jdk TOOL: sets java_home to a JDK 25 or newer that has bin/TOOL.

java_feature() {
  feature=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null)
  if [ -z "$feature" ]; then
    feature=$("$1/bin/java" -XshowSettings:properties -version 2>&1 |
      sed -n 's/^ *java.specification.version = \([0-9]*\).*/\1/p')
  fi
  echo "${feature:-0}"
}

find_jdk() {
  on_path=$(command -v java)
  [ -n "$on_path" ] && on_path=$(readlink -f "$on_path" 2>/dev/null || echo "$on_path")
  on_mac=
  [ -x /usr/libexec/java_home ] && on_mac=$(/usr/libexec/java_home -v 25+ 2>/dev/null)
  for java_home in "$JAVA_HOME" "${on_path%/bin/java}" "$JAVA25_HOME" "$on_mac" \
      /usr/lib/jvm/*25* /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/*; do
    if [ -n "$java_home" ] && [ -x "$java_home/bin/java" ] && [ -x "$java_home/bin/$1" ] &&
        [ "$(java_feature "$java_home")" -ge 25 ]; then
      return 0
    fi
  done
  echo "carom: no JDK 25 found: install one (for instance Temurin 25) and set JAVA_HOME to its folder" >&2
  exit 127
}
