"""Contact sheets."""
import importlib.util

import numpy as np
from PIL import Image
import pytest

from slim_common import contact_sheet


def _pixels(tmp_path, images):
  sheet = str(tmp_path / 'sheet.png')
  contact_sheet.draw(images, sheet)
  return np.array(Image.open(sheet))


@pytest.fixture(name='red')
def _red(tmp_path):
  path = str(tmp_path / 'red.png')
  Image.new('RGB', (2, 4), 'red').save(path)
  return path


def test_images_and_captions_are_drawn(tmp_path, red):
  broken = str(tmp_path / 'broken.png')
  (tmp_path / 'broken.png').write_bytes(b'not an image')
  pixels = _pixels(tmp_path, [(red, 'one')] * 6 + [(broken, 'none')])
  # Five columns, two rows.
  assert pixels.shape == (2 * (140 + 14 + 8) + 8, 5 * 148 + 8, 3)
  assert (pixels[78, 78] == [255, 0, 0]).all()
  assert (pixels[78, 20] == [255, 255, 255]).all(), 'beside the tall image'
  second_row = pixels[8 + 162 + 70, 8 + 148 + 70]
  assert (second_row == [255, 255, 255]).all(), 'the broken image'
  assert (pixels[148:162] < 128).any(), 'captions'
  assert sorted(p.name for p in tmp_path.iterdir()) == [
      'broken.png', 'red.png', 'sheet.png']


def test_a_long_caption_stays_below_its_image(tmp_path, red):
  words = 'African hunting dog, hyena dog, Cape hunting dog 98.7 %'
  for caption in (words, 'a' * 200):
    pixels = _pixels(tmp_path, [(red, caption), (red, '')])
    assert (pixels[150:, :148] < 128).any()
    assert (pixels[150:, 148:] == 255).all(), 'the neighbour'
  assert pixels.shape[0] == 8 + 140 + 14 + 8, 'a word is cut off'


@pytest.mark.parametrize('has_matplotlib', [True, False])
def test_letters_that_are_not_latin(
    tmp_path, red, monkeypatch, has_matplotlib):
  if not has_matplotlib:
    monkeypatch.setattr(importlib.util, 'find_spec', lambda _: None)
  pixels = _pixels(tmp_path, [(red, '\u043a\u043e\u0442, \u732b 99.0 %')])
  assert (pixels[150:] < 128).any()


def test_sixteen_bits(tmp_path):
  path = str(tmp_path / 'deep.png')
  Image.fromarray(np.full([4, 4], 128 * 256, np.uint16)).save(path)
  pixels = _pixels(tmp_path, [(path, 'gray')])
  assert abs(int(pixels[78, 78, 0]) - 128) <= 1
