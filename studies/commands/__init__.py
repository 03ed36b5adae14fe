"""The commands of the command line, by what they work on; each module adds its own to the parser."""
