# Run on each machine of the lab: the demo user, munged with the common key, and argosyd.   lab-node.sh NODENAME BIN
node=$1 bin=$2
export SWIFT_BACKTRACE=enable=no
for module in loop squashfs overlay veth bridge; do modprobe $module 2>/dev/null; done
id argosy-demo >/dev/null 2>&1 || useradd --uid 4321 --create-home --shell /bin/sh argosy-demo
mkdir -p /run/lab /var/lib/argosy /etc/argosy
[ -w /run/lab ] || exit 1
install -m 600 -o root /shared/munge.key /run/lab/munge.key
munged --key-file=/run/lab/munge.key --socket=/run/lab/munge.sock --pid-file=/run/lab/munged.pid \
    --log-file=/run/lab/munged.log --seed-file=/run/lab/seed
setsid "$bin/argosyd" -D -N "$node" -f /shared/argosy.conf >"/shared/argosyd.$node.log" 2>&1 </dev/null &
exit 0
