"""Floor 2: published layouts in, batches out. One file a data set; what all of them share is in module.py."""
