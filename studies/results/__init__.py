"""From the ledger to findings: measurements in, answer and scores out."""
