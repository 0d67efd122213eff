#!/usr/bin/env bash
# A broker that hangs is ended by the watchdog, and the queue goes on.
. "$(dirname "$0")/prelude.sh"
install_taskq
install -D /dev/stdin /etc/systemd/system/taskq-broker.service.d/watchdog.conf <<'U'
[Service]
WatchdogSec=2s
TimeoutAbortSec=1s
U
systemctl daemon-reload
start_taskq
holds "the queue works" eval 'is_completed "$(post)"'
old=$(pid_of taskq-broker)
kill -STOP "$old"
holds "a stopped broker is replaced" until_true was_restarted taskq-broker "$old"
holds "and the queue goes on" eval 'until_true post && is_completed "$(post)"'
holds "journald says why" eval 'journalctl --no-pager -u taskq-broker | grep -q "Watchdog timeout"'

printf 'damage' | dd of="$(ls /var/lib/taskq/journal/*.segment | head -n 1)" bs=1 seek=70 conv=notrunc status=none
systemctl stop taskq-broker
rm -f /var/lib/taskq/journal/checkpoint-*
systemctl start taskq-broker 2>/dev/null || true
is_damaged() { [[ $(systemctl show -P ActiveState taskq-broker) == failed && $(systemctl show -P ExecMainStatus taskq-broker) == 65 ]]; }
holds "a damaged journal is not started again and again" until_true is_damaged
