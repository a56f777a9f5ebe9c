"""Decoding in a graph gives what the converters store."""
import io

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets.conversion import image_checks
from image_classifier.inference import decode
from tests.datasets.conversion import odd_images

# Only converters read these.
_NOT_IN_A_GRAPH = ('.tif', '.webp')


@pytest.fixture(name='decoders', scope='module')
def _decoders():
  """Functions of the content of a file, by the number of channels."""
  with tf.Graph().as_default() as graph:
    encoded = tf.placeholder(tf.string, [])
    images = {channels: decode.decode(encoded, channels)
              for channels in (1, 3)}
    orientation = decode.exif_orientation(encoded)
  with tf.Session(graph=graph) as session:
    yield {name: lambda content, tensor=tensor: session.run(
        tensor, {encoded: content})
           for name, tensor in dict(images, exif=orientation).items()}


@pytest.mark.parametrize('image', [
    image for image in odd_images.corpus()
    if image.fate != odd_images.REJECTED and
    not image.name.endswith(_NOT_IN_A_GRAPH)], ids=lambda image: image.name)
def test_as_stored_by_a_converter(decoders, image):
  stored = image_checks.check(image.content)
  expected = np.asarray(Image.open(io.BytesIO(stored.content)).convert('RGB'))
  found = decoders[3](image.content)
  assert found.shape == expected.shape
  # Turned JPEGs and those of four inks are stored as JPEGs of quality 95.
  limit = 12 if stored.image_format == 'jpg' and stored.conversion else 4
  difference = np.abs(found.astype(int) - expected)
  assert np.median(difference) <= 1 and difference.mean() <= limit / 2


def test_gray_stays_exact(decoders):
  values = np.arange(256, dtype=np.uint8).reshape(16, 16)
  content = odd_images.encoded(Image.fromarray(values), 'PNG')
  np.testing.assert_array_equal(decoders[1](content)[..., 0], values)


def test_white_shows_through(decoders):
  transparent = odd_images.photo('LA')
  transparent.putalpha(0)
  for channels in (1, 3):
    image = decoders[channels](odd_images.encoded(transparent, 'PNG'))
    assert image.shape[-1] == channels and image.min() == 255


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('orientation', range(10))
def test_orientation(decoders, orientation, order):
  tags = Image.Exif()
  tags.endian = order
  tags[0x10f], tags[0x112] = 'Maker', orientation
  jpeg = odd_images.encoded(odd_images.photo(), 'JPEG', exif=tags.tobytes())
  assert decoders['exif'](jpeg) == (orientation if 1 <= orientation <= 8 else 1)


@pytest.mark.parametrize('content', [
    b'', b'\xff\xd8\xff', b'Exif\0\0', b'Exif\0\0II*\0\xff\xff\xff\x7f',
    b'\xff' * 40])
def test_no_orientation(decoders, content):
  assert decoders['exif'](content) == 1
