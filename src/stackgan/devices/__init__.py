"""Floor 4: this machine, its threads and devices, and the processes that share a run, on one machine or more."""
