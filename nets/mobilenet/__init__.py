"""MobileNet V2, V3 and EdgeTPU, with a common builder and blocks."""
