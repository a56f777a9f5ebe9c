"""The work of the five programs, a folder for each."""
