"""Floor 3: look on, never touch. Callbacks see a stage only as a Sampler that counts images."""
