"""Floor 3: sentences to pictures with a generator that is given; one file a mode of sample.py. Sees no data set."""
