#!/bin/sh
# Posts what convert_dump.py has written, one group after the other: post_backlog.sh QUEUE FOLDER KEY
#
# KEY names this move. Cut short, or run again, within the queue's dedup_window: the same command goes on and
# adds nothing twice. What became of each line is appended to FOLDER/posted.jsonl. Ends with 1 if a line was refused.
set -eu
queue=$1 folder=$2 key=$3
refused=0
tab=$(printf '\t')
while IFS=$tab read -r file count group; do
    echo "$file: $count tasks of the group '$group'" >&2
    status=0
    taskq put "$queue" "@$folder/$file" --ndjson --json --idempotency-key "$key/$file" \
        ${group:+--group "$group"} </dev/null >>"$folder/posted.jsonl" || status=$?
    [ "$status" -le 1 ] || exit "$status"
    [ "$status" -eq 0 ] || refused=1
done <"$folder/groups.tsv"
exit "$refused"
