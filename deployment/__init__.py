"""Devices and processes: clones of a model, workers, parameter servers."""
