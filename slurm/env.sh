# Sourced by every script here, in the folder that sbatch was called from. Edit it, or name another: PINNLAB_ENV=file.
# Partition, account and GPUs are SLURM's own variables, set where sbatch is called: SBATCH_PARTITION, SBATCH_ACCOUNT,
# SBATCH_GPUS_PER_NODE.
source .venv/bin/activate
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export WANDB_MODE=${WANDB_MODE:-offline}
