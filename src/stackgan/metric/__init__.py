"""Floor 2: pictures to features (slow, cached), features to numbers (pure)."""
