#!/usr/bin/env bash
# A SLURM cluster of two nodes on this host, for tests: cluster.sh start FOLDER | cluster.sh stop FOLDER
# Installs Debian's slurm-wlm and munge where they are missing. Exits with 77 and a reason where it cannot.
set -euo pipefail
action=$1 folder=$2
conf=$folder/slurm.conf

cannot() { echo "$1"; exit 77; }

missing() {
    for program in slurmctld slurmd srun munged; do
        command -v "$program" >/dev/null || { echo "$program"; return; }
    done
}

stop() {
    for pid in "$folder"/*.pid; do
        [ -e "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true
    done
}

if [ "$action" = stop ]; then stop; exit; fi

[ "$(id -u)" = 0 ] || cannot "starting SLURM's daemons needs root"
if [ -n "$(missing)" ]; then
    command -v apt-get >/dev/null || cannot "slurm-wlm is not installed and there is no apt-get"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends slurm-wlm munge; } >"$folder/apt.log" 2>&1 \
        || cannot "slurm-wlm and munge cannot be installed: $(tail -n 1 "$folder/apt.log")"
fi
[ -z "$(missing)" ] || cannot "slurm-wlm and munge are installed, but there is no $(missing)"

# a port that is free now, and the next ones
base=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1] // 8 * 8)')
host=$(hostname -s)
cpus=${CPUS_PER_NODE:-2}
mkdir -p "$folder"/{state,n1,n2}
dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 2>/dev/null
chmod 600 "$folder/munge.key"
cat >"$conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$base
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CryptoType=crypto/munge
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
JobRequeue=1
KillWait=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
SchedulerParameters=batch_sched_delay=0,sched_min_interval=1000,sched_interval=5,bf_interval=5
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((base + 1)) CPUs=$cpus
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((base + 2)) CPUs=$cpus
PartitionName=test Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$conf
trap 'stop; tail -n 3 "$folder"/*.log >&2' ERR
munged --force --socket="$folder/munge.socket" --key-file="$folder/munge.key" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
slurmctld -c
slurmd -N n1
slurmd -N n2
for _ in $(seq 100); do
    [ "$(sinfo -h -o %T -p test 2>/dev/null)" = idle ] && exit 0
    sleep 0.1
done
echo "the nodes did not come up" >&2
exit 1
