"""Who works on what and what was measured; every write one guarded transaction."""
