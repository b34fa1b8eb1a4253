"""Floor 4: the run folder, its lock, its checkpoints, and the ledger of runs."""
