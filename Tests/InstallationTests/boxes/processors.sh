#!/usr/bin/env bash
# What processors do to a worker: noise, forged levels, children that will not go.
. "$(dirname "$0")/prelude.sh"
lines=${TASKQ_NOISY_LINES:-20000}
install_taskq
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/noisy/processor <<P
#!/bin/sh
seq -f 'noise %.0f' $lines >&2
printf '<0>the sky falls\nesc \033[31m and \000 nul\n' >&2
P
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/clingy/processor <<'P'
#!/bin/sh
# Leaves a child in a session of its own that ignores SIGTERM.
setsid sh -c 'trap "" TERM HUP; exec sleep 4242' >/dev/null 2>&1 </dev/null &
exit 0
P
systemctl enable --now --quiet taskq.target
systemctl start taskq-worker@noisy taskq-worker@clingy
to() { curl -sS --fail -H 'Content-Type: application/json' \
    -d '{"title":"t","description":"d","priority":"low"}' "$url/queues/$1/tasks" | grep -o '[0-9a-f-]\{36\}'; }

until_true to noisy >/dev/null
id=$(to noisy)
holds "a noisy processor's task is completed" eval '[[ $(state_of "$id" 30) == completed ]]'
count() { journalctl -q --no-pager -o cat TASKQ_TASK_ID="$id" | grep -c "$1" || true; }
has_all() { [[ $(count '^noise ') == "$lines" ]]; }
holds "all of its $lines lines are there, with the task's id" until_true has_all
holds "a forged level is capped" eval \
    '[[ $(journalctl -q --no-pager -o json TASKQ_TASK_ID="$id" | grep "sky falls" | grep -o "\"PRIORITY\":\"[0-9]\"") == *\"[3-7]\" ]]'
holds "escapes do no harm to taskq's own lines" eval '[[ $(count "esc ") == 1 ]]'

id=$(to clingy)
holds "a task whose processor leaves a child behind is completed" is_completed "$id"
no_sleeper() { ! pgrep -f 'sleep 4242'; }
holds "and the child is gone" until_true no_sleeper
systemctl stop 'taskq*'
holds "nothing of a processor is left after the stop" eval '[[ -z $(pgrep -u taskq-worker) ]]'
