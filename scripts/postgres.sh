#!/usr/bin/env bash
# A private PostgreSQL for tests, on a unix socket in a folder of its own; nothing else on the machine changes.
#
#   scripts/postgres.sh install         Debian's packages where they are missing (as root)
#   scripts/postgres.sh start [PID]     prints the cluster's folder; it stops by itself when process PID ends
#   scripts/postgres.sh url FOLDER      how to reach it
#   scripts/postgres.sh stop FOLDER     stops it and removes the folder
set -euo pipefail

say() { printf 'postgres.sh: %s\n' "$*" >&2; }

binaries() { # newest first; empty if there are none
  local found
  found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -Vr | head -n 1)
  [ -x "$found" ] || found=$(command -v initdb || true)
  [ -n "$found" ] && dirname "$found"
}

server_user() { # PostgreSQL refuses to run as root
  if [ "$(id -u)" -ne 0 ]; then id -un; elif id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

as_server() {
  if [ "$(id -u)" -ne 0 ]; then "$@"; else
    local user; user=$(server_user)
    setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups env HOME=/tmp "$@"
  fi
}

install() {
  if [ -n "$(binaries)" ]; then return; fi
  [ "$(id -u)" -eq 0 ] || { say "not installed; as root: apt-get install postgresql"; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends postgresql-common
  # Debian would start a cluster for the whole machine.
  sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  apt-get install -y -qq --no-install-recommends postgresql
}

start() {
  local bin folder owner=${1:-}
  bin=$(binaries) || { say "not installed; run: scripts/postgres.sh install"; exit 1; }
  cd /
  folder=$(mktemp -d /tmp/xinji-pg.XXXXXX) # short: a socket's path has at most 107 bytes
  if [ "$(id -u)" -eq 0 ]; then chown "$(server_user)" "$folder"; fi
  as_server touch "$folder/made-by-postgres.sh"
  # No disk is waited for: what a test leaves behind is thrown away.
  if ! { as_server "$bin/initdb" -D "$folder/data" --no-sync --auth=trust --username=xinji --encoding=UTF8 --locale=C.UTF-8 &&
    as_server "$bin/pg_ctl" start -w -t 60 -D "$folder/data" -l "$folder/log" -o "-c listen_addresses='' -k $folder \
      -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=60 \
      -c jit=off -c autovacuum=off"; } >"/tmp/${folder##*/}.out" 2>&1 </dev/null; then
    cat "/tmp/${folder##*/}.out" "$folder/log" >&2 || true
    rm -f "/tmp/${folder##*/}.out"
    stop "$folder"
    exit 1
  fi
  rm -f "/tmp/${folder##*/}.out"
  if [ -n "$owner" ]; then watch "$owner" "$folder" </dev/null >/dev/null 2>&1 & fi
  printf '%s\n' "$folder"
}

watch() { # a killed test run leaves nothing behind either
  trap '' HUP INT
  while kill -0 "$1" 2>/dev/null && [ -e "$2" ]; do sleep 1; done
  if [ -e "$2" ]; then stop "$2"; fi
}

stop() {
  local folder=$1 bin
  [ -e "$folder/made-by-postgres.sh" ] || { say "$folder is no folder that start made"; exit 1; }
  cd /
  bin=$(binaries)
  if [ -e "$folder/data/postmaster.pid" ]; then
    as_server "$bin/pg_ctl" stop -w -t 60 -m immediate -D "$folder/data" >/dev/null 2>&1 || true
  fi
  rm -rf -- "$folder"
}

case "${1:-}" in
  install) install ;;
  start) start "${2:-}" ;;
  url) printf 'postgresql://xinji@/postgres?host=%s\n' "${2:?FOLDER}" ;;
  stop) stop "${2:?FOLDER}" ;;
  *) sed -n '4,7s/^# *//p' "$0" >&2; exit 2 ;;
esac
