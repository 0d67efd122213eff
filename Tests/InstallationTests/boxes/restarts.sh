#!/usr/bin/env bash
# Every service is restarted, and killed, under load: no connection is refused, nothing is lost, order is kept.
. "$(dirname "$0")/prelude.sh"
rounds=${TASKQ_UNIT_KILLS:-12}
install_taskq
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/ledger/processor <<'P'
#!/bin/sh
# Writes down the sequence of what it gets, once more for every delivery.
echo "$TASKQ_SEQUENCE" >>"$TASKQ_STATE_DIR/ledger"
P
# A worker that dies is a counted attempt: the task at the head may see more deaths here than a queue forgives.
install -m 644 /dev/stdin /etc/taskq/taskq.toml.d/ledger.toml <<'T'
[queues.ledger]
max_attempts = 1000
T
systemctl enable --now --quiet taskq.target
systemctl start taskq-worker@ledger
holds "the ledger's queue is there" until_true curl -sS --fail -o /dev/null -H 'Content-Type: application/json' \
    -d '{"title":"first","description":"d","priority":"low"}' "$url/queues/ledger/tasks"

python3 Tests/InstallationTests/boxes/load.py "$url/queues/ledger/tasks" /tmp/stop /tmp/posted &
load=$!
for unit in taskq-broker taskq-ingest taskq-worker@ledger taskq-plugins; do
    holds "restart of $unit under load" systemctl restart "$unit"
done
units=(taskq-broker taskq-ingest taskq-worker@ledger taskq-plugins)
RANDOM=${TASKQ_SEED:-7}
echo "seed ${TASKQ_SEED:-7}, $rounds kills"
for _ in $(seq "$rounds"); do
    unit=${units[RANDOM % ${#units[@]}]}
    old=$(pid_of "$unit")
    systemctl kill -s KILL "$unit" || true
    until_true was_restarted "$unit" "$old" || fail "$unit did not come back"
    until_true systemctl is-active "$unit" || fail "$unit did not become active"
done
touch /tmp/stop
wait "$load" || fail "the load failed"
cat /tmp/posted.summary
holds "no connection was refused" grep -q 'refused 0$' /tmp/posted.summary

all_processed() { taskq status --json | python3 -c '
import json, sys
queue = next(q for q in json.load(sys.stdin)["queues"] if q["name"] == "ledger")
sys.exit(queue["pending"] + queue["leased"] + queue["parked"] != 0 or queue["dead"] != 0)'; }
holds "everything was processed" until_true all_processed
holds "nothing accepted is missing and first deliveries are in order" python3 - <<'P'
accepted = {int(line) for line in open("/tmp/posted")}
got = [int(line) for line in open("/var/lib/taskq-worker/ledger/ledger")]
first = list(dict.fromkeys(got))
missing = accepted - set(first)
print(f"{len(accepted)} accepted, {len(got)} deliveries, {len(first)} tasks")
assert not missing, f"{len(missing)} missing"
assert first == sorted(first), "order"
P
