#!/usr/bin/env bash
# A broker that hangs, by itself or in its disk, is ended by the watchdog, and the queue goes on; a disk that
# is merely slow trips nothing.
. "$(dirname "$0")/prelude.sh"
install_taskq
cc -shared -fPIC -O2 -Wall -Werror -o /usr/local/lib/slow-disk.so Tests/InstallationTests/boxes/slow-disk.c -ldl
install -D /dev/stdin /etc/systemd/system/taskq-broker.service.d/watchdog.conf <<'U'
[Service]
Environment=LD_PRELOAD=/usr/local/lib/slow-disk.so
WatchdogSec=8s
TimeoutAbortSec=1s
U
systemctl daemon-reload
start_taskq
holds "the queue works" eval 'is_completed "$(post)"'
old=$(pid_of taskq-broker)

slow_disk() { echo "$1" > /var/lib/taskq/sync-seconds; }
fast_disk() { rm -f /var/lib/taskq/sync-seconds; }
slow_disk 3
post_slow() { slow=$(post -H 'Idempotency-Key: slow'); }
holds "a post is taken by a disk that needs 3 s a sync" until_true post_slow
holds "and done on it" until_true is_completed "$slow"
holds "and the watchdog left the broker alone" eval '! was_restarted taskq-broker "$old"'

slow_disk 60
post --max-time 2 -H 'Idempotency-Key: stuck' || true
holds "a broker whose disk does not come back is replaced" until_true was_restarted taskq-broker "$old"
fast_disk
holds "and the queue goes on" eval 'until_true post && is_completed "$(post)"'
holds "with what was on its way" eval 'is_completed "$(post -H "Idempotency-Key: stuck")"'

old=$(pid_of taskq-broker)
kill -STOP "$old"
holds "a stopped broker is replaced" until_true was_restarted taskq-broker "$old"
holds "and the queue goes on again" eval 'until_true post && is_completed "$(post)"'
holds "journald says why" eval 'journalctl --no-pager -u taskq-broker | grep "Watchdog timeout" >/dev/null'

printf 'damage' | dd of="$(ls /var/lib/taskq/journal/*.segment | head -n 1)" bs=1 seek=70 conv=notrunc status=none
systemctl stop taskq-broker
rm -f /var/lib/taskq/journal/checkpoint-*
systemctl start taskq-broker 2>/dev/null || true
is_damaged() { [[ $(systemctl show -P ActiveState taskq-broker) == failed && $(systemctl show -P ExecMainStatus taskq-broker) == 65 ]]; }
holds "a damaged journal is not started again and again" until_true is_damaged
