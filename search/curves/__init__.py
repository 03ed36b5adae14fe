"""What finished runs measured, and the data curves through it, with their intervals; pure."""
