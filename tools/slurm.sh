#!/bin/bash
#SBATCH --job-name=or-mv-anon
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=64G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@90
# Anonymizes one room on the job's nodes: sbatch [--array=1-100] tools/slurm.sh ROOMS OUT [OPTIONS ...]
# ROOMS holds a site folder per room, OUT gets a folder of the same name; both on storage that all nodes share. In an
# array each job takes the room of its number, in alphabetical order. Preempted, it stops on SIGTERM, is requeued, and
# goes on from what is finished: the outputs are those of a run that nothing disturbed.
set -euo pipefail
rooms=$1 out=$2
shift 2
room=$(find "$rooms" -mindepth 1 -maxdepth 1 -type d | sort | sed -n "${SLURM_ARRAY_TASK_ID:-1}p")
[ -n "$room" ] || { echo "error: $rooms has no room number ${SLURM_ARRAY_TASK_ID:-1}." >&2; exit 2; }

export RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$HOME/.or-mv-anon-$SLURM_JOB_ID"
(umask 077 && head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$RAY_AUTH_TOKEN_PATH")
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"; kill $(jobs -p) 2>/dev/null || true' EXIT
# The head listens on the cluster's own network. Ports differ between jobs, for nodes may be shared.
head=$(hostname) port=$((20000 + SLURM_JOB_ID % 20000))
start() { srun --overlap --nodes=1 --ntasks=1 --nodelist="$1" ray start --block --disable-usage-stats "${@:2}" & }
start "$head" --head --port="$port" --include-dashboard=false --num-cpus="$SLURM_CPUS_PER_TASK"
for node in $(scontrol show hostnames "$SLURM_JOB_NODELIST"); do
  [ "$node" = "$head" ] || start "$node" --address="$head:$port" --num-cpus="$SLURM_CPUS_PER_TASK"
done
until ray status --address="$head:$port" >/dev/null 2>&1; do sleep 1; done

or-mv-anon anonymize --videos "$room" --out "$out/$(basename "$room")" --executor ray --address "$head:$port" \
  --progress json "$@" &
run=$!
trap 'kill -TERM "$run"; wait "$run" || true; scontrol requeue "$SLURM_JOB_ID"; exit 143' TERM
wait "$run"
