"""Image formats are told by the content of files."""
import io

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
