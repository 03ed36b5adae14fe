"""Recorded trainings run again through the real policy, without Ray."""
