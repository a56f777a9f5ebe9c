"""Tests scripts/fetch_checkpoint.py with directories as mirrors."""
import os
import pathlib
import subprocess
import sys

import pytest

from nets import nets_factory
from nets import pretrained
from preprocessing import preprocessing_factory
from scripts import fetch_checkpoint
from slim_common import transfer

_ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(name='mirror')
def _mirror(tmp_path):
  """The path of a directory that holds net_2016.tar.gz."""
  path = tmp_path / 'mirror'
  path.mkdir()
  (path / 'net_2016.tar.gz').write_bytes(b'weights')
  return path


def test_downloads_once(mirror, tmp_path):
  directory = tmp_path / 'here'
  arguments = 'net_2016', str(directory), mirror.as_uri()
  found = fetch_checkpoint.fetch(*arguments)
  assert found == str(directory / 'net_2016.tar.gz')
  (mirror / 'net_2016.tar.gz').unlink()
  assert fetch_checkpoint.fetch(*arguments) == found
  assert pathlib.Path(found).read_bytes() == b'weights'
  assert sorted(os.listdir(str(directory))) == [
      'net_2016.tar.gz', 'net_2016.tar.gz.sha256']


@pytest.mark.parametrize('name, urls', [
    ('vgg_16_2016_08_28', [
        'http://download.tensorflow.org/models/vgg_16_2016_08_28.tar.gz',
        'https://storage.googleapis.com/download.tensorflow.org/models/'
        'vgg_16_2016_08_28.tar.gz']),
    ('mobilenet_v2_1.0_96', [
        'https://storage.googleapis.com/mobilenet_v2/checkpoints/'
        'mobilenet_v2_1.0_96.tgz'])])
def test_takes_the_published_urls(monkeypatch, tmp_path, name, urls):
  calls = []
  monkeypatch.setattr(
      transfer, 'fetch', lambda urls, path, **unused: calls.append(urls))
  path = fetch_checkpoint.fetch(name, str(tmp_path))
  assert path == str(tmp_path / os.path.basename(urls[0]))
  assert calls == [urls]


def test_prints_the_path_alone(capsys, tmp_path):
  path = tmp_path / 'vgg_16_2016_08_28.tar.gz'
  path.write_bytes(b'weights')
  fetch_checkpoint.main(['vgg_16_2016_08_28', str(tmp_path)])
  assert capsys.readouterr() == (str(path) + '\n', '')
  # Noted, to see a change of the file.
  assert path.with_name(path.name + '.sha256').exists()


def test_an_unknown_name(tmp_path):
  with pytest.raises(SystemExit) as error:
    fetch_checkpoint.main(['inception_v3_2016', str(tmp_path)])
  assert str(error.value) == (
      'fetch_checkpoint.py: There is no checkpoint inception_v3_2016; did you '
      'mean inception_v3_2016_08_28? python scripts/fetch_checkpoint.py --list '
      'prints all.')


def test_a_mirror_without_it(mirror, tmp_path):
  with pytest.raises(SystemExit) as error:
    fetch_checkpoint.main(
        ['net_2017', str(tmp_path), '--mirror=' + mirror.as_uri()])
  message = str(error.value)
  assert message.startswith(
      'fetch_checkpoint.py: cannot download net_2017.tar.gz; tried: %s/'
      'net_2017.tar.gz (' % mirror.as_uri())
  assert message.endswith(
      'give its path as --checkpoint_path, or to a recipe as CHECKPOINT=PATH.')


def test_a_name_is_required(capsys):
  with pytest.raises(SystemExit):
    fetch_checkpoint.main([])
  assert 'a name is required' in capsys.readouterr().err


def test_the_readme_holds_the_table_that_is_listed(tmp_path):
  listed = subprocess.check_output(
      [sys.executable, str(_ROOT / 'scripts' / 'fetch_checkpoint.py'),
       '--list'], cwd=str(tmp_path)).decode()
  assert listed in (_ROOT / 'nets' / 'README.md').read_text(encoding='utf-8')
  assert listed == fetch_checkpoint.table() + '\n'


@pytest.mark.parametrize(
    'row', [row._asdict() for row in pretrained.rows()],
    ids=lambda row: row['name'])
def test_rows_fit_the_library(row):
  assert row['model_name'] in nets_factory.networks_map
  assert int(row['image_size']) >= 96
  # The networks of 1,000 classes are those of the vgg family.
  family = preprocessing_factory.describe(row['preprocessing'])['family']
  assert row['labels_offset'] == str(int(family == 'vgg'))
  assert row['url'].endswith((
      '/%s.tar.gz' % row['name'], '/%s.tgz' % row['name']))
  accuracies = [row[column] for column in ('top1', 'top5') if row[column]]
  assert accuracies == sorted(accuracies) and all(
      30 < float(accuracy) < 100 for accuracy in accuracies)
