# Shared by contrib/quickstart and the lab: steps with progress, jobs of the demo user, and checks.
# Expects: root images user logs dir; sets: failures work most registry.

failures=0
most=0
terminal=
[ -t 1 ] && terminal=yes

say() { printf '%s\n' "$*"; }
heading() { printf '\n== %s\n' "$*"; }

# step TEXT COMMAND...: runs it into a log; a line when done, the log's end when it fails.
step() {
    local text=$1 log pid from=$SECONDS
    shift
    log=$logs/$(printf %s "$text" | tr -c 'a-z0-9\n' '-' | cut -c1-40).log
    [ -n "$terminal" ] || printf '   %s ...\n' "$text"
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    while [ -n "$terminal" ] && kill -0 $pid 2>/dev/null; do
        printf '\r\033[K   %s ... %d s  %.60s' "$text" $((SECONDS - from)) "$(tail -c 400 "$log" | tr '\r' '\n' | tail -n 1)"
        sleep 0.3
    done
    if wait $pid; then
        [ -n "$terminal" ] && printf '\r\033[K'
        printf '   %s: done, %d s\n' "$text" $((SECONDS - from))
        grep -h '^warning:' "$log" | sed 's/^/      /' || true
        return 0
    fi
    [ -n "$terminal" ] && printf '\r\033[K'
    printf '   %s: FAILED\n' "$text"
    tail -n 20 "$log" | sed 's/^/      /'
    return 1
}

# check TEXT COMMAND...: one expectation.
check() {
    local text=$1
    shift
    if "$@" >/dev/null 2>&1; then
        printf '   ok      %s\n' "$text"
    else
        printf '   FAILED  %s\n' "$text"
        failures=$((failures + 1))
    fi
}

# wait_until SECONDS TEXT COMMAND...: the same, once it holds within that time.
wait_until() {
    local limit=$1 text=$2 end=$((SECONDS + $1))
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $end ]; then
            check "$text (within $limit s)" false
            return 0
        fi
        sleep 0.3
    done
    check "$text" true
}

show() { sed 's/^/   | /' "$1" 2>/dev/null || printf '   | (no file %s)\n' "$1"; }
run_shown() { printf '$ %s\n' "$*"; as_user "$@" || failures=$((failures + 1)); }

# as_user COMMAND...: as the demo user in its directory, with nothing of root's environment.
as_user() {
    runuser -u "$user" -- env -i HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/sh TERM="${TERM:-dumb}" \
        PATH="$dir/bin:/usr/local/bin:/usr/bin:/bin" ARGOSY_CONF="$ARGOSY_CONF" ALLREDUCE_SECONDS="${ALLREDUCE_SECONDS-}" \
        sh -c 'cd "$0" && exec "$@"' "$work" "$@"
}

prepare_home() {
    home=$(getent passwd "$user" | cut -d: -f6)
    work=$home/quickstart
    rm -rf "$work"
    install -d -o "$user" -g "$(id -gn "$user")" -m 0755 "$work"
    mpicc.openmpi -O2 -Wall -o "$work/allreduce" "$root/contrib/images/allreduce.c"
    chown "$user:" "$work/allreduce"
}

# script NAME: the batch script's lines after the first come from standard input.
script() {
    { printf '#!/bin/sh\n#SBATCH --job-name=%s\n' "$1"; cat; } >"$work/$1.sh"
    chown "$user:" "$work/$1.sh"
}

# submit NAME: prints the job's id; a refusal is a failed check.
submit() {
    local answer
    if answer=$(as_user sbatch "$1.sh" 2>&1) && [[ $answer =~ Submitted\ batch\ job\ ([0-9]+) ]]; then
        printf '   %s: %s\n' "$1.sh" "$answer" >&2
        printf '%s\n' "${BASH_REMATCH[1]}"
    else
        printf '   sbatch %s: %s\n' "$1.sh" "$answer" >&2
        printf '0\n'
    fi
}

states() { as_user sacct -n -X -P -j "$1" -o State 2>/dev/null; }
state_is() { [ "$(as_user squeue -h -j "$1" -o %T 2>/dev/null)" = "$2" ]; }
reason_is() { [ "$(as_user squeue -h -j "$1" -o %r 2>/dev/null)" = "$2" ]; }
gone_from_queue() { [ -z "$(as_user squeue -h -j "$1" -o %i 2>/dev/null)" ]; }
lines() { [ "$(grep -c "$2" "$1")" -ge "$3" ]; }
ended() { ! states "$1" | grep -qE '^(PENDING|RUNNING|COMPLETING|CONFIGURING|SUSPENDED|REQUEUED)?$' && [ -n "$(states "$1")" ]; }

# expect_state JOB STATE [SECONDS]: what sacct says when the job has ended. "CANCELLED by 1000" is CANCELLED.
expect_state() {
    local end=$((SECONDS + ${3:-90})) state
    until ended "$1" || [ $SECONDS -ge $end ]; do sleep 0.3; done
    state=$(states "$1" | sort -u | tr '\n' ' ')
    check "job $1 is $2 (sacct says ${state:-nothing})" [ "${state%% *}" = "$2" ]
    if [ "${state%% *}" != "$2" ]; then
        as_user scontrol show job "$1" 2>&1 | sed 's/^/      /'
        for file in "$work"/*-"$1".out; do [ -f "$file" ] && tail -n 12 "$file" | sed 's/^/      /'; done
    fi
    return 0
}

# Cgroups of a job, as the host sees them: argosy/CLUSTER/NODE/job_ID.ATTEMPT/...
job_cgroups() { find /sys/fs/cgroup -type d -path "*/argosy/*/job_$1.*" 2>/dev/null; }
# nodes_of_job JOB: the node of each process of it, one a line.
nodes_of_job() {
    local group pid
    job_cgroups "$1" | while read -r group; do
        case $group in */system | */system/*) continue ;; esac
        while read -r pid; do printf '%s %s\n' "$pid" "$group"; done <"$group/cgroup.procs" 2>/dev/null
    done | sort -u -k1,1 | sed -n 's,.*/argosy/[^/]*/\([^/]*\)/job_.*,\1,p'
}

# two_per_node FILE SED: the values sed finds in it are exactly two different ones, each twice.
two_per_node() {
    [ "$(sed -n "$2" "$1" | sort | uniq -c | awk '$1 == 2 {n++} $1 != 2 {n = -9} END {print n}')" = 2 ]
}
labels_agree() { awk '{sub(":", "", $1); if ($1 != $3) bad = 1} END {exit bad || NR != 4}' "$1"; }
owner_is() { [ "$(stat -c %U "$1")" = "$2" ]; }

# fields_follow_node FILE FIELD: ranks of one node share the field's value, ranks of different nodes do not.
fields_follow_node() {
    sed -n "s/.* node=\([^ ]*\) .* $2=\([^ ]*\).*/\1 \2/p" "$1" | sort -u |
        awk '{n++; if (nodes[$1]++ || values[$2]++) bad = 1} END {exit bad || n != 2}'
}

# mpi_point NAME: submits NAME.sh, looks at its ranks from outside while they run, and at its output.
mpi_point() {
    local job out
    job=$(ALLREDUCE_SECONDS=3 submit "$1")
    out=$work/$1-$job.out
    wait_until 120 "its ranks run" ranks_seen "$job" 4
    ranks_seen_from_host "$job" | sed 's/^/   | host: /'
    check "the host sees two ranks in a cgroup of each of two nodes" two_per_node <(ranks_seen_from_host "$job") \
        's,.*/argosy/[^/]*/\([^/]*\)/job_.*,\1,p'
    expect_state "$job" COMPLETED
    show "$out"
    check "the result is right on all four ranks" sums_agree "$out"
    check "exactly two ranks on each of two nodes" two_per_node "$out" 's/^rank=.* node=\([^ ]*\) .*/\1/p'
    check "the container's host name is the node's" hosts_agree "$out"
    for kind in mnt pid uts; do
        check "ranks of a node share their $kind namespace, nodes do not" fields_follow_node "$out" $kind
    done
    check "the output file is $user's" owner_is "$out" "$user"
}

# Lines of allreduce: rank=R size=N sum=S expected=S node=NODENAME host=HOSTNAME ...
field() { sed -n "/^rank=/ s/.* $2=\([^ ]*\).*/\1/p" "$1"; }
sums_agree() { [ "$(grep -c '^rank=[0-3] size=4 ' "$1")" = 4 ] && [ "$(field "$1" sum)" = "$(field "$1" expected)" ]; }
hosts_agree() { [ -n "$(field "$1" node)" ] && [ "$(field "$1" node)" = "$(field "$1" host)" ]; }

# ranks_seen_from_host JOB: a line with cgroup and namespaces per process of it called allreduce.
ranks_seen_from_host() {
    local pid group
    for pid in $(pgrep -x -u "$user" allreduce || true); do
        group=$(sed -n 's,^[0-9]*:[^:]*:\(.*/argosy/.*\),\1,p; s,^[0-9]*:[^:]*:\(/argosy/.*\),\1,p' "/proc/$pid/cgroup" 2>/dev/null | head -n 1)
        case $group in *"/job_$1."*) ;; *) continue ;; esac
        printf 'mnt=%s pid=%s uts=%s cgroup=%s\n' "$(namespace $pid mnt)" "$(namespace $pid pid)" "$(namespace $pid uts)" "$group"
    done
}
namespace() { readlink "/proc/$1/ns/$2" 2>/dev/null | tr -dc 0-9; }
ranks_seen() { [ "$(ranks_seen_from_host "$1" | wc -l)" -ge "$2" ]; }

# watch_array JOB: shows the queue as it changes until the array has ended; most is the largest number running.
watch_array() {
    local now before= running end=$((SECONDS + 120))
    most=0
    while [ $SECONDS -lt $end ]; do
        now=$(as_user squeue -h -r -j "$1" -o '%i %T' 2>/dev/null || true)
        [ -n "$now" ] || break
        running=$(grep -cE ' (RUNNING|CONFIGURING|COMPLETING)$' <<<"$now" || true)
        [ "$(grep -c ' RUNNING$' <<<"$now" || true)" -gt "$most" ] && most=$(grep -c ' RUNNING$' <<<"$now")
        if [ "$now" != "$before" ]; then
            printf '   | %s\n' "$(awk '{sub(/.*_/, "", $1); printf "%s:%s ", $1, substr($2, 1, 3)}' <<<"$now")"
            before=$now
        fi
        sleep 0.2
    done
}
array_outputs() {
    local index
    for index in 1 2 3 4 5 6 7 8; do [ "$(cat "$work/array-$1_$index.out")" = "task $index" ] || return 1; done
}

# A registry on the address that the nodes know this machine by; `argosy dev down` stops it with the cluster.
start_registry() {
    local host
    host=$(sed -n 's/^SlurmctldHost=.*(\(.*\))$/\1/p' "$dir/argosy.conf")
    registry=$host:5000
    mkdir -p "$dir/registry"
    cat >"$dir/registry.yml" <<YML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $dir/registry}}
http: {addr: "$registry"}
YML
    setsid docker-registry serve "$dir/registry.yml" >"$dir/log/registry.log" 2>&1 </dev/null &
    local pid=$!
    # As `argosy dev` notes its own daemons: the pid, and when that process started.
    printf '%s %s\n' "$pid" "$(cut -d')' -f2- "/proc/$pid/stat" | awk '{print $20}')" >"$dir/run/registry.pid"
    wait_until 20 "the registry answers on $registry" bash -c "exec 3<>/dev/tcp/${registry%:*}/${registry#*:}"
}

# nothing_left: what the cluster used of the machine is free again.
nothing_left() {
    local before=$failures
    heading "Afterwards"
    check "no process of $user is left" [ -z "$(pgrep -u "$user" || true)" ]
    check "no daemon of the cluster is left" [ -z "$(pgrep -f -- "$dir/" || true)" ]
    check "no mount is left" [ "$(grep -c . /proc/mounts)" -le "$mounts_before" ]
    check "no loop device is left" [ -z "$(losetup -l -n -O BACK-FILE 2>/dev/null | grep "^$dir/" || true)" ]
    check "no cgroup is left" [ -z "$(find /sys/fs/cgroup -type d -path '*/argosy/dev*' 2>/dev/null)" ]
    [ "$failures" -eq "$before" ]
}
