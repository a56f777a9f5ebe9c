"""From a directory of images to an exported network, in one command."""
