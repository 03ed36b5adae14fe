"""The DSC of a whole study at once: a distribution over data curves of all depths, given the runs so far."""
