"""How programs grow with the depth of a network and the number of images."""
import os

import pytest

from benchmarks import common
from benchmarks import growth
from benchmarks import many_images
from benchmarks.contenders import turns
from datasets.conversion import image_checks

_ROWS = [dict(network='resnet_v1_%d' % depth, batch=batch, operations=9000,
              building=depth / 10, first=9.0, step=(0.5, 0.4, 0.6),
              memory=700 + depth * batch)
         for depth in (50, 101) for batch in (1, 4)]


def test_the_table_and_the_drawing(tmp_path):
  lines = list(growth.table(_ROWS))
  assert len(lines) == 2 + 4
  assert lines[2] == ('| resnet_v1_50 | 1 | 9000 | 5.0 | 9.0 | 0.500 (0.400 to '
                      '0.600) | 750 |')
  growth.draw(_ROWS, str(tmp_path / 'growth.png'))
  assert (tmp_path / 'growth.png').read_bytes().startswith(b'\x89PNG')


@pytest.mark.slow
def test_a_network_is_measured_in_a_process():
  row = growth._in_a_process('resnet_v1_50', 2, growth.parse_arguments(
      ['--image_size=32', '--rounds=2']))
  assert row['network'] == 'resnet_v1_50' and row['batch'] == 2
  assert row['first'] > row['step'][0] > 0 and row['operations'] > 4000


def test_images_are_made_and_read_by_programs_that_exist(tmp_path):
  many_images.make_images(str(tmp_path / 'images'), 25)
  assert len(os.listdir(str(tmp_path / 'images'))) == 10
  assert sum(len(names) for _, _, names in os.walk(str(tmp_path))) == 25
  for name, arguments in many_images.commands('in', 'data', 'model').items():
    assert os.path.exists(os.path.join(common.ROOT, arguments[0])), name
  assert [many_images.images_of(name, 1000)
          for name in ('convert', 'train', 'evaluate')] == [1000, 2000, 100]


def test_no_two_images_are_equal_and_all_are_valid(tmp_path):
  many_images.make_images(str(tmp_path), 501)
  contents = [path.read_bytes() for path in tmp_path.glob('*/*.png')]
  assert len(set(contents)) == 501
  assert not any(image_checks.check(content, image_checks.Policy()).fault
                 for content in contents)


def test_the_table_of_many_images_and_the_drawing(tmp_path):
  taken = [turns.Turn(1, seconds, 2 * seconds, 100 + seconds)
           for seconds in (4, 2, 8)]
  rows = [many_images._row(number, name, taken)
          for number in (1000, 10000) for name in ('convert', 'evaluate')]
  assert list(many_images.table(rows))[2:4] == [
      '| 1,000 | convert | 4.0 (2.0 to 8.0) | 8.0 (4.0 to 16.0) | 250 | 108 |',
      '| 1,000 | evaluate | 4.0 (2.0 to 8.0) | 8.0 (4.0 to 16.0) | 25 | 108 |']
  many_images.draw(rows, str(tmp_path / 'many_images.png'))
  assert (tmp_path / 'many_images.png').read_bytes().startswith(b'\x89PNG')


def test_a_program_that_fails_is_named(tmp_path, monkeypatch):
  monkeypatch.setattr(many_images, 'commands', lambda *places: {
      'convert': ['-c', 'import sys; sys.exit("no disk")']})
  with pytest.raises(ValueError, match='convert, 10 images: .*no disk'):
    many_images.measure([10], 1, str(tmp_path))
  assert not os.listdir(str(tmp_path))
