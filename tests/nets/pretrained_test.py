"""Published checkpoints by name, with directories and a server as mirrors."""
import http.server
import os
import tarfile
import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.options import Export
from image_classifier.options import Train
from image_classifier.runs import record_defaults
from nets import nets_factory
from nets import pretrained
from slim_common import flags
from slim_common import transfer

_NAME = 'mobilenet_v1_0.25_128'
_FILE = _NAME + '.tgz'


@pytest.fixture(autouse=True, name='directory')
def _directory(tmp_path, monkeypatch):
  """$TF_SLIM_CHECKPOINTS, which does not exist yet; home is empty too."""
  pretrained.find.cache_clear()
  monkeypatch.setenv('HOME', str(tmp_path / 'home'))
  monkeypatch.setenv('no_proxy', '*')
  monkeypatch.setenv(pretrained.VARIABLE, str(tmp_path / 'checkpoints'))
  monkeypatch.chdir(tmp_path)
  return tmp_path / 'checkpoints'


@pytest.fixture(scope='module', name='archive')
def _archive(tmp_path_factory):
  """An archive as published, of one weight, its average and another average."""
  directory = tmp_path_factory.mktemp('made')
  with tf.Graph().as_default(), tf.Session() as session:
    for name, value in (
        ('a/weights', 1.0), ('a/weights/ExponentialMovingAverage', 2.0),
        ('b/ExponentialMovingAverage', 3.0), ('global_step', 4.0)):
      tf.get_variable(name, initializer=value)
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, str(directory / 'x.ckpt'))
  path = directory / _FILE
  with tarfile.open(str(path), 'w:gz') as packed:
    for name in sorted(os.listdir(str(directory))):
      if name.startswith('x.ckpt'):
        packed.add(str(directory / name), './' + name)
  return path


def _put(archive, directory, name=_FILE):
  directory.mkdir(parents=True)
  path = directory / name
  path.write_bytes(archive.read_bytes())
  return str(path)


@pytest.mark.parametrize('name, expected', [
    ('inception_v3', 'inception_v3_2016_08_28'),
    ('mobilenet_v1', 'mobilenet_v1_1.0_224'),
    ('mobilenet_v1_025', 'mobilenet_v1_0.25_224'),
    ('mobilenet_v2', 'mobilenet_v2_1.0_224'),
    ('mobilenet_v2_035', 'mobilenet_v2_0.35_224'),
    ('mobilenet_v3_large', 'v3-large_224_1.0_float'),
    ('mobilenet_v3_small', 'v3-small_224_1.0_float'),
    ('mobilenet_edgetpu_075', 'mobilenet_edgetpu_224_0.75'),
    ('nasnet_large', 'nasnet-a_large_04_10_2017'),
    ('quantized_v2_96_35', 'quantized_v2_96_35'),
    ('resnet_v1_200', None), ('none', None)])
def test_names_of_networks_stand_for_archives(name, expected):
  row = pretrained.row_of(name)
  assert (row and row.name) == expected


def test_every_network_stands_for_its_own_archive_or_for_none():
  for name in nets_factory.networks_map:
    row = pretrained.row_of(name)
    assert row is None or row.model_name == name


def test_found_in_the_directory_of_the_environment_first(
    archive, directory, tmp_path, capsys):
  cache = _put(archive, tmp_path / 'home' / '.cache' / 'tf_slim_models')
  assert pretrained.find(_NAME) == cache
  pretrained.find.cache_clear()
  given = _put(archive, directory)
  assert pretrained.find(_NAME) == given
  assert capsys.readouterr().out == '%s: %s\n%s: %s\n' % (
      _NAME, cache, _NAME, given)


def test_a_file_that_changes_is_noticed(archive, directory):
  path = _put(archive, directory)
  pretrained.find(_NAME)
  with open(path, 'ab') as file:
    file.write(b'x')
  pretrained.find.cache_clear()
  with pytest.raises(ValueError, match='has changed since its first use: SHA-'
                     '256 .* instead of .* Remove it, so that it is fetched'):
    pretrained.find(_NAME)


class _Handler(http.server.BaseHTTPRequestHandler):
  """Serves an archive; the first answer ends half way."""

  def do_GET(self):  # pylint: disable=invalid-name
    asked = self.headers.get('Range')
    self.server.asked.append(asked)
    content = self.server.content
    start = int(asked[len('bytes='):-1]) if asked else 0
    self.send_response(206 if asked else 200)
    if asked:
      self.send_header('Content-Range', 'bytes %d-%d/%d' % (
          start, len(content) - 1, len(content)))
    self.send_header('Content-Length', str(len(content) - start))
    self.end_headers()
    self.wfile.write(content[start:None if asked else len(content) // 2])

  def log_message(self, *unused_arguments):  # pylint: disable=arguments-differ
    pass


@pytest.fixture(name='server')
def _server(archive, monkeypatch):
  monkeypatch.setattr(transfer, '_SECONDS_BETWEEN_ATTEMPTS', 0.01)
  server = http.server.HTTPServer(('127.0.0.1', 0), _Handler)
  server.content, server.asked = archive.read_bytes(), []
  thread = threading.Thread(target=server.serve_forever, args=(0.02,))
  thread.start()
  yield server
  server.shutdown()
  thread.join()
  server.server_close()


def test_fetched_from_a_mirror_and_resumed(
    archive, directory, server, monkeypatch, capsys):
  host = 'http://127.0.0.1:%d/' % server.server_port
  row = pretrained.row_of(_NAME)._replace(url='file:///nowhere/' + _FILE)
  monkeypatch.setattr(pretrained, 'row_of', {_NAME: row}.get)
  monkeypatch.setattr(pretrained, '_MIRRORS', {'file:///nowhere/': host})
  path = pretrained.find(_NAME)
  assert path == str(directory / _FILE)
  assert (directory / _FILE).read_bytes() == archive.read_bytes()
  assert server.asked == [None, 'bytes=%d-' % (len(server.content) // 2)]
  assert (directory / (_FILE + '.sha256')).read_text() == '%s  %s\n' % (
      transfer.sha256_of(path), _FILE)
  assert 'Fetching %s, which is then kept in %s.' % (
      _FILE, directory) in capsys.readouterr().out


def test_what_an_interrupted_program_left_is_resumed(
    archive, directory, server, tmp_path):
  directory.mkdir()
  (directory / (_FILE + '.part')).write_bytes(server.content[:10])
  pretrained.fetch(pretrained.row_of(_NAME), str(directory),
                   'http://127.0.0.1:%d' % server.server_port)
  assert server.asked == ['bytes=10-']
  assert (directory / _FILE).read_bytes() == archive.read_bytes()
  del tmp_path


def test_a_dead_address(directory, monkeypatch):
  row = pretrained.row_of(_NAME)._replace(url='file:///nowhere/' + _FILE)
  monkeypatch.setattr(pretrained, 'row_of', {_NAME: row}.get)
  with pytest.raises(OSError) as error:
    pretrained.find(_NAME)
  assert str(error.value).endswith(
      'If the address is dead, get a file of the name %s in another way and '
      'put it into %s, or give its path as --checkpoint_path, or to a recipe '
      'as CHECKPOINT=PATH.' % (_FILE, directory))


@pytest.mark.parametrize('name, message', [
    ('resnet_v1_200', 'No checkpoint of resnet_v1_200 was published. Those '
     'that were: python scripts/fetch_checkpoint.py --list'),
    ('inception_v33', 'There is no checkpoint inception_v33; did you mean '
     'inception_v3\\? python scripts')])
def test_no_archive_is_guessed(name, message):
  with pytest.raises(ValueError, match=message):
    pretrained.find(name)


def test_weights_by_name(archive, directory):
  _put(archive, directory)
  assert pretrained.load(_NAME) == {'a/weights': 1.0, 'b': 3.0}
  assert isinstance(pretrained.load(_NAME)['b'], (np.ndarray, np.float32))


def test_a_damaged_archive(archive, directory):
  path = _put(archive, directory)
  with open(path, 'r+b') as file:
    file.truncate(100)
  with pytest.raises(ValueError, match='cannot be unpacked: .* Remove it'):
    pretrained.load(_NAME)


def test_the_programs_take_names(archive, directory, tmp_path, capsys):
  _put(archive, directory)
  prefix = checkpoint_reader.find(_NAME)
  assert sorted(checkpoint_reader.shapes_in(prefix)) == [
      'a/weights', 'a/weights/ExponentialMovingAverage',
      'b/ExponentialMovingAverage', 'global_step']
  # A local file of that name wins.
  (tmp_path / (_NAME + '.index')).write_text('')
  assert checkpoint_reader.find(_NAME) == _NAME
  del capsys
  with pytest.raises(ValueError, match='No checkpoint of lenet was published'):
    checkpoint_reader.find('lenet')


def test_a_name_answers_flags():
  options, lines = record_defaults.apply(Export(
      checkpoint_path='resnet_v2_50', output_dir='x'), 'somewhere/x.ckpt')
  assert (options.model_name, options.image_size) == ('resnet_v2_50', 299)
  assert lines == [
      'From the published checkpoints: --model_name=resnet_v2_50 '
      '--image_size=299 --preprocessing_name=inception.']
  trained, _ = record_defaults.apply_to_fine_tuning(flags.replace(
      Train(), dict(checkpoint_path='mobilenet_v1_0.5_160')), None)
  assert trained.model.model_name == 'mobilenet_v1_050'
  assert trained.model.train_image_size == 160
