"""A study as DataFrames and files, and back."""
