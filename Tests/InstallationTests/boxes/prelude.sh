# Sourced by every box: installs the build as `make install` does and offers a few words for the stories.
#
# Never `... | grep -q`: grep leaves at the first match, and the program before it dies of SIGPIPE, or does not.
set -euo pipefail
build=${1:?the folder of the built programs}
cd "$(dirname "$0")/../../.."
url=http://127.0.0.1:8080

fail() {
    echo "FAILED: $*" >&2
    { systemctl --no-pager --full status 'taskq*' || true; journalctl --no-pager -u 'taskq*' | tail -n 60; } >&2
    exit 1
}

# Says a sentence and holds it against a command.
holds() {
    local sentence=$1
    shift
    "$@" || fail "$sentence ($*)"
    echo "ok: $sentence"
}

# Until the command succeeds, 30 s at most: for what systemd gives no event of.
until_true() {
    local _
    for _ in $(seq 600); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        read -rt 0.05 <> <(:) || true
    done
    return 1
}

post() { # [CURL ARGUMENT...]: the task's id
    curl -sS --fail-with-body "$@" -H 'Content-Type: application/json' \
        -d '{"title":"box","description":"a task","priority":"low"}' "$url/tasks" | grep -o '[0-9a-f-]\{36\}'
}

state_of() { curl -sS "$url/tasks/$1?wait=${2:-10}" | grep -o '"state":"[a-z_]*"' | cut -d'"' -f4; }
is_completed() { [[ $(state_of "$1") == completed ]]; }
pid_of() { systemctl show -P MainPID "$1"; }
was_restarted() { [[ $(pid_of "$1") != "$2" && $(pid_of "$1") != 0 ]]; }

install_taskq() { scripts/install "$build"; }

start_taskq() {
    systemctl enable --now --quiet taskq.target
    until_true systemctl is-active taskq-worker@tasks || fail "no worker for the shipped plugin"
}
