"""What the data curves mean: ranking, target, front, plans, the answer; pure."""
