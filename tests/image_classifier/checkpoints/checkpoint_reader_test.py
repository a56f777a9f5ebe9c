"""All ways to name a checkpoint, and what is said when it does not fit."""
import io
import os
import tarfile

import pytest
import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader


@pytest.fixture(name='directory')
def _directory(tmp_path):
  """A directory with checkpoints of steps 3 and 7 of two variables."""
  step = tf.train.get_or_create_global_step()
  tf.get_variable('net/logits/w', [4, 1000])
  tf.get_variable('net/k', [3, 3, 8, 16])
  saver = tf.train.Saver()
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for number in (3, 7):
      session.run(tf.assign(step, number))
      saver.save(session, str(tmp_path / 'model.ckpt'), step)
  return tmp_path


@pytest.mark.parametrize('name, step', [
    ('', 7), ('model.ckpt-3', 3), ('model.ckpt-3.index', 3),
    ('model.ckpt-3.meta', 3), ('model.ckpt-3.data-00000-of-00001', 3)])
def test_every_name_is_understood(directory, name, step):
  prefix = checkpoint_reader.find(str(directory / name))
  assert prefix == str(directory / ('model.ckpt-%d' % step))
  assert checkpoint_reader.step_of(prefix) == step


def test_missing_checkpoints(directory, tmp_path):
  empty = tmp_path / 'empty'
  empty.mkdir()
  for path, message in (
      (empty, 'There is no checkpoint in the directory %s.' % empty),
      (directory / 'model.ckpt-4', 'There is no checkpoint %s/model.ckpt-4. %s '
       'holds model.ckpt-3, model.ckpt-7.' % (directory, directory)),
      (empty / 'a' / 'b', 'There is no checkpoint %s/a/b: the directory %s/a '
       'does not exist.' % (empty, empty))):
    with pytest.raises(ValueError) as error:
      checkpoint_reader.find(str(path))
    assert str(error.value) == message


@pytest.mark.parametrize('text', [
    '', 'a: {', 'all_model_checkpoint_paths: "a"'])
def test_a_damaged_list_of_checkpoints(directory, tmp_path, text):
  (directory / 'checkpoint').write_text(text)
  alone = tmp_path / 'alone'
  alone.mkdir()
  (alone / 'checkpoint').write_text(text)
  message = ('The file %s/checkpoint, which lists the checkpoints, is empty or '
             'damaged. ')
  for path, cure in (
      (directory, 'Name one of model.ckpt-3, model.ckpt-7, or write '
       'model_checkpoint_path: "NAME" into it.'), (alone, 'Remove it.')):
    for read in (checkpoint_reader.find, checkpoint_reader.listed):
      with pytest.raises(ValueError) as error:
        read(str(path))
      assert str(error.value) == message % path + cure
  assert checkpoint_reader.find(str(directory / 'model.ckpt-3'))


def test_a_directory_without_the_list_of_checkpoints(directory):
  (directory / 'checkpoint').unlink()
  with pytest.raises(ValueError) as error:
    checkpoint_reader.find(str(directory))
  assert str(error.value) == (
      'There is no checkpoint in the directory %s that is listed as the '
      'latest. It holds model.ckpt-3, model.ckpt-7: name one of them.' %
      directory)
  (directory / 'model.ckpt-7.index').unlink()
  assert checkpoint_reader.find(str(directory)) == str(
      directory / 'model.ckpt-3')
  with pytest.raises(ValueError) as error:
    checkpoint_reader.find(str(directory / 'model.ckpt-7'))
  assert str(error.value) == (
      'The checkpoint {0}/model.ckpt-7 is incomplete: there is no file '
      '{0}/model.ckpt-7.index.'.format(directory))


def _message(directory, name, shape):
  prefix = checkpoint_reader.find(str(directory))
  variable = tf.get_variable('other', shape)
  with pytest.raises(ValueError) as error:
    checkpoint_reader.check_fits(prefix, {name: variable})
  return str(error.value)


def test_what_fits_is_accepted(directory):
  variable = tf.get_variable('other', [4, 1000])
  checkpoint_reader.check_fits(
      checkpoint_reader.find(str(directory)), {'net/logits/w': variable})


@pytest.mark.parametrize('name, shape, end', [
    ('net/x', [1], 'lacks 1 variables, such as net/x. It was trained with '
                   'another network: check --model_name.'),
    ('net/norm/moving_mean', [4], 'They are the statistics of batch '
     'normalization (moving_mean, moving_variance), which it was saved '
     'without: eval_image_classifier.py --recalibrate_batch_norm=100 computes '
     'them.'),
    ('module/k', [3, 3, 8, 16], 'It holds net/k, this network is module/k: '
     '--checkpoint_scope=net loads them.'),
    ('net/logits/w/ExponentialMovingAverage', [4, 1000],
     'The run kept no moving averages: leave out --moving_average_decay.'),
    ('net/logits/w', [4, 1001],
     'The checkpoint has no background class: pass --labels_offset=1.'),
    ('net/logits/w', [4, 5], 'The checkpoint has 1000 classes, not 5: check '
                             '--dataset_name and --dataset_dir (or '
                             '--num_classes).'),
    ('net/k', [3, 3, 4, 8], 'It was trained with another network or width: '
                            'check --model_name.')])
def test_what_does_not_fit(directory, name, shape, end):
  assert _message(directory, name, shape).endswith(end)


def test_a_checkpoint_without_a_step(tmp_path):
  tf.get_variable('w', [1])
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    prefix = tf.train.Saver().save(session, str(tmp_path / 'x'))
  assert checkpoint_reader.step_of(prefix) is None


def _archive(directory, path, names, mode='w:gz'):
  """Writes an archive of files of `directory`, {name in it: file or bytes}."""
  with tarfile.open(str(path), mode) as archive:
    for name, content in names.items():
      if isinstance(content, bytes):
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
      else:
        archive.add(str(directory / content), name)
  return str(path)


def _files(step, prefix=''):
  names = ['model.ckpt-%d.%s' % (step, part)
           for part in ('index', 'data-00000-of-00001', 'meta')]
  return {prefix + name: name for name in names}


@pytest.mark.parametrize('name, mode', [
    ('a.tar.gz', 'w:gz'), ('a.tgz', 'w:gz'), ('a.tar', 'w')])
def test_archives_are_unpacked(directory, tmp_path, name, mode):
  names = dict(_files(3, './inner/'), **{'./frozen.pb': b'x', 'readme': b'x'})
  path = _archive(directory, tmp_path / name, names, mode)
  prefix = checkpoint_reader.find(path)
  assert prefix.endswith('inner/model.ckpt-3')
  assert checkpoint_reader.step_of(prefix) == 3
  assert checkpoint_reader.find(path) == prefix
  unpacked = os.path.dirname(os.path.dirname(prefix))
  assert os.listdir(unpacked) == ['inner']
  # An archive that was replaced is unpacked again.
  _archive(directory, path, _files(7), mode)
  os.utime(path, (1, 1))
  assert checkpoint_reader.step_of(checkpoint_reader.find(path)) == 7


def test_archives_write_nothing_elsewhere(directory, tmp_path):
  path = str(tmp_path / 'evil.tar.gz')
  outside = str(tmp_path / 'outside')
  with tarfile.open(path, 'w:gz') as archive:
    for name in ('../../outside.ckpt', outside + '/a.ckpt'):
      archive.addfile(tarfile.TarInfo(name))
    link = tarfile.TarInfo('link.ckpt')
    link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
    archive.addfile(link)
    for name, file in _files(3).items():
      archive.add(str(directory / file), name)
  prefix = checkpoint_reader.find(path)
  assert sorted(os.listdir(os.path.dirname(prefix))) == sorted(_files(3))
  assert not os.path.exists(outside)


@pytest.mark.parametrize('names, message', [
    ({'readme': b'x'}, 'holds no checkpoint. Give the one that holds the files '
     '.index and .data-*.'),
    (dict(_files(3), **_files(7)), 'holds the checkpoints model.ckpt-3, '
     'model.ckpt-7. Unpack it and name one of them.')])
def test_archives_without_one_checkpoint(directory, tmp_path, names, message):
  path = _archive(directory, tmp_path / 'a.tar.gz', names)
  with pytest.raises(ValueError) as error:
    checkpoint_reader.find(path)
  assert str(error.value) == 'The archive %s %s' % (path, message)


def test_an_archive_cut_short(directory, tmp_path):
  path = _archive(directory, tmp_path / 'a.tar.gz', _files(3))
  with open(path, 'rb') as source:
    start = source.read()[:200]
  with open(path, 'wb') as target:
    target.write(start)
  with pytest.raises(ValueError, match='cannot be unpacked: .*complete'):
    checkpoint_reader.find(path)


def test_the_old_format_is_its_own_prefix(tmp_path):
  variable = tf.get_variable('w', [3])
  saver = tf.train.Saver(write_version=tf.train.SaverDef.V1)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    prefix = saver.save(session, str(tmp_path / 'net.ckpt'))
    os.remove(prefix + '.meta')
    before = session.run(variable)
    session.run(tf.assign(variable, [0, 0, 0]))
    tf.train.Saver([variable]).restore(session, checkpoint_reader.find(prefix))
    assert (session.run(variable) == before).all() and before.any()
  assert checkpoint_reader.find(prefix) == prefix
  assert checkpoint_reader.shapes_in(prefix) == {'w': [3]}
  path = _archive(tmp_path, tmp_path / 'net.tar.gz', {'net.ckpt': 'net.ckpt'})
  assert checkpoint_reader.shapes_in(checkpoint_reader.find(path)) == {'w': [3]}


def test_what_is_no_checkpoint_is_named(tmp_path):
  path = tmp_path / 'net.ckpt'
  path.write_bytes(b'no table' * 20)
  with pytest.raises(ValueError) as error:
    checkpoint_reader.shapes_in(checkpoint_reader.find(str(path)))
  assert str(error.value).startswith(
      '%s is not a checkpoint that TensorFlow can read: ' % path)
  assert str(error.value).endswith(
      'Give the directory, the prefix or a file of a checkpoint (.index, '
      '.meta, .data-*), or its .tar.gz archive.')


def _list_absolute(directory):
  """Names the checkpoints of a directory by absolute paths, as slim did."""
  (directory / 'checkpoint').write_text(
      'model_checkpoint_path: "{0}/model.ckpt-7"\n'
      'all_model_checkpoint_paths: "{0}/model.ckpt-3"\n'
      'all_model_checkpoint_paths: "{0}/model.ckpt-7"\n'.format(directory))


@pytest.mark.parametrize('original', ['gone', 'kept'])
def test_a_directory_that_was_moved_or_copied(tmp_path, directory, original):
  _list_absolute(directory)
  other = tmp_path / 'other'
  other.mkdir()
  for path in directory.glob('model.ckpt-*'):
    (other / path.name).write_bytes(path.read_bytes())
    if original == 'gone':
      path.unlink()
  (other / 'checkpoint').write_bytes((directory / 'checkpoint').read_bytes())
  assert checkpoint_reader.find(str(other)) == str(other / 'model.ckpt-7')
  assert checkpoint_reader.listed(str(other)) == [
      str(other / 'model.ckpt-3'), str(other / 'model.ckpt-7')]


def test_checkpoints_listed_elsewhere(tmp_path, directory):
  _list_absolute(directory)
  other = tmp_path / 'other'
  other.mkdir()
  (other / 'checkpoint').write_bytes((directory / 'checkpoint').read_bytes())
  assert checkpoint_reader.find(str(other)) == str(directory / 'model.ckpt-7')
  assert checkpoint_reader.listed(str(tmp_path / 'none')) == []


def test_a_directory_with_one_file_of_the_old_format(tmp_path):
  tf.get_variable('w', [3])
  saver = tf.train.Saver(write_version=tf.train.SaverDef.V1)
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    prefix = saver.save(session, str(tmp_path / 'net.ckpt'), write_state=False)
  assert checkpoint_reader.find(str(tmp_path)) == prefix


def test_a_graph_without_weights_is_named(directory):
  for path in directory.glob('*.ckpt-*'):
    if path.suffix != '.meta' or '-3' in path.name:
      path.unlink()
  (directory / 'checkpoint').unlink()
  end = (' {0}/model.ckpt-7.meta holds the graph only; the weights are in the '
         'files model.ckpt-7.index and .data-* beside it, which are '
         'missing.'.format(directory))
  for name, start in (
      ('', 'There is no checkpoint in the directory %s.' % directory),
      ('model.ckpt-7.meta', 'There is no checkpoint {0}/model.ckpt-7.meta. {0} '
       'holds none.'.format(directory))):
    with pytest.raises(ValueError) as error:
      checkpoint_reader.find(str(directory / name))
    assert str(error.value) == start + end


def test_missing_statistics_may_be_recalibrated(directory):
  variables = {'net/k': tf.get_variable('k', [3, 3, 8, 16]),
               'net/norm/moving_mean': tf.get_variable('mean', [16])}
  prefix = checkpoint_reader.find(str(directory))
  assert list(checkpoint_reader.check_fits(
      prefix, variables, needs_statistics=False)) == ['net/k']
