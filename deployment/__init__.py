"""Where a model runs: clones on several devices, and workers."""
