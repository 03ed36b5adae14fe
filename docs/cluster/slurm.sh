#!/bin/bash
# One study on four nodes of a Slurm cluster: `sbatch docs/cluster/slurm.sh`. When the time is up, submit it again: the
# study goes on where it was. SHARED is a folder that all nodes see; the environment with dicecurve lies in it.
#SBATCH --job-name=dicecurve
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail

SHARED=${SHARED:?set SHARED to a folder that all nodes see}
source "$SHARED/venv/bin/activate"
export RAY_TMPDIR=${TMPDIR:-/tmp}

# Who has the token may run code on these nodes; nobody else may, though others share the network.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$SHARED/ray-token"
[ -s "$RAY_AUTH_TOKEN_PATH" ] || (umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' > "$RAY_AUTH_TOKEN_PATH")

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 -w "$head" hostname --ip-address | awk '{print $1}')
port=$((20000 + SLURM_JOB_ID % 20000))

# One Ray node a machine, each ends with this job; the first is the head.
srun --nodes=1 --ntasks=1 -w "$head" ray start --head --node-ip-address="$address" --port="$port" --block &
sleep 15
others=$((SLURM_JOB_NUM_NODES - 1))
if [ "$others" -gt 0 ]; then
  srun --nodes="$others" --ntasks="$others" --exclude="$head" ray start --address="$address:$port" --block &
  sleep 15
fi

# The database outlives the job where it runs on a machine of its own; here it begins and ends with the job.
dicecurve database start "$SHARED/database" --host "$address" > "$SHARED/database.env"
source "$SHARED/database.env"

export RAY_ADDRESS="$address:$port"
dicecurve run kvasir-seg --data "$SHARED/kvasir-seg" \
  --set "files.checkpoints=$SHARED/checkpoints" --set "files.cache=${TMPDIR:-/tmp}/dicecurve" &
driver=$!
trap 'kill -TERM $driver' TERM # two minutes before the end: cells are given back in order
code=0
wait $driver || code=$?
wait $driver 2>/dev/null || true
dicecurve database stop "$SHARED/database"
exit $code
