"""The only mutable thing: a run, its records, its checkpoints, its money."""
