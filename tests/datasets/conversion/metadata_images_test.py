"""Tests that no image vanishes or changes because of how it is packed."""
import io

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets.conversion import image_checks
from tests.datasets.conversion import image_folders
from tests.datasets.conversion import metadata_images
from tests.datasets.conversion import odd_images
from tests.datasets.conversion import raw_files


def _pixels(verdict):
  assert not verdict.fault
  return np.asarray(Image.open(io.BytesIO(verdict.content)))


def test_harmless_metadata_costs_no_image():
  encoded = tf.placeholder(tf.string)
  decoded = tf.image.decode_png(encoded, 3)
  with tf.Session() as session:
    for name, content in metadata_images.harmless().items():
      verdict = image_checks.check(content)
      assert (verdict.content, verdict.fault) == (content, None), name
      np.testing.assert_array_equal(
          session.run(decoded, {encoded: verdict.content}),
          np.asarray(odd_images.photo()), name)
      as_jpeg = image_checks.check(content, image_checks.Policy(
          only_jpeg=True))
      assert as_jpeg.image_format == 'jpg', name


def test_exif_without_a_byte_order_is_left_out():
  """The libpng of TensorFlow 1.15 reads what follows at a wrong place."""
  content = metadata_images.with_chunks(odd_images.chunk(
      b'eXIf', b'M\0' + odd_images.exif(6)[8:]))
  verdict = image_checks.check(content)
  assert verdict.conversion == 'PNG with damaged EXIF'
  with tf.Session() as session:
    np.testing.assert_array_equal(
        session.run(tf.image.decode_png(verdict.content, 3)),
        np.asarray(odd_images.photo()))


@pytest.mark.parametrize('number,turn', [
    (1, None), (3, Image.ROTATE_180), (6, Image.ROTATE_270)])
def test_orientation_in_text(number, turn):
  upright = odd_images.photo()
  upright = upright if turn is None else upright.transpose(turn)
  for name, content in metadata_images.turned(number).items():
    verdict = image_checks.check(content)
    assert bool(verdict.conversion) == (turn is not None), name
    np.testing.assert_array_equal(_pixels(verdict), np.asarray(upright), name)


@pytest.mark.parametrize('number', range(1, 9))
def test_orientation_of_a_tiff(number):
  """Newer Pillows turn it themselves, older ones do not."""
  content = odd_images.encoded(
      odd_images.quarters(), 'TIFF', tiffinfo={0x112: number})
  jpeg = odd_images.encoded(
      odd_images.quarters(), 'JPEG', quality=95, exif=odd_images.exif(number))
  found, wanted = [
      _pixels(image_checks.check(image)) for image in (content, jpeg)]
  assert found.shape == wanted.shape
  assert np.abs(found.astype(int) - wanted).mean() < 5


@pytest.mark.parametrize('header_size', [108, 124])
def test_bmp_whose_alpha_is_0_everywhere_is_opaque(header_size):
  content, pixels = metadata_images.bmp_with_masks(0, header_size)
  np.testing.assert_array_equal(_pixels(image_checks.check(content)), pixels)


def test_32_bit_tiff_up_to_255_keeps_its_values():
  content, pixels = metadata_images.tiff_of_32_bits()
  np.testing.assert_array_equal(_pixels(image_checks.check(content)), pixels)


def test_a_single_color_left_of_several_is_a_warning():
  image = odd_images.photo('RGBA')
  image.putalpha(0)
  verdict = image_checks.check(odd_images.encoded(image, 'PNG'))
  assert verdict.warning == (
      'it has several colors, but only one after its conversion')
  for plain in (Image.new('P', (4, 4)), odd_images.photo().quantize(16)):
    assert not image_checks.check(odd_images.encoded(plain, 'PNG')).warning


@pytest.mark.parametrize('kind', ['TIFF', 'WEBP', 'JPEG'])
def test_color_profiles_are_not_copied(kind):
  verdict = image_checks.check(odd_images.encoded(
      odd_images.photo('CMYK' if kind == 'JPEG' else 'RGB'), kind,
      icc_profile=bytes(1 << 21)))
  assert _pixels(verdict).shape == (odd_images.HEIGHT, odd_images.WIDTH, 3)
  assert len(verdict.content) < 10000


@pytest.mark.parametrize('kind,mode', [
    ('PPM', 'RGB'), ('PPM', 'L'), ('PPM', '1'), ('PCX', 'RGB'), ('PCX', 'L'),
    ('TGA', 'RGB'), ('TGA', 'RGBA'), ('JPEG2000', 'RGB')])
def test_further_formats_are_converted(kind, mode):
  image = odd_images.photo(mode)
  options = {'irreversible': False} if kind == 'JPEG2000' else {}
  verdict = image_checks.check(odd_images.encoded(image, kind, **options))
  assert (verdict.conversion, verdict.image_format) == (kind, 'png')
  np.testing.assert_array_equal(
      _pixels(verdict),
      np.asarray(image.convert('RGB' if 'RGB' in mode else 'L')))


@pytest.mark.parametrize('name,content', [
    ('JPEG XL', b'\xff\x0a' + bytes(30)), ('SGI', b'\x01\xda' + bytes(30)),
    ('EPS', b'%!PS-Adobe'), ('ICNS', b'icns' + bytes(9)),
    ('HEIC', b'\0\0\0\x18ftypheic'), ('AVIF', b'\0\0\0\x18ftypavif')])
def test_other_formats_are_named(name, content):
  fault = image_checks.check(content).fault
  assert fault.startswith(
      name + ': not read; convert it, e.g. with: ')


def test_formats_that_are_not_read_are_bad_images(tmp_path):
  source = tmp_path / 'source'
  image_folders.write_classes(source)
  raw_files.write(source / 'z', '1.jxl', b'\xff\x0a' + bytes(30))
  raw_files.write(source / 'z', '2.eps', b'%!PS-Adobe-3.0')
  raw_files.write(source / 'z', '3', b'\0\0\0\x18ftypheic')
  image_folders.run(tmp_path, on_bad_image='skip')
  rows = (tmp_path / 'out' / 'bad_images.csv').read_text()
  for part in ('z/1.jxl,"JPEG XL: not read; convert it, e.g. with: djxl in.jxl '
               'out.png', 'z/2.eps,"EPS: not read', 'z/3,"HEIC: not read'):
    assert part.replace('"', '') in rows.replace('"', '')
