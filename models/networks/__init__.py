"""The task networks, their size, and their quick CPU layers."""
