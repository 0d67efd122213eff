#!/usr/bin/env bash
# Plugins dropped into the admin's folder while everything runs.
. "$(dirname "$0")/prelude.sh"
install_taskq
start_taskq
folder=/usr/local/lib/taskq/plugins

to() { curl -sS --fail -H 'Content-Type: application/json' \
    -d '{"title":"t","description":"d","priority":"low"}' "$url/queues/$1/tasks" | grep -o '[0-9a-f-]\{36\}'; }
works() { until_true to "$1" && is_completed "$(to "$1")"; }
script() { printf '#!/bin/sh\ncat >/dev/null\n%s\n' "${1:-exit 0}"; }

script | install -D -m 755 /dev/stdin $folder/hello/processor
holds "a folder with a processor has a queue and a worker" works hello
script | install -m 755 /dev/stdin $folder/single.sh
holds "so does a single file" works single

for number in $(seq 50); do script | install -D -m 755 /dev/stdin "$folder/many-$number/processor"; done
all_many() { local number; for number in $(seq 50); do to "many-$number" || return 1; done; }
holds "fifty at once all have theirs" until_true all_many
holds "and fifty workers" until_true eval '[[ $(systemctl list-units --state=active "taskq-worker@many-*" --plain --no-legend | wc -l) == 50 ]]'
rm -r $folder/many-*
holds "removed, their workers end" until_true eval '[[ -z $(systemctl list-units --state=active "taskq-worker@many-*" --plain --no-legend) ]]'

script 'echo second >"$TASKQ_STATE_DIR/version"' | install -m 755 /dev/stdin $folder/hello/.next
mv $folder/hello/.next $folder/hello/processor
second() { is_completed "$(to hello)" && grep -q second /var/lib/taskq-worker/hello/version; }
holds "a replaced processor serves what comes then" until_true second

mv $folder/hello /root/hello
holds "removed, its worker ends" until_true eval '! systemctl is-active taskq-worker@hello'
id=$(to hello)
holds "posts are still accepted" eval '[[ $(state_of "$id" 1) == pending ]]'
holds "and status says why nothing happens" eval 'taskq status | grep "^hello" -A1 | grep "no plugin" >/dev/null'
mv /root/hello $folder/hello
holds "put back, the backlog is served" is_completed "$id"

systemctl stop taskq-worker@hello
touch $folder/hello/processor
script | install -D -m 755 /dev/stdin $folder/other/processor
holds "another plugin comes" works other
holds "an instance that the admin stopped stays down" eval '! systemctl is-active --quiet taskq-worker@hello'
systemctl mask --now --quiet taskq-worker@other
systemctl restart taskq-plugins
script | install -D -m 755 /dev/stdin $folder/latest/processor
holds "the keeper is there again" works latest
holds "a masked instance stays down" eval '! systemctl is-active --quiet taskq-worker@other'
