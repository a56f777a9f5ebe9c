"""Tests of collecting ImageNet's boxes."""
import os
import subprocess
import sys

import pytest

from datasets import process_bounding_boxes
from datasets.imagenet_tools import synset_images
from tests.datasets import records
from tests.datasets.imagenet_tools import imagenet_files

_annotation = imagenet_files.annotation


def _run(folder, contents, **options):
  """Returns (lines of the csv file, counts)."""
  source = imagenet_files.write(folder / 'xml', contents)
  before = records.snapshot(source)
  path = folder / 'boxes.csv'
  counts = process_bounding_boxes.run(
      source, output_file=str(path), num_workers=1, **options)
  assert records.snapshot(source) == before
  return path.read_text().splitlines(), counts


def test_lines(tmp_path):
  lines, counts = _run(tmp_path, {
      'n02/n02_7.xml': _annotation([(0, 0, 500, 375)]),
      'n01/n01_10.xml': _annotation(
          [(50, 75, 250, 150), (100, 100, 101, 300)], name='other'),
      'n01/n01_2.xml': _annotation([(33, 33, 333, 333)], 333.0, 1000),
      'n01/.n01_3.xml': b'', 'n01/readme.txt': b''})
  assert lines == [
      'n01_10.JPEG,0.1000,0.2000,0.5000,0.4000',
      'n01_10.JPEG,0.2000,0.2667,0.2020,0.8000',
      'n01_2.JPEG,0.0991,0.0330,1.0000,0.3330',
      'n02_7.JPEG,0.0000,0.0000,1.0000,1.0000']
  assert counts == {'files': 3, 'boxes': 4, 'boxes without extent': 0}
  assert len(synset_images.read_boxes(str(tmp_path / 'boxes.csv'))) == 3


def test_sides_are_clamped_and_put_in_order(tmp_path):
  lines, counts = _run(tmp_path, {'n01_1.xml': _annotation(
      [(600, -5, 250, 75), (10, 10, 10, 20), (501, 0, 700, 9)])})
  assert lines == ['n01_1.JPEG,0.5000,0.0000,1.0000,0.2000']
  assert counts['boxes without extent'] == 2


def test_other_synsets_are_left_out(tmp_path):
  (tmp_path / 'synsets.txt').write_text('n00000001\n')
  box = _annotation([(0, 0, 50, 75)])
  lines, counts = _run(
      tmp_path, {'n00000001_1.xml': box, 'n00000002_1.xml': box},
      synsets_file=str(tmp_path / 'synsets.txt'))
  assert lines == ['n00000001_1.JPEG,0.0000,0.0000,0.1000,0.2000']
  assert counts['images of other synsets'] == 1


@pytest.mark.parametrize('content,fault', [
    (b'', 'no element found'),
    (_annotation([(0, 0, 1, 1)])[:-20], 'unclosed token'),
    (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', 'too large, or with entities'),
    (_annotation([(0, 0, 1, 1)]).decode().encode('utf-16'),
     'too large, or with entities'),
    (b'<annotation/>', 'size/width is None, not a number'),
    (_annotation([(0, 0, 1, 1)], width=0), 'its size is 0 x 375'),
    (_annotation([(0, 0, 1, 1)], height='x'), "size/height is 'x', not a"),
    (_annotation([(0, 'nan', 1, 1)]), "ymin is 'nan', not a number"),
    (b'<annotation>' + b' ' * 1100000 + b'</annotation>', 'too large'),
], ids=('empty', 'short', 'entity', 'utf-16', 'no size', 'zero', 'text', 'nan',
        'large'))
def test_unreadable_files_are_named_and_counted(
    tmp_path, capsys, content, fault):
  lines, counts = _run(tmp_path, {
      'n01_1.xml': _annotation([(0, 0, 50, 75)]), 'n01_2.xml': content})
  assert len(lines) == 1
  assert counts['XML files that cannot be read'] == 1
  errors = capsys.readouterr().err
  assert 'n01_2.xml: ' in errors and fault in errors


def test_many_unreadable_files_are_not_all_named(tmp_path, capsys):
  contents = {'n01_%02d.xml' % k: b'' for k in range(25)}
  contents['n02_1.xml'] = _annotation([(0, 0, 50, 75)])
  _run(tmp_path, contents)
  assert '... and 5 more' in capsys.readouterr().err


def test_no_box_leaves_the_old_file(tmp_path):
  (tmp_path / 'boxes.csv').write_text('old')
  with pytest.raises(ValueError, match='the 1 XML files in .* hold no box'):
    _run(tmp_path, {'n01_1.xml': b''})
  assert (tmp_path / 'boxes.csv').read_text() == 'old'
  assert sorted(os.listdir(str(tmp_path))) == ['boxes.csv', 'xml']
  with pytest.raises(FileNotFoundError, match='there is no directory /no/such'):
    process_bounding_boxes.run('/no/such')


def test_program_prints_to_standard_output(tmp_path):
  source = imagenet_files.write(tmp_path / 'xml', {
      'n01/n01_%d.xml' % k: _annotation([(0, 0, 50, 75)]) for k in range(600)})
  command = [sys.executable, process_bounding_boxes.__file__]
  process = subprocess.Popen(
      command + [source, '--num_workers=2'], cwd='/', stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, universal_newlines=True)
  output, errors = process.communicate()
  assert process.returncode == 0
  lines = output.splitlines()
  assert len(lines) == 600 and lines == sorted(lines)
  assert '600 boxes of 600 images' in errors
  process = subprocess.Popen(
      command + ['a', 'b', 'c'], stderr=subprocess.PIPE,
      universal_newlines=True)
  assert '3 words were given: type DIRECTORY' in process.communicate()[1]
