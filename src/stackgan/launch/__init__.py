"""Floor 6: from a command line to objects, and from objects to a run."""
