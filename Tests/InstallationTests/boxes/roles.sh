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
