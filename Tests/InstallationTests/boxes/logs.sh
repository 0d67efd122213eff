#!/usr/bin/env bash
# One task's story out of journald and the broker's record, and what it says to those who may not read it.
. "$(dirname "$0")/prelude.sh"
install_taskq
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/tasks/processor <<'P'
#!/bin/sh
printf 'attempt %s \033[31mspeaks\n' "$TASKQ_ATTEMPT"
[ "$TASKQ_ATTEMPT" -gt 1 ] || { echo 'no luck yet' >&2; exit 3; }
P
start_taskq
id=$(post)
holds "the second attempt completes the task" is_completed "$id"
story() { taskq logs "$id" "$@"; }
tells() { story | grep -F -- "$1" >/dev/null; }
for words in "task accepted" "task leased" "attempt 1" "no luck yet" "task attempt failed" "attempt 2"; do
    holds "the story has '$words'" until_true tells "$words"
done
holds "and its end" until_true tells "task completed"
holds "each step once, none from the record" eval '[[ $(story | grep -c "task accepted") == 1 && $(story) != *"(record)"* ]]'
holds "in the order of time" eval '[[ $(story | cut -c1-24) == "$(story | cut -c1-24 | sort)" ]]'
holds "of both programs and the processor" eval \
    '[[ $(story | cut -c27-39 | tr -d " " | sort -u | tr "\n" " ") == "processor taskq-broker taskq-worker " ]]'
holds "no escape byte reaches the terminal" eval '! story | grep -q $'"'\\033'"
holds "every line of --json is an object with the task's id" eval \
    'story --json | python3 -c "import json, sys; assert all(json.loads(l)[\"task_id\"] == \"$id\" for l in sys.stdin)"'
holds "a queue's lines are there" eval '[[ $(taskq logs --queue tasks --lines 3 | wc -l) == 3 ]]'
holds "failed attempts name their queue" eval 'taskq logs --queue tasks | grep "task attempt failed" >/dev/null'
holds "a time that is none is wrong usage" eval 's=0; taskq logs --queue tasks --since soonish || s=$?; [[ $s == 2 ]]'

taskq logs "$id" --follow >/tmp/followed & follower=$!
sees() { grep -q "$1" /tmp/followed; }
holds "following begins with the past" until_true sees "task completed"
logger --journald <<L
MESSAGE=task completed by a stranger
SYSLOG_IDENTIFIER=taskq-broker
TASKQ_TASK_ID=$id
L
holds "and goes on with what comes" until_true sees "by a stranger"
holds "whose writer is named" eval '! grep "by a stranger" /tmp/followed | grep -q "Z  taskq-broker  "'
kill -INT $follower
status=0
wait $follower || status=$?
holds "until Ctrl-C" test "$status" = 130

status_of() { local s=0; "$@" >/dev/null 2>&1 || s=$?; echo $s; }
holds "a task that nobody knows is not found" eval \
    '[[ $(status_of taskq logs 0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10) == 4 ]]'

# What log.tasks leaves out of journald, the broker's record has.
mkdir -p /etc/taskq/taskq.toml.d
printf '[log]\ntasks = "failures"\n' >/etc/taskq/taskq.toml.d/quiet.toml
systemctl restart taskq-broker
until_true post >/dev/null
id=$(post)
holds "with log.tasks = \"failures\" a task completes" is_completed "$id"
holds "its acceptance and end come from the record" eval \
    '[[ $(story | grep "(record)" | grep -c -e "task accepted" -e "task completed") == 2 ]]'
holds "and come first and last" eval \
    '[[ $(story | head -n 1) == *"task accepted"* && $(story | tail -n 1) == *"task completed"* ]]'

useradd --system --no-create-home --groups taskq-admin clerk
useradd --system --no-create-home --groups systemd-journal reader
as() { setpriv --reuid "$1" --regid "$1" --init-groups taskq logs "$id"; }
holds "who may not read journald gets the record" eval '[[ $(as clerk 2>/dev/null || true) == *"task accepted"* ]]'
holds "and the cure" eval '[[ $(as clerk 2>&1 >/dev/null || true) == *"join the group systemd-journal"* ]]'
holds "with status 1" eval '[[ $(status_of as clerk) == 1 ]]'
holds "who may not ask the broker gets journald's part" eval '[[ $(as reader 2>/dev/null) == *"attempt 2"* ]]'
holds "and is told so" eval '[[ $(as reader 2>&1 >/dev/null) == *"join the group taskq-admin"* ]]'
systemctl stop taskq-broker
holds "without a broker the story is journald's" eval '[[ $(story 2>/dev/null) == *"attempt 2"* ]]'

# What asks something of an admin is explained below its line.
explained() { journalctl -q --no-pager -x "$@"; }
holds "the catalog is installed" eval '[[ $(journalctl --list-catalog | grep -c "taskq\|queue\|journal") -gt 10 ]]'
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/mail/processor <<<$'#!/no/such/interpreter\n'
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/poison/processor <<<$'#!/bin/sh\nexit 65\n'
systemctl start taskq-broker
until_true systemctl is-active taskq-worker@mail taskq-worker@poison || fail "no workers"
curl -sS --retry 9 --retry-all-errors --fail-with-body -H 'Content-Type: application/json' -d '{}' "$url/queues/poison/tasks" >/dev/null
says() { explained -u "$1" | grep -F -- "$2" >/dev/null; }
holds "a processor that cannot start names its queue" until_true says taskq-worker@mail \
    "Subject: The processor of queue mail cannot start"
holds "and the remedy" says taskq-worker@mail "taskq plugin test NAME"
holds "a dead task's line has the words to type" until_true says taskq-broker "taskq dlq redrive "
holds "with the id in them" eval '! explained -u taskq-broker | grep "@TASKQ_"'
worker=$(taskq logs --queue mail --json | grep -c '"message":"queue stalled') || true
holds "the line is one of the queue's" test "$worker" -ge 1
holds "an id finds all lines of its kind" eval \
    '[[ $(journalctl -q --no-pager -o cat MESSAGE_ID=$(grep -A1 "^# task dead-lettered" systemd/taskq.catalog | grep -o "[0-9a-f]\{32\}")) == *poison* ]]'
