#!/usr/bin/env bash
# A processor that is killed for its memory is an attempt with the reason "oom", not the worker's end.
. "$(dirname "$0")/prelude.sh"
install_taskq
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/greedy/processor <<'P'
#!/usr/bin/python3
import os
if os.environ["TASKQ_ATTEMPT"] == "1":
    hoard = bytearray(os.urandom(1 << 20) * 512)
P
echo 'memory_max = "128 MiB"' >/usr/local/lib/taskq/plugins/greedy/plugin.toml
# Without it a machine with swap would let the hoard live there.
install -D -m 644 /dev/stdin /etc/systemd/system/taskq-worker@greedy.service.d/swap.conf <<<$'[Service]\nMemorySwapMax=0'
systemctl daemon-reload
start_taskq
until_true systemctl is-active taskq-worker@greedy || fail "no worker"
holds "the manifest's limit is the unit's" eval '[[ $(systemctl show -P MemoryMax taskq-worker@greedy) == 134217728 ]]'
worker=$(pid_of taskq-worker@greedy)
post_to_greedy() { curl -sS --fail-with-body -H 'Content-Type: application/json' -d '{}' "$url/queues/greedy/tasks"; }
id=$(until_true post_to_greedy && post_to_greedy | grep -o '[0-9a-f-]\{36\}')
holds "the task is tried again and completed" eval '[[ $(state_of "$id" 30) == completed ]]'
holds "its first attempt ended for its memory" eval \
    '[[ $(taskq get --json "$id" | python3 -c "import json, sys; print(json.load(sys.stdin)[\"attempts\"][0][\"outcome\"])") == oom ]]'
holds "the worker is the same" test "$(pid_of taskq-worker@greedy)" = "$worker"
holds "and was not counted as failed" eval '[[ $(systemctl show -P NRestarts taskq-worker@greedy) == 0 ]]'
