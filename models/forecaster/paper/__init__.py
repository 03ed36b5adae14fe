"""The four LSTMs of Lee et al. 2025, and the comparison in their tables."""
