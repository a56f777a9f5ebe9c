"""Tests of the conversion of ImageNet."""
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from datasets import build_imagenet_data
from datasets import dataset_factory
from slim_common import flags
from tests.datasets import records
from tests.datasets.conversion import odd_images
from tests.datasets.imagenet_tools import imagenet_files

_ROOT = os.path.dirname(os.path.dirname(build_imagenet_data.__file__))
_SYNSETS = imagenet_files.SYNSETS


def _sources(folder, **changed):
  """Writes images, labels and boxes; returns the flags that name them."""
  contents = {'train/' + name: content for name, content
              in imagenet_files.train_images().items()}
  contents.update({
      'validation/%s/ILSVRC2012_val_%08d.JPEG' % (_SYNSETS[k % 3], k + 1):
          imagenet_files.jpeg(100 + k) for k in range(6)})
  contents.update({
      'labels.txt': '\n'.join(_SYNSETS).encode(),
      'boxes.csv': b'n01440764_0.JPEG,0.25,0.5,0.75,1\n'
                   b'n01440764_0.JPEG,0,0,0.5,0.5\n'
                   b'ILSVRC2012_val_00000002.JPEG,0.125,0,1,1\n'})
  contents.update(changed)
  root = imagenet_files.write(folder / 'source', contents)
  return {'train_directory': root + '/train',
          'validation_directory': root + '/validation',
          'labels_file': root + '/labels.txt',
          'bounding_box_file': root + '/boxes.csv'}


def _options(tmp_path, **changed):
  given = dict(output_directory=str(tmp_path / 'out'), train_shards=4,
               validation_shards=2, num_threads=1, allow_subset=True)
  given.update(changed)
  return build_imagenet_data.BuildOptions(**given)


def _run(tmp_path, **changed):
  build_imagenet_data.run(_options(tmp_path, **changed))


def _examples(folder, split, count):
  """Returns a dict of file name to tf.train.Example, in the order stored."""
  return {records.values(example, 'image/filename')[0].decode(): example
          for shard in range(count) for example in records.read(
              folder / ('%s-%05d-of-%05d' % (split, shard, count)))}


def test_flags_of_old():
  defaults = {field.name: field.default for field in
              dataclasses.fields(build_imagenet_data.BuildOptions)}
  new = {'allow_subset': False, 'on_bad_image': 'fail', 'overwrite': False,
         'keep': False}
  assert {name: defaults.pop(name) for name in new} == new
  assert defaults == {
      'train_directory': '/tmp/', 'validation_directory': '/tmp/',
      'output_directory': '/tmp/', 'train_shards': 1024,
      'validation_shards': 128, 'num_threads': 8,
      'labels_file': 'imagenet_lsvrc_2015_synsets.txt',
      'imagenet_metadata_file': 'imagenet_metadata.txt',
      'bounding_box_file': './imagenet_2012_bounding_boxes.csv'}


def test_files_features_and_untouched_sources(tmp_path, capsys):
  given = _sources(tmp_path)
  before = records.snapshot(tmp_path / 'source')
  _run(tmp_path, **given)
  assert records.snapshot(tmp_path / 'source') == before
  out = tmp_path / 'out'
  assert sorted(os.listdir(str(out))) == sorted(
      ['dataset_info.json', 'labels.txt'] +
      ['train-%05d-of-00004' % k for k in range(4)] +
      ['validation-%05d-of-00002' % k for k in range(2)])
  output = capsys.readouterr().out
  assert 'train: 12 images, 1 of them with boxes' in output
  assert 'imagenet: 12 train, 6 validation, 4 classes' in output
  examples = _examples(out, 'train', 4)
  assert sorted('train/%s/%s' % (name.split('_')[0], name)
                for name in examples) == sorted(
                    name for name in before if name.startswith('train/'))
  assert list(examples) != sorted(examples)
  for name, example in examples.items():
    label = _SYNSETS.index(name.split('_')[0]) + 1
    expected = {
        'image/height': [12], 'image/width': [16], 'image/channels': [3],
        'image/colorspace': [b'RGB'], 'image/format': [b'JPEG'],
        'image/class/label': [label],
        'image/class/synset': [_SYNSETS[label - 1].encode()],
        'image/class/text': [imagenet_files.NAMES[label - 1].encode()],
        'image/encoded': [before['train/%s/%s' % (name.split('_')[0], name)]]}
    assert {key: records.values(example, key) for key in expected} == expected
  boxed = examples['n01440764_0.JPEG']
  for key, value in (('bbox/xmin', [.25, 0]), ('bbox/ymin', [.5, 0]),
                     ('bbox/xmax', [.75, .5]), ('bbox/ymax', [1, .5]),
                     ('bbox/label', [1, 1]), ('class/label', [1, 1])):
    assert records.values(boxed, 'image/object/' + key) == value
  assert not examples['n01440764_1.JPEG'].features.feature[
      'image/object/bbox/xmin'].float_list.value
  assert records.values(_examples(out, 'validation', 2)[
      'ILSVRC2012_val_00000002.JPEG'], 'image/object/bbox/xmin') == [.125]


def test_get_split_reads_it(tmp_path):
  _run(tmp_path, **_sources(tmp_path))
  dataset = dataset_factory.get_dataset(
      'imagenet', 'train', str(tmp_path / 'out'))
  assert (dataset.num_samples, dataset.num_classes) == (12, 4)
  assert dataset.labels_to_names == dict(
      enumerate(['background'] + imagenet_files.NAMES))
  record = _examples(tmp_path / 'out', 'train', 4)['n01440764_0.JPEG']
  items = dataset.decoder.list_items()
  decoded = dict(zip(items, dataset.decoder.decode(
      record.SerializeToString(), items)))
  with tf.Session() as session:
    decoded = session.run(decoded)
  assert decoded['image'].shape == (12, 16, 3) and decoded['label'] == 1
  assert decoded['label_text'] == b'tench, Tinca tinca'
  assert decoded['object/bbox'].tolist() == [[.5, .25, 1, .75], [0, 0, .5, .5]]
  assert decoded['object/label'].tolist() == [1, 1]


def test_odd_images_become_rgb_jpegs(tmp_path, capsys):
  name = 'n01440764/n01440764_%d.JPEG'
  grey = odd_images.encoded(odd_images.photo('L'), 'JPEG')
  turned = odd_images.encoded(
      odd_images.photo(), 'JPEG', exif=odd_images.exif(6))
  given = _sources(tmp_path, **{
      'train/' + name % 0: odd_images.encoded(odd_images.photo(), 'PNG'),
      'train/' + name % 1: odd_images.encoded(
          odd_images.photo('CMYK'), 'JPEG'),
      'train/' + name % 2: grey, 'train/' + name % 3: turned})
  _run(tmp_path, **given)
  examples = _examples(tmp_path / 'out', 'train', 4)
  stored = [records.values(examples[os.path.basename(name % k)],
                           'image/encoded')[0] for k in range(4)]
  assert stored[2:] == [grey, turned]
  for content in stored[:2]:
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.mode) == ('JPEG', 'RGB')
  np.testing.assert_allclose(
      np.asarray(Image.open(io.BytesIO(stored[0]))).astype(int),
      np.asarray(odd_images.photo()).astype(int), atol=40)
  output = capsys.readouterr().out
  assert 'converted: 1 JPEG of four inks (CMYK), 1 PNG\n' in output


def test_files_do_not_depend_on_the_number_of_workers(tmp_path):
  given = _sources(tmp_path)
  _run(tmp_path, **given)
  _run(tmp_path, num_threads=3, output_directory=str(tmp_path / 'out3'),
       **given)
  assert records.snapshot(tmp_path / 'out3') == records.snapshot(
      tmp_path / 'out')


def test_one_split_alone(tmp_path):
  given = _sources(tmp_path)
  _run(tmp_path, **dict(given, train_directory=''))
  assert json.loads((tmp_path / 'out' / 'dataset_info.json').read_text())[
      'splits'].keys() == {'validation'}
  with pytest.raises(ValueError, match='holds imagenet with validation, not '
                     'train and validation: give --overwrite or another'):
    _run(tmp_path, **given)
  with pytest.raises(ValueError, match='both empty: give one or both'):
    _run(tmp_path, train_directory='', validation_directory='')


def test_second_run_has_nothing_to_do(tmp_path, capsys):
  given = _sources(tmp_path)
  _run(tmp_path, **given)
  before = records.snapshot(tmp_path / 'out')
  capsys.readouterr()
  _run(tmp_path, **given)
  assert 'nothing to do (--overwrite converts it' in capsys.readouterr().out
  _run(tmp_path, overwrite=True, train_shards=2, **given)
  after = records.snapshot(tmp_path / 'out')
  assert 'train-00003-of-00004' in before and len(after) == len(before) - 2


@pytest.mark.parametrize('changed,message', [
    ({'allow_subset': False}, 'train in .*: 12 images, not 1281167'),
    ({'train_shards': 13},
     '--train_shards=13 is more than the 12 images: give at most that'),
    ({'bounding_box_file': 'none.csv'}, 'there is no none.csv: make it with '
     'process_bounding_boxes.py, or give --bounding_box_file= for records'),
    ({'labels_file': 'none.txt'}, 'there is no none.txt; give the path'),
    ({'train_directory': '/no/such'}, 'there is no directory /no/such'),
    ({'imagenet_metadata_file': 'names.txt'},
     'no name is given for 3 of the synsets, such as n01440764'),
])
def test_one_thing_wrong(tmp_path, monkeypatch, changed, message):
  given = _sources(tmp_path)
  before = records.snapshot(tmp_path / 'source')
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'names.txt').write_text('n00004475\torganism\n')
  with pytest.raises((ValueError, OSError), match=message):
    _run(tmp_path, **dict(given, **changed))
  assert not (tmp_path / 'out').exists()
  assert records.snapshot(tmp_path / 'source') == before


def test_no_boxes(tmp_path, capsys):
  _run(tmp_path, **dict(_sources(tmp_path), bounding_box_file=''))
  assert 'train: 12 images, 0 of them with boxes' in capsys.readouterr().out


def test_bad_images_are_all_named_and_what_is_complete_is_kept(
    tmp_path, capsys):
  good = imagenet_files.jpeg(1)
  bad = {'train/n01440764/n01440764_1.JPEG': good[:300],
         'validation/n01443537/ILSVRC2012_val_00000002.JPEG': b'text'}
  given = _sources(tmp_path, **bad)
  with pytest.raises(ValueError) as caught:
    _run(tmp_path, **given)
  message = str(caught.value)
  assert message.startswith('2 bad images; nothing was published. '
                            '--on_bad_image=skip leaves them out.')
  assert 'n01440764/n01440764_1.JPEG: truncated JPEG' in message
  assert 'ILSVRC2012_val_00000002.JPEG: not an image' in message
  assert os.listdir(str(tmp_path / 'out')) == ['.imagenet.building']
  assert '6 complete files stay in' in capsys.readouterr().out
  imagenet_files.write(tmp_path / 'source', {name: good for name in bad})
  _run(tmp_path, **given)
  output = capsys.readouterr().out
  assert ('imagenet train: 4 complete files of an earlier run; 3 are of the '
          'same images and options and are kept') in output
  assert len(_examples(tmp_path / 'out', 'train', 4)) == 12
  assert not (tmp_path / 'out' / '.imagenet.building').exists()


def test_bad_images_are_skipped_on_demand(tmp_path):
  given = _sources(
      tmp_path, **{'train/n01440764/n01440764_1.JPEG': b'\xff\xd8\xff'})
  _run(tmp_path, on_bad_image='skip', **given)
  out = tmp_path / 'out'
  report = (out / 'bad_images.csv').read_text().splitlines()
  assert report[0] == 'path,reason'
  assert report[1].startswith('n01440764/n01440764_1.JPEG,truncated JPEG')
  assert len(_examples(out, 'train', 4)) == 11
  info = json.loads((out / 'dataset_info.json').read_text())['splits']['train']
  assert info['num_examples'] == sum(info['examples_per_file']) == 11
  assert info['examples_per_class'] == [0, 3, 4, 4]


def test_full_disk_says_what_to_do(tmp_path, monkeypatch):
  real_writer = tf.io.TFRecordWriter
  # A device that is always full.
  monkeypatch.setattr(
      tf.io, 'TFRecordWriter', lambda path: real_writer('/dev/full'))
  with pytest.raises(OSError, match='no space left on the disk of .*make room '
                     'and start again'):
    _run(tmp_path, **_sources(tmp_path))
  assert not (tmp_path / 'out').exists()


_KILLED = """
import os, signal, sys, time
from datasets import build_imagenet_data
from datasets.conversion import shards
from slim_common import flags
write_part = shards.write_part
def write_or_die(path, *arguments):
  if 'train-00002' in path:
    open(path, 'w').write('half')
    report = os.path.join(os.path.dirname(path), 'train-00001-of-00004.json')
    while not os.path.exists(report):
      time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)
  return write_part(path, *arguments)
shards.write_part = write_or_die
build_imagenet_data.run(flags.parse(
    sys.argv[1:], build_imagenet_data.BuildOptions)[0])
"""


def test_killed_run_is_resumed(tmp_path, capsys):
  given = _sources(tmp_path)
  _run(tmp_path, output_directory=str(tmp_path / 'whole'), **given)
  before = records.snapshot(tmp_path / 'source')
  arguments = ['--%s=%s' % item for item in dataclasses.asdict(
      _options(tmp_path, **given)).items()]
  process = subprocess.Popen(
      [sys.executable, '-W', 'ignore', '-c', _KILLED] + arguments, cwd=_ROOT,
      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
  assert process.wait() == -signal.SIGKILL
  building = tmp_path / 'out' / '.imagenet.building'
  assert sorted(os.listdir(str(building))) == [
      '.train-00002-of-00004.0.unfinished',
      'train-00000-of-00004', 'train-00000-of-00004.json',
      'train-00001-of-00004', 'train-00001-of-00004.json']
  kept = os.stat(str(building / 'train-00000-of-00004'))
  # An image of the second file changes meanwhile, if only in its time.
  name = records.values(records.read(
      building / 'train-00001-of-00004')[0], 'image/filename')[0].decode()
  os.utime(os.path.join(given['train_directory'], name.split('_')[0], name))
  capsys.readouterr()
  _run(tmp_path, **given)
  assert '2 complete files of an earlier run; 1 are of' in (
      capsys.readouterr().out)
  out = tmp_path / 'out'
  assert os.stat(str(out / 'train-00000-of-00004')).st_ino == kept.st_ino
  assert records.without_origin(out) == records.without_origin(
      tmp_path / 'whole')
  assert records.snapshot(tmp_path / 'source') == before


def test_files_of_other_images_are_not_kept(tmp_path, capsys):
  bad = {'validation/n01443537/ILSVRC2012_val_00000002.JPEG': b'text'}
  given = _sources(tmp_path, **bad)
  with pytest.raises(ValueError):
    _run(tmp_path, **given)
  # Every image gets the words of another.
  names = tmp_path / 'names.txt'
  names.write_text(''.join('%s\tother\n' % synset for synset in _SYNSETS))
  capsys.readouterr()
  with pytest.raises(ValueError):
    _run(tmp_path, imagenet_metadata_file=str(names), **given)
  assert 'train: 4 complete files of an earlier run; 0 are of' in (
      capsys.readouterr().out)
  with pytest.raises(ValueError):
    _run(tmp_path, imagenet_metadata_file=str(names), train_shards=3, **given)
  (tmp_path / 'source' / list(bad)[0]).write_bytes(imagenet_files.jpeg(1))
  _run(tmp_path, imagenet_metadata_file=str(names), **given)
  assert sorted(os.listdir(str(tmp_path / 'out')))[2:6] == [
      'train-%05d-of-00004' % k for k in range(4)]
  assert {records.values(example, 'image/class/text')[0] for example in
          _examples(tmp_path / 'out', 'train', 4).values()} == {b'other'}


def test_program(tmp_path):
  given = _sources(tmp_path)
  command = [sys.executable, os.path.join(
      _ROOT, 'datasets', 'build_imagenet_data.py')]
  arguments = ['--%s=%s' % item for item in dataclasses.asdict(
      _options(tmp_path, num_threads=2, **given)).items()]
  process = subprocess.Popen(
      command + arguments, cwd=str(tmp_path), stdout=subprocess.PIPE,
      stderr=subprocess.PIPE, universal_newlines=True)
  output, errors = process.communicate()
  assert (process.returncode, errors) == (0, '')
  assert 'imagenet train 12 of 12 images' in output
  assert b'--train_shards' in subprocess.check_output(command + ['--help'])


def test_every_flag_is_explained():
  text = flags.help_text('x', build_imagenet_data.BuildOptions, '')
  for field in dataclasses.fields(build_imagenet_data.BuildOptions):
    assert '--%s' % field.name in text or '--[no]%s' % field.name in text
    assert field.metadata['help'].endswith('.')
