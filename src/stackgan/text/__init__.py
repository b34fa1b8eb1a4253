"""Floor 1: sentences in, embeddings out. One file an encoder."""
