"""Which cell next, where, when to stop, and what it all means."""
