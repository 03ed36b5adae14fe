"""Which cell next, which not at all, when to stop; pure rules, and one shell that reads the ledger."""
