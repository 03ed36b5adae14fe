"""Which cell next, when to stop, what a cell is worth; pure rules, one shell that reads and writes the ledger."""
