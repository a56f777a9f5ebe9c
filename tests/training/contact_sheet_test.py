"""Sheets of pictures."""
import numpy as np
from PIL import Image

from training import contact_sheet


def test_pictures_and_captions_are_drawn(tmp_path):
  red = str(tmp_path / 'red.png')
  Image.new('RGB', (2, 4), 'red').save(red)
  broken = str(tmp_path / 'broken.png')
  (tmp_path / 'broken.png').write_bytes(b'no picture')
  sheet = str(tmp_path / 'sheet.png')
  contact_sheet.draw([(red, ['one', 'two'])] * 6 + [(broken, ['none'])], sheet)
  pixels = np.array(Image.open(sheet))
  # Five columns, two rows, both lines of captions.
  assert pixels.shape == (2 * (140 + 28 + 8) + 8, 5 * 148 + 8, 3)
  assert (pixels[78, 78] == [255, 0, 0]).all()
  assert (pixels[78, 20] == [255, 255, 255]).all(), 'beside the tall picture'
  second_row = pixels[8 + 176 + 70, 8 + 148 + 70]
  assert (second_row == [255, 255, 255]).all(), 'the broken picture'
  assert (pixels[148:176] < 128).any(), 'captions'
  assert sorted(p.name for p in tmp_path.iterdir()) == [
      'broken.png', 'red.png', 'sheet.png']
