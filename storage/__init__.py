"""What outlives a process: ledger, datasets, splits, checkpoints."""
