#!/usr/bin/env bash
# Evaluates on a Slurm cluster: an array of jobs, a shard each, and a job that merges them once all are done.
#
#   scripts/clusters/slurm.sh 16 /shared/evaluation --images /shared/photos --boxes /shared/boxes.json
#
# What follows the number of shards and the folder of the results are options of `npm run evaluate`. The project, its
# packages (npm ci), images and results must be in folders that all nodes share. Partition, account, memory and the like
# are Slurm's own variables: SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_TIMELIMIT, SBATCH_GPUS. Shards that a node's end
# stopped are run again by Slurm; whatever else failed goes on by the same command, and what is done already ends at once.
set -euo pipefail

case "${1-}" in
  # What the jobs run: this script, in the folder that it was called in.
  --task)
    exec npm --prefix "$2" run evaluate -- --shard "$SLURM_ARRAY_TASK_ID/$3" --out "$4" "${@:5}"
    ;;
  --merge)
    exec npm --prefix "$2" run evaluate -- --merge --out "$3"
    ;;
  *[!0-9]* | '')
    echo "usage: $0 SHARDS OUT [options of npm run evaluate]" >&2
    exit 2
    ;;
esac

shards=$1
out=$2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "$out"
array=$(sbatch --parsable --requeue --job-name=score-cam --array="1-$shards" --output="$out/slurm-%A-%a.log" \
  "${BASH_SOURCE[0]}" --task "$root" "$shards" "$out" "${@:3}")
merge=$(sbatch --parsable --job-name=score-cam-merge --dependency="afterok:${array%%;*}" --kill-on-invalid-dep=yes \
  --output="$out/slurm-%j-merge.log" "${BASH_SOURCE[0]}" --merge "$root" "$out")
echo "Job ${array%%;*} has $shards shards, job ${merge%%;*} merges them; their logs are in $out."
