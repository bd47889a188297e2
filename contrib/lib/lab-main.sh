# Run on node1 of the lab, as root, by contrib/lab-two-nodes: starts the cluster and checks the job. BIN and IMAGES are set.
failures=0
check() {
    text=$1
    shift
    if "$@" >/dev/null 2>&1; then echo "   ok      $text"; else echo "   FAILED  $text"; failures=$((failures + 1)); fi
}
fail() {
    echo "lab: $*"
    tail -n 15 /shared/*.log 2>/dev/null
    exit 1
}
cat >/shared/argosy.conf <<CONF
ClusterName=lab
SlurmctldHost=node1(10.77.0.1)
SlurmUser=root
AuthInfo=socket=/run/lab/munge.sock
StateSaveLocation=/var/lib/argosy/ctld
SlurmdSpoolDir=/var/lib/argosy/d/%n
ArgosySocket=/run/lab/argosyctld.sock
KillWait=5
DefMemPerCPU=256
NodeName=node1 NodeAddr=10.77.0.1 CPUs=2 Sockets=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=1024
NodeName=node2 NodeAddr=10.77.0.2 CPUs=2 Sockets=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=1024
PartitionName=main Nodes=node[1-2] Default=YES State=UP
CONF
export ARGOSY_CONF=/shared/argosy.conf SWIFT_BACKTRACE=enable=no
mkdir -p /run/lab/bin
cp "$BIN/argosy" /run/lab/bin/argosy
for name in sbatch srun squeue scancel sinfo sacct scontrol; do ln -sf argosy "/run/lab/bin/$name"; done
PATH=/run/lab/bin:$PATH

echo "== two machines, cgroup v2 only"
grep cgroup /proc/mounts
check "no cgroup v1 hierarchy" sh -c '! grep -q " cgroup " /proc/mounts'
sh /shared/lab-node.sh node1 "$BIN"
setsid "$BIN/argosyctld" -D -f "$ARGOSY_CONF" >/shared/argosyctld.log 2>&1 </dev/null &
vmctl exec 2 sh /shared/lab-node.sh node2 "$BIN" </dev/null
tries=0
until [ "$(sinfo -h -N -o '%N %t' 2>/dev/null | grep -c ' idle$')" = 2 ]; do
    tries=$((tries + 1))
    [ $tries -le 120 ] || fail "the nodes did not register: $(sinfo -N 2>&1)"
    sleep 1
done
sinfo -N

work=/shared/work
mkdir -p $work
cp /shared/allreduce $work/
chown -R argosy-demo $work && chmod 777 $work
as_user() { runuser -u argosy-demo -- env ARGOSY_CONF="$ARGOSY_CONF" PATH="$PATH" sh -c 'cd /shared/work && exec "$@"' - "$@"; }
submit() { as_user sbatch "$@" 2>&1 | sed -n 's/.*batch job \([0-9]*\).*/\1/p'; }
state() { sacct -n -X -P -j "$1" -o State 2>/dev/null; }
finish() {
    tries=0
    while state "$1" | grep -qE '^(PENDING|RUNNING|COMPLETING|CONFIGURING)?$'; do
        tries=$((tries + 1))
        [ $tries -le 180 ] || break
        sleep 1
    done
    echo "   job $1: $(state "$1")"
}
jobs_cgroups() { find /sys/fs/cgroup/argosy -path "*/job_$1.*" -name cgroup.procs 2>/dev/null; }

echo "== mpirun ./allreduce, two nodes, four ranks, in a container"
cat >$work/mpi.sh <<JOB
#!/bin/sh
#SBATCH --nodes=2 --ntasks=4 --ntasks-per-node=2
#SBATCH --container-image=oci:$IMAGES/ompi-tiny:latest
#SBATCH --output=mpi.out
export OMPI_MCA_mpi_yield_when_idle=1
mpirun ./allreduce
JOB
job=$(submit mpi.sh)
finish "$job"
sed 's/^/   | /' $work/mpi.out
check "COMPLETED" [ "$(state "$job")" = COMPLETED ]
check "two ranks on node1" [ "$(grep -c '^rank=.* host=node1 ' $work/mpi.out)" = 2 ]
check "two ranks on node2" [ "$(grep -c '^rank=.* host=node2 ' $work/mpi.out)" = 2 ]

echo "== limits by cgroup v2"
cat >$work/limits.sh <<JOB
#!/bin/sh
#SBATCH --ntasks=1 --mem=64M --nodelist=node1
#SBATCH --container-image=oci:$IMAGES/busybox:latest
#SBATCH --output=limits.out
sleep 8
exec dd if=/dev/zero of=/dev/null bs=256M count=1
JOB
job=$(submit limits.sh)
tries=0
until [ -n "$(jobs_cgroups "$job")" ] || [ $tries -gt 60 ]; do tries=$((tries + 1)); sleep 0.5; done
group=$(find /sys/fs/cgroup/argosy -type d -name "job_$job.*" | head -n 1)
echo "   $group: memory.max $(cat "$group/memory.max"), cpuset.cpus $(cat "$group/cpuset.cpus.effective")"
check "memory.max is 64 MiB" [ "$(cat "$group/memory.max")" = 67108864 ]
check "one CPU of two" [ "$(cat "$group/cpuset.cpus.effective" | wc -w)" = 1 -a "$(cat "$group/cpuset.cpus.effective")" != 0-1 ]
finish "$job"
check "OUT_OF_MEMORY" [ "$(state "$job")" = OUT_OF_MEMORY ]

echo "== scancel"
cat >$work/long.sh <<JOB
#!/bin/sh
#SBATCH --nodes=2 --ntasks=2
#SBATCH --container-image=oci:$IMAGES/busybox:latest
#SBATCH --output=long.out
srun sh -c 'trap "" TERM; echo up; while true; do sleep 1; done'
JOB
job=$(submit long.sh)
tries=0
until [ "$(grep -c up $work/long.out 2>/dev/null)" = 2 ] || [ $tries -gt 90 ]; do tries=$((tries + 1)); sleep 1; done
check "a task runs on each node" [ "$(grep -c up $work/long.out)" = 2 ]
as_user scancel "$job"
finish "$job"
tries=0
while [ -n "$(squeue -h -j "$job" 2>/dev/null)" ] && [ $tries -lt 60 ]; do tries=$((tries + 1)); sleep 1; done
case $(state "$job") in CANCELLED*) check "CANCELLED" true ;; *) check "CANCELLED" false ;; esac
check "nothing of it is left on node1" [ -z "$(jobs_cgroups "$job")" ]
check "nothing of it is left on node2" [ -z "$(vmctl exec 2 find /sys/fs/cgroup/argosy -path "*/job_$job.*" -name cgroup.procs </dev/null)" ]
sacct -X
[ $failures -eq 0 ] || fail "$failures checks failed"
