"""Floor 3: LightningModules with manual optimisation; the only place that changes weights."""
