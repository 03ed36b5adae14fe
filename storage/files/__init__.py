"""Checkpoints, overlays, and where they lie."""
