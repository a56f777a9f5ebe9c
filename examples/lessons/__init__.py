"""Lessons: short programs, each of which shows one thing on bundled digits."""
