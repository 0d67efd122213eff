#!/usr/bin/env bash
# The admin's first minutes: enable, post, look, stop, start.
. "$(dirname "$0")/prelude.sh"
install_taskq
start_taskq

id=$(post)
holds "a posted task is completed" is_completed "$id"
story() { journalctl -q --no-pager -o short TASKQ_TASK_ID="$id" | grep -c "$1" >/dev/null; }
holds "journalctl tells of its acceptance" until_true story 'task accepted'
holds "journalctl tells of its completion" until_true story 'task completed'
holds "journalctl has the processor's own words" until_true story 'priority low'
holds "the broker's status has depth and rates" until_true eval \
    'systemctl show -P StatusText taskq-broker | grep "tasks live, .* dead; .*/s accepted" >/dev/null'
holds "the ingest's status has its address" eval \
    'systemctl show -P StatusText taskq-ingest | grep "127.0.0.1:8080" >/dev/null'
holds "taskq status works for root" eval 'taskq status | grep "^tasks " >/dev/null'
holds "taskq doctor finds nothing" eval 'taskq doctor >/tmp/doctor || { cat /tmp/doctor; false; }'

holds "systemctl reload takes a good configuration" systemctl reload taskq-broker taskq-ingest
printf 'nonsense = 1\n' >/etc/taskq/taskq.toml.d/wrong.toml
holds "systemctl reload refuses a bad one" eval '! systemctl reload taskq-broker 2>/dev/null'
holds "and the broker goes on" eval 'is_completed "$(post)"'
rm /etc/taskq/taskq.toml.d/wrong.toml

systemctl stop 'taskq*'
holds "stop stops everything" eval '[[ -z $(pgrep -f /usr/libexec/taskq) ]]'
holds "and closes the port" eval '! curl -s "$url/healthz"'
systemctl start --all 'taskq-*'
holds "start --all 'taskq-*' starts everything" eval 'until_true post && is_completed "$(post)"'
holds "what had happened is still known" is_completed "$id"

systemctl stop taskq-ingest.socket
holds "stopping the socket takes HTTP down" eval '! curl -s "$url/healthz"'
systemctl start taskq-ingest
holds "starting the service opens the port again" until_true post
systemctl mask --now --quiet taskq-worker@tasks
id=$(post)
holds "a masked worker takes nothing" eval '[[ $(state_of "$id" 1) == pending ]]'
systemctl unmask --quiet taskq-worker@tasks
systemctl start taskq-worker@tasks
holds "unmasked and started, it takes the backlog" is_completed "$id"
