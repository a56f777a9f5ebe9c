"""Image formats by the first bytes of a file, whatever its name says."""
from typing import Optional

JPEG, PNG, GIF, BMP = 'JPEG', 'PNG', 'GIF', 'BMP'
TIFF, WEBP = 'TIFF', 'WEBP'
# What TensorFlow's decoders read.
READ_BY_TENSORFLOW = (JPEG, PNG, GIF, BMP)

SIGNATURES = {
    JPEG: (b'\xff\xd8\xff',), PNG: (b'\x89PNG\r\n\x1a\n',), BMP: (b'BM',),
    GIF: (b'GIF87a', b'GIF89a'), TIFF: (b'II*\x00', b'MM\x00*')}
# Bytes of a file that `detect` looks at, at most.
HEAD_SIZE = 16


def detect(content: bytes) -> Optional[str]:
  """Returns the format that bytes begin as, such as JPEG; None for no image."""
  for name, signatures in SIGNATURES.items():
    if content.startswith(signatures):
      return name
  if content[:4] == b'RIFF' and content[8:12] == b'WEBP':
    return WEBP
  return None
