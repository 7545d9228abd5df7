#!/bin/sh
# Dump the database into a folder each BACKUP_PAUSE_S seconds, and keep the BACKUP_KEEP newest dumps. A dump has its name
# once it is complete; one that fails is tried again after the pause, and the container is unhealthy meanwhile.
set -eu
umask 077
folder="${BACKUP_FOLDER:-/backups}"
PGPASSWORD="$(cat "${BACKUP_PASSWORD_FILE:-/run/secrets/postgres_password}")"
export PGPASSWORD
while :; do
  made="$folder/$(date -u +%Y%m%dT%H%M%SZ).dump"
  rm -f "$folder"/*.unfinished
  if pg_dump --host="${BACKUP_HOST:-postgres}" --username=postgres --format=custom --file="$made.unfinished" turnstile; then
    mv "$made.unfinished" "$made"
    echo "wrote $made"
    # The one just made stays, also where a clock was wrong and others have a later time.
    find "$folder" -name '*Z.dump' ! -path "$made" | sort -r | tail -n "+$BACKUP_KEEP" | xargs -r rm --
  else
    rm -f "$made.unfinished"
    echo "no backup was made; the next try is in $BACKUP_PAUSE_S s" >&2
  fi
  sleep "$BACKUP_PAUSE_S"
done
