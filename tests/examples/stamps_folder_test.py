"""Tests examples/stamps_folder.py on a small collection made here."""
import os

import pytest

from datasets.conversion import image_lists
from examples import stamps_folder


@pytest.fixture(name='stamps')
def _stamps(tmp_path):
  """Two classes of three images, one of one, and files that are no images."""
  for name in ('animals/owl.png', 'animals/birds/owl.png', 'animals/cat.png',
               'food/apple.png', 'food/fruit/small/fig.png', 'food/nut.png',
               'space/moon.png', 'space/moon.svg', 'animals/cat.txt'):
    path = tmp_path / 'stamps' / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name)
  (tmp_path / 'stamps' / 'readme').write_text('words')
  return str(tmp_path / 'stamps')


def test_a_class_is_a_top_directory_with_enough_images(
    stamps, tmp_path, capsys):
  output = tmp_path / 'out'
  stamps_folder.main(['--source', stamps, '--output_dir', str(output),
                      '--min_pictures=3'])
  assert capsys.readouterr().out.splitlines() == [
      'animals      3', 'food         3',
      '6 images, 2 classes, in %s' % output]
  listing = image_lists.from_directory(str(output))
  assert listing.class_names == ['animals', 'food']
  assert [picture.name for picture in listing.splits['train']] == [
      'animals/birds_owl.png', 'animals/cat.png', 'animals/owl.png',
      'food/apple.png', 'food/fruit_small_fig.png', 'food/nut.png']
  assert (output / 'animals' / 'birds_owl.png').read_text() == (
      'animals/birds/owl.png')
  assert os.path.islink(str(output / 'food' / 'nut.png'))
  assert len(os.listdir(stamps)) == 4, 'the collection is as it was'


@pytest.mark.parametrize('source, output, min_images, message', [
    ('nowhere', 'out', 3, 'there is no directory nowhere. Install the stamps '
     '(apt install tuxpaint-stamps-default) or give their directory with '
     '--source.'),
    ('stamps', 'stamps', 3, 'stamps exists already: remove it, or give another '
     '--output_dir.'),
    ('stamps', 'out', 4, '0 classes of stamps have 4 images or more; 2 are '
     'needed, so lower --min_pictures. There are: animals 3, food 3, '
     'space 1')])
def test_refuses(stamps, monkeypatch, source, output, min_images, message):
  monkeypatch.chdir(os.path.dirname(stamps))
  with pytest.raises(SystemExit) as error:
    stamps_folder.main(['--source', source, '--output_dir', output,
                        '--min_pictures=%d' % min_images])
  assert str(error.value) == 'stamps_folder.py: ' + message
  assert not os.path.exists('out')
