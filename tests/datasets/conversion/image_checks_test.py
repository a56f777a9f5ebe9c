"""Tests of the verdicts on images."""
import io
import struct

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets.conversion import image_checks
from tests.datasets.conversion import odd_images

_POLICY = image_checks.Policy(max_pixels=odd_images.MAX_PIXELS)
_CORPUS = odd_images.corpus()


def _fate(verdict):
  if verdict.fault:
    return odd_images.REJECTED
  return odd_images.CONVERTED if verdict.conversion else odd_images.KEPT


def _pixels(verdict):
  return np.asarray(Image.open(io.BytesIO(verdict.content))).astype(int)


@pytest.mark.parametrize('image', _CORPUS, ids=lambda p: p.name)
def test_fate(image):
  verdict = image_checks.check(image.content, _POLICY)
  assert (_fate(verdict), verdict.image_format) == (
      image.fate, image.image_format), verdict.fault
  assert image.text in (verdict.fault or verdict.conversion or '')
  if image.fate == odd_images.KEPT:
    assert verdict.content == image.content
  if image.fate == odd_images.REJECTED:
    assert verdict.content is None
    return
  image = Image.open(io.BytesIO(verdict.content))
  image.load()
  assert (image.mode, image.size) == (
      image.mode, (verdict.width, verdict.height))


def test_the_corpus_is_large_enough():
  odd = [image for image in _CORPUS if image.fate != odd_images.KEPT]
  assert len(odd) >= 30
  assert len({image.name for image in _CORPUS}) == len(_CORPUS)


def test_tensorflow_reads_all_that_is_stored():
  encoded = tf.placeholder(tf.string)
  pixels = tf.image.decode_image(encoded, channels=3)
  with tf.Session() as session:
    for image in _CORPUS:
      verdict = image_checks.check(image.content, _POLICY)
      if not verdict.fault:
        decoded = session.run(pixels, {encoded: verdict.content})
        assert decoded.shape == (verdict.height, verdict.width, 3), image.name


@pytest.mark.parametrize('orientation', range(2, 9))
def test_turned_images_stand_upright(orientation):
  upright = odd_images.quarters()
  undo = {2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180,
          4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE, 6: Image.ROTATE_90,
          7: Image.TRANSVERSE, 8: Image.ROTATE_270}
  stored = odd_images.encoded(
      upright.transpose(undo[orientation]), 'JPEG', quality=95,
      exif=odd_images.exif(orientation))
  verdict = image_checks.check(stored)
  assert verdict.conversion == 'turned by EXIF'
  assert (verdict.height, verdict.width) == (
      odd_images.HEIGHT, odd_images.WIDTH)
  assert np.abs(_pixels(verdict) - np.asarray(upright)).mean() < 5
  kept = image_checks.check(stored, image_checks.Policy(turn=False))
  assert kept.content == stored


def test_inks_keep_their_colors():
  image = odd_images.photo()
  verdict = image_checks.check(odd_images.encoded(
      image.convert('CMYK'), 'JPEG', quality=95))
  assert np.abs(_pixels(verdict) - np.asarray(image)).mean() < 12


@pytest.mark.parametrize('channels,error', [(1, 0.5), (3, 1)])
def test_16_bits_become_8(channels, error):
  content, values = odd_images.png_of_16_bits(channels)
  pixels = _pixels(image_checks.check(content)).reshape(values.shape)
  assert np.abs(pixels - values.astype(float) / 257).max() <= error


@pytest.mark.parametrize('header_size', [52, 56])
@pytest.mark.parametrize('mode', ['RGB', 'RGBA'])
def test_headers_of_bmp_that_old_versions_of_pillow_refuse(mode, header_size):
  """Forms 2 and 3: the masks of the colors follow the header of form 1."""
  image = odd_images.photo(mode)
  plain = odd_images.encoded(image, 'BMP')
  masks = struct.pack('<IIII', 0xff0000, 0xff00, 0xff, 0xff000000)
  start = 14 + header_size
  info = plain[18:54]
  if mode == 'RGBA':
    info = info[:12] + struct.pack('<I', 3) + info[16:]
  verdict = image_checks.check(b''.join([
      plain[:10], struct.pack('<II', start, header_size), info,
      masks[:header_size - 40], plain[54:] if mode == 'RGB' else
      image.transpose(Image.FLIP_TOP_BOTTOM).tobytes('raw', 'BGRA')]))
  assert (verdict.fault, verdict.conversion) == (None, 'BMP')
  np.testing.assert_array_equal(
      _pixels(verdict), np.asarray(odd_images.photo().convert('RGB')))


@pytest.mark.parametrize('order', '<>')
def test_tiff_of_16_bits_becomes_8(order):
  values = np.arange(48 * 32).reshape(32, 48) * 42
  tags = [(256, 48), (257, 32), (258, 16), (259, 1), (262, 1), (273, 128),
          (277, 1), (278, 32), (279, values.size * 2)]
  header = (b'II*\0' if order == '<' else b'MM\0*') + struct.pack(
      order + 'IH', 8, len(tags))
  entries = b''.join(
      struct.pack(order + 'HHII', tag, 4, 1, value) for tag, value in tags)
  content = (header + entries + bytes(4)).ljust(128, b'\0')
  verdict = image_checks.check(
      content + values.astype(order + 'u2').tobytes())
  assert (verdict.fault, verdict.image_format) == (None, 'png')
  np.testing.assert_array_equal(_pixels(verdict), (values + 128) // 257)


@pytest.mark.parametrize('background', [(255, 255, 255), (10, 200, 30)])
def test_transparency_shows_the_background(background):
  image = odd_images.photo('RGBA')
  alpha = np.zeros([odd_images.HEIGHT, odd_images.WIDTH], np.uint8)
  alpha[:, 20:] = 255
  image.putalpha(Image.fromarray(alpha))
  pixels = _pixels(image_checks.check(
      odd_images.encoded(image, 'PNG'),
      image_checks.Policy(background=background)))
  assert (pixels[:, :20] == background).all()
  np.testing.assert_array_equal(
      pixels[:, 20:], np.asarray(odd_images.photo())[:, 20:])


@pytest.mark.parametrize('kind,options', [
    ('GIF', {}), ('PNG', {}), ('WEBP', {'lossless': True})])
def test_first_frame_is_taken(kind, options):
  frames = [Image.new('RGB', (16, 16), color)
            for color in ('red', 'green', 'blue')]
  content = odd_images.encoded(
      frames[0], kind, save_all=True, append_images=frames[1:], **options)
  pixels = _pixels(image_checks.check(content))
  assert np.abs(pixels - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize('share', [0.1, 0.3, 0.6, 0.9])
@pytest.mark.parametrize('options', [
    {}, {'progressive': True}, {'subsampling': 0}, {'quality': 98}])
def test_a_jpeg_cut_anywhere_is_rejected(share, options):
  jpeg = odd_images.encoded(
      odd_images.photo(width=90, height=70), 'JPEG', **options)
  start = jpeg.index(b'\xff\xda')
  cut = jpeg[:start + int((len(jpeg) - start) * share)]
  assert image_checks.check(cut).fault.startswith('truncated JPEG')
  fault = image_checks.check(cut + b'\xff\xd9').fault
  assert fault and ('ends early' in fault or 'progressive' in options)


@pytest.mark.parametrize('quality', [60, 95])
def test_a_late_scan_may_lack_a_few_bytes(quality):
  jpeg = odd_images.encoded(odd_images.photo(width=90, height=70), 'JPEG',
                              progressive=True, quality=quality)
  for missing in (6, 20, 60):
    fault = image_checks.check(jpeg[:-missing] + b'\xff\xd9').fault
    assert fault == 'truncated JPEG: the data of its last scan ends early'


def test_mutated_images_get_a_verdict():
  random = np.random.RandomState(3)
  sources = [image.content for image in _CORPUS if image.content]
  for trial in range(400):
    content = bytearray(sources[trial % len(sources)])
    for _ in range(random.randint(1, 8)):
      content[random.randint(len(content))] = random.randint(256)
    verdict = image_checks.check(bytes(content), _POLICY)
    assert (verdict.content is None) == (verdict.fault is not None)


def test_pillows_limit_is_left_as_it_was():
  before = Image.MAX_IMAGE_PIXELS
  image_checks.check(_CORPUS[0].content)
  image_checks.check(b'\x89PNG\r\n\x1a\n')
  assert Image.MAX_IMAGE_PIXELS == before
