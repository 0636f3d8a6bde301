#!/bin/sh
# Every plugin in a folder exports exactly one symbol, cdcrt_plugin_entry. Usage: one_symbol.sh FOLDER
set -eu
seen=0
bad=0
for file in "$1"/*.so; do
  [ -e "$file" ] || continue
  seen=$((seen + 1))
  symbols=$(nm -D --defined-only "$file" | awk '{print $NF}' | sort | tr '\n' ' ')
  # Sanitizers and coverage add symbols of their own to every object.
  symbols=$(printf '%s' "$symbols" | tr ' ' '\n' | grep -Ev '^(__asan_|__odr_asan|__tsan_|__ubsan_|__gcov|$)' | tr '\n' ' ' || true)
  if [ "$symbols" != "cdcrt_plugin_entry " ]; then
    echo "$file exports: $symbols" >&2
    bad=1
  fi
done
if [ "$seen" -eq 0 ]; then
  echo "no plugin in $1" >&2
  exit 1
fi
[ "$bad" -eq 0 ] && echo "$seen plugins export cdcrt_plugin_entry and nothing else"
exit "$bad"
