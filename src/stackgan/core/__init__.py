"""Floor 0: contracts every other room relies on. Needs torch and numpy only."""
