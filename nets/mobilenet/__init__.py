"""MobileNet V2, V3 and EdgeTPU, and the builder and blocks they share."""
