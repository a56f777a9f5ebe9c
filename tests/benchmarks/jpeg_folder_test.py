"""Tests of the benchmark of folders of JPEGs, with a few of them."""
import os

import pytest

from benchmarks import jpeg_folder


def test_run_converts_and_verifies(tmp_path, capsys):
  jpeg_folder.run(str(tmp_path), 20, 1)
  output = capsys.readouterr().out
  assert output.startswith('20 JPEGs of 500 x 375 pixels, 61 kB each\n')
  for text in ('reading alone: ', '1 worker: ', 'decoding alone: ',
               'CPU time of decoding at an eighth: Pillow ',
               '20 records hold their files byte for byte'):
    assert text in output


def test_verify_finds_what_is_not_the_same(tmp_path):
  source, folder = str(tmp_path / 'jpegs'), str(tmp_path / 'records')
  jpeg_folder.make_source(source, 20)
  jpeg_folder.time_converting(source, folder, 1)
  path = os.path.join(source, 'class 3', '000003.jpg')
  with open(path, 'ab') as target:
    target.write(b'x')
  with pytest.raises(ValueError, match='class 3/000003.jpg: its record differ'):
    jpeg_folder.verify(source, folder)
  os.rename(path, os.path.join(str(tmp_path), 'gone.jpg'))
  with pytest.raises(FileNotFoundError):
    jpeg_folder.verify(source, folder)
