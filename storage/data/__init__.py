"""A dataset, from its files to memory-mapped arrays and splits."""
