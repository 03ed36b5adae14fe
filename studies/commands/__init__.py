"""The command line: a module a command, each parses its options, calls one function and prints."""
