"""Image formats are told by the content of files."""
import io
import struct

from PIL import Image
import pytest

from slim_common import image_formats


@pytest.mark.parametrize(
    'name', ['JPEG', 'PNG', 'GIF', 'BMP', 'TIFF', 'WEBP'])
def test_what_other_programs_write(name):
  file = io.BytesIO()
  Image.new('RGB', (3, 2)).save(file, name)
  head = file.getvalue()[:image_formats.HEAD_SIZE]
  assert image_formats.detect(head) == name


@pytest.mark.parametrize('content', [
    b'', b'text', b'GIF88a', b'\x89PNG', b'RIFF\0\0\0\0WAVE', b'%PDF-1.4'])
def test_other_content(content):
  assert image_formats.detect(content) is None


def _bmp(bits, compression=0, header_size=40):
  """Returns the start of a BMP."""
  return b'BM' + bytes(12) + struct.pack(
      '<IiiHHI', header_size, 3, 2, 1, bits, compression)


@pytest.mark.parametrize('content, reason', [
    (b'\xff\xd8\xff', None), (b'GIF89a', None), (b'BM..', None),
    (_bmp(24), None), (_bmp(24, header_size=124), None),
    (_bmp(32), 'a BMP of 32 bits, read by TensorFlow 2 only'),
    (_bmp(16), 'a BMP of 16 bits'),
    (_bmp(8, 1), 'a BMP of 8 bits, with a palette'),
    (_bmp(24, 4), 'a compressed BMP'),
    (_bmp(24, header_size=12), 'a BMP of an old form'),
    (b'RIFF....WEBP', 'WEBP, neither JPEG, PNG, GIF nor BMP'),
    (b'text', 'neither JPEG, PNG, GIF nor BMP')])
def test_why_not_decoded(content, reason):
  assert image_formats.why_not_decoded(content) == reason


@pytest.mark.parametrize('content, reason', [
    (b'\xff\xd8\xff', None), (b'\x89PNG\r\n\x1a\n', None),
    (b'GIF89a', 'a GIF, which is not decoded to one channel'),
    (_bmp(8), 'a BMP, which is not decoded to one channel')])
def test_why_not_decoded_to_one_channel(content, reason):
  assert image_formats.why_not_decoded(content, channels=1) == reason
