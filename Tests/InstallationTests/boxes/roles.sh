#!/usr/bin/env bash
# One socket a role: who is not of the role does not even connect.
. "$(dirname "$0")/prelude.sh"
install_taskq
start_taskq
useradd --system --no-create-home stranger
useradd --system --no-create-home --groups taskq-admin clerk

# curl speaks no ZeroMQ, but 7 is its word for "could not connect".
may_connect() { # USER SOCKET
    local status=0
    setpriv --reuid "$1" --regid "$1" --init-groups \
        curl -s -o /dev/null -m 1 --unix-socket "/run/taskq/$2/$2.sock" http://taskq/ || status=$?
    [[ $status != 7 ]]
}

for socket in ingest worker admin; do
    holds "a stranger does not reach $socket.sock" eval "! may_connect stranger $socket"
done
holds "ingest reaches its own socket" may_connect taskq-ingest ingest
holds "ingest cannot lease" eval '! may_connect taskq-ingest worker'
holds "ingest cannot redrive" eval '! may_connect taskq-ingest admin'
holds "a worker reaches its own socket" may_connect taskq-worker worker
holds "a worker cannot enqueue past validation" eval '! may_connect taskq-worker ingest'
holds "a worker cannot administer" eval '! may_connect taskq-worker admin'
holds "a member of taskq-admin administers" may_connect clerk admin
holds "and neither leases nor enqueues" eval '! may_connect clerk worker && ! may_connect clerk ingest'
told() { setpriv --reuid stranger --regid stranger --clear-groups taskq status 2>&1 || true; }
holds "a stranger is told the cure" eval '[[ $(told) == *"join the group taskq-admin"* ]]'
holds "only the broker reads the journal" eval \
    '! setpriv --reuid taskq-worker --regid taskq-worker --clear-groups ls /var/lib/taskq 2>/dev/null'

# Secrets reach the processors of their queue and of no other.
install -D -m 600 /dev/stdin /etc/taskq/credentials/teller/api-key <<< 'open sesame'
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/teller/processor <<'P'
#!/bin/sh
cat "$CREDENTIALS_DIRECTORY/api-key" > "$HOME/seen"
P
install -D -m 755 /dev/stdin /usr/local/lib/taskq/plugins/other/processor <<'P'
#!/bin/sh
cat "${CREDENTIALS_DIRECTORY:-/nowhere}"/* /etc/taskq/credentials/teller/* /run/credentials/*teller*/* \
    /run/taskq-worker/teller/credentials/* > "$HOME/seen" 2>/dev/null || true
P
until_true systemctl is-active taskq-worker@teller || fail "no worker for teller"
until_true systemctl is-active taskq-worker@other || fail "no worker for other"
to() { curl -sS --fail -H 'Content-Type: application/json' -d '{}' "$url/queues/$1/tasks" | grep -o '[0-9a-f-]\{36\}'; }
holds "both processors ran" eval 'is_completed "$(to teller)" && is_completed "$(to other)"'
holds "one read the secret of its queue" eval '[[ $(< /var/lib/taskq-worker/teller/seen) == "open sesame" ]]'
holds "the other found none" eval '[[ ! -s /var/lib/taskq-worker/other/seen ]]'
