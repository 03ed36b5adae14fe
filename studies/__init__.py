"""What a person runs and reads: the command line, the spec, the report."""
