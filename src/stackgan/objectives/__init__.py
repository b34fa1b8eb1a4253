"""Floor 1: tensors in, scalars out, no state. Losses are computed in float32 whatever the logits' type."""
