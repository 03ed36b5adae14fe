"""What outlives a process: ledger, datasets, splits, files; here the records, variants and errors that all share."""
