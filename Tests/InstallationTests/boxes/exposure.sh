#!/usr/bin/env bash
# The units are well formed and as closed as docs/OPERATIONS.md says; thresholds are tenths.
. "$(dirname "$0")/prelude.sh"
install_taskq
bounds=(taskq-broker.service:4 taskq-ingest.service:10 taskq-worker@tasks.service:12 taskq-plugins.service:10)
for bound in "${bounds[@]}"; do
    holds "${bound%:*} is within ${bound#*:} tenths" eval \
        "systemd-analyze security --no-pager --threshold=${bound#*:} ${bound%:*} | tail -n 1"
done
man=$(command -v man >/dev/null && echo yes || echo no)
holds "systemd-analyze verify has nothing to say" eval \
    '[[ -z $(systemd-analyze verify --man=$man /usr/lib/systemd/system/taskq* 2>&1 | tee /dev/stderr) ]]'
