"""Floor 1: arrays in, picture out (Pillow, matplotlib's object API). No torch."""
