#!/usr/bin/env bash
# A plugin that works for its developer and would not as a service: plugin test --as-service tells before.
. "$(dirname "$0")/prelude.sh"
install_taskq
install -D -m 755 /dev/stdin /root/mine/cache/processor <<'P'
#!/bin/sh
# Keeps something beside itself.
cat > ./last || exit 1
echo "kept in $(pwd)"
P
install -D -m 755 /dev/stdin /root/mine/good.sh <<'P'
#!/bin/sh
payload=$(cat)
echo "$payload" > "$TASKQ_STATE_DIR/last" && echo "x" > "$TMPDIR/x" || exit 1
echo "user $(id -un), payload $payload, secret $(cat "$CREDENTIALS_DIRECTORY/token")"
[ ! -e /root/mine ] || exit 1
P
echo '{"n":1}' >/root/task.json
plainly() { taskq plugin test "$@" --task /root/task.json; }
as_service() { plainly "$@" --as-service; }
fails() { local s=0; "$@" >/tmp/said 2>&1 || s=$?; [[ $s == 1 ]] || { echo "status $s: $(cat /tmp/said)" >&2; false; }; }
said() { grep -F -- "$1" /tmp/said >/dev/null; }

holds "a plugin that writes beside itself passes plainly" eval 'plainly /root/mine/cache >/dev/null'
holds "and fails as a service" fails as_service /root/mine/cache
holds "with the reason" said "Read-only file system"
holds "in the place where it would be" said /usr/local/lib/taskq/plugins/cache
holds "and what is different there" said "It writes to TASKQ_STATE_DIR"
rm /root/mine/cache/last

install -D -m 600 /dev/stdin /etc/taskq/credentials/good/token <<<s3cret
as_service /root/mine/good.sh >/tmp/said 2>&1 || fail "the good one: $(cat /tmp/said)"
holds "a plugin that keeps to its folders passes" said acked
holds "as the worker's user, with its payload and its secret" said 'user taskq-worker, payload {"n":1}, secret s3cret'
as_service /root/mine/good.sh --json >/tmp/said
holds "--json is one value" eval 'python3 -c "import json; assert json.load(open(\"/tmp/said\"))[\"acked\"]"'
mkdir -p /etc/systemd/system/taskq-worker@good.service.d
printf '[Service]\nInaccessiblePaths=/usr/bin/id\n' >/etc/systemd/system/taskq-worker@good.service.d/x.conf
systemctl daemon-reload
as_service /root/mine/good.sh >/tmp/said 2>&1 || true
holds "a drop-in of the instance holds" eval '! said "user taskq-worker"'

holds "nothing is left of it" eval '[[ -z $(systemctl list-units --all --plain --no-legend "run-taskq*") ]]'
holds "and nothing was put into the plugin folder" eval '[[ -z $(ls -A /usr/local/lib/taskq/plugins) ]]'
holds "nor left in /tmp" eval '[[ -z $(ls -d /tmp/taskq-plugin-* 2>/dev/null) ]]'

install -D -m 755 /dev/stdin /root/mine/slow.sh <<'P'
#!/bin/sh
echo begun
sleep 4243
P
taskq plugin test /root/mine/slow.sh --task /root/task.json --as-service >/tmp/said 2>&1 & tester=$!
holds "a slow one begins" until_true pgrep -f 'sleep 4243'
kill -INT $tester
status=0
wait $tester || status=$?
holds "and Ctrl-C ends it" eval "test $status = 130 || ! cat /tmp/said >&2"
no_sleeper() { ! pgrep -f 'sleep 4243'; }
holds "with its processes" until_true no_sleeper

chmod 755 /root
holds "who is not root is told so" eval \
    '! setpriv --reuid nobody --clear-groups taskq plugin test /root/mine/good.sh --as-service >/tmp/said 2>&1 && said sudo'
rm /usr/lib/systemd/system/taskq-worker@.service
systemctl daemon-reload
holds "without the unit the cure is named" fails as_service /root/mine/good.sh
holds "in one sentence" said "taskq-worker@.service is not installed"
holds "other wrong usage is 2" eval 's=0; as_service /root/mine/good.sh --config x 2>/dev/null || s=$?; [[ $s == 2 ]]'
