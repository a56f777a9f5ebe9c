"""Network architectures: one file a family, found by name in nets_factory."""
