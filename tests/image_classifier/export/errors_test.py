"""Exports that fail: their messages, and that no file is left."""
import dataclasses
import os
import resource

import pytest

from image_classifier.export import export as export_graph
from image_classifier.export import tflite
from image_classifier.export import verify
from tests.image_classifier import exports


@pytest.fixture(name='checkpoint')
def _checkpoint(tmp_path):
  return exports.save(tmp_path / 'in')


@pytest.mark.parametrize('changes, message', [
    (dict(output_file='graph.pb', tflite=True),
     '--tflite needs a trained network: give --checkpoint_path.'),
    (dict(output_file='graph.pb', output_dir='out'),
     '--output_dir needs a trained network: give --checkpoint_path.'),
    (dict(output_file='graph.pb', moving_average_decay=0.0),
     '--moving_average_decay needs a trained network'),
    (dict(output_file='.'), '--output_file=. is a directory: give the name of '
     'a file.'),
    (dict(output_file='out/model.json', checkpoint_path='x'),
     '--output_file=out/model.json is the name of another part of the export: '
     'give another name, for example out/graph.pb.'),
    (dict(output_file='graph.pb', free_image_size=True),
     'lenet takes images of one size only'),
    (dict(output_file='/dev/null/graph.pb'),
     '/dev/null/graph.pb cannot be written: /dev/null is not a directory. '
     'Choose another --output_file.'),
    (dict(checkpoint_path='x', output_dir='/dev/null/out'),
     'cannot be written: /dev/null is not a directory. Choose another '
     '--output_dir.'),
    (dict(output_file='graph.pb', labels_file='/nowhere/labels.txt'),
     'There is no file /nowhere/labels.txt.'),
    ({}, 'You must supply the path to save to with --output_file, or a trained '
         'network with --checkpoint_path.'),
    (dict(output_file='graph.pb', is_video_model=True),
     'Number of frames must be specified for video models with --num_frames'),
    (dict(output_file='graph.pb', model_name='lennet'), 'did you mean lenet'),
    (dict(output_file='graph.pb', image_size=2), 'lenet cannot be built for an '
     'input of [None, 2, 2, 3] ('),
    (dict(output_file='graph.pb', model_name='i3d'), 'i3d cannot be built for '
     'an input of [None, 224, 224, 3] (inputs must have five dimensions'),
    (dict(output_file='graph.pb', is_video_model=True, num_frames=3),
     'check --image_size, and --is_video_model with --num_frames.'),
    (dict(output_file='graph.pb', labels_offset=10),
     '--labels_offset=10 leaves none of the 10 classes of the dataset mnist.'),
    (dict(output_file='graph.pb', dataset_name='mnits'), 'mnist'),
    (dict(checkpoint_path='/nowhere/model.ckpt', output_dir='out'),
     'the directory /nowhere does not exist')])
def test_wrong_options(tmp_path, monkeypatch, changes, message):
  monkeypatch.chdir(str(tmp_path))
  with pytest.raises(ValueError) as error:
    export_graph.export(exports.ask(**changes))
  assert message in str(error.value)
  assert not os.listdir(str(tmp_path)), 'no unfinished file'


def test_int8_without_data(tmp_path, checkpoint):
  with pytest.raises(ValueError, match='--int8 needs images to calibrate with: '
                     'give --dataset_dir, and --calibration_split if not '
                     'train.'):
    export_graph.export(exports.ask(
        checkpoint_path=checkpoint, output_dir=tmp_path / 'out', int8=True))
  assert not (tmp_path / 'out').exists()


def test_a_dataset_that_does_not_exist(tmp_path, checkpoint):
  with pytest.raises(ValueError, match='There is no directory /nowhere: check '
                     '--dataset_dir.'):
    export_graph.export(exports.ask(
        checkpoint_path=checkpoint, output_dir=tmp_path / 'out',
        dataset_dir='/nowhere'))


def test_a_checkpoint_needs_an_output_directory(tmp_path, checkpoint):
  with pytest.raises(ValueError, match='Give the directory of the export '
                     'with --output_dir.'):
    export_graph.export(exports.ask(checkpoint_path=checkpoint))


def test_the_checkpoint_of_another_network(tmp_path, checkpoint):
  with pytest.raises(ValueError, match='such as --model_name=lenet; this'):
    export_graph.export(exports.ask(
        checkpoint_path=checkpoint, model_name='cifarnet',
        output_dir=tmp_path / 'out'))
  assert not (tmp_path / 'out').exists()


def test_existing_files_are_replaced_only_with_overwrite(tmp_path, checkpoint):
  out = tmp_path / 'out'
  export = exports.ask(checkpoint_path=checkpoint, output_dir=out)
  export_graph.export(export)
  (out / 'labels.txt').write_text('mine')
  with pytest.raises(ValueError, match='labels.txt, .*model.json exists '
                     'already; pass --overwrite to replace it.'):
    export_graph.export(export)
  assert (out / 'labels.txt').read_text() == 'mine'
  export_graph.export(dataclasses.replace(export, overwrite=True))
  assert (out / 'labels.txt').read_text() != 'mine'


def test_a_labels_file_names_the_classes(tmp_path, checkpoint):
  labels = tmp_path / 'mine.txt'
  labels.write_text('zero\n1:one\n' + 'more\n' * 8)
  export = exports.ask(
      checkpoint_path=checkpoint, output_dir=tmp_path / 'out',
      labels_file=str(labels))
  export_graph.export(export)
  assert (tmp_path / 'out' / 'labels.txt').read_text().startswith(
      '0:zero\n1:one\n2:more\n')
  labels.write_text('zero\n')
  with pytest.raises(ValueError, match='names 1 classes; the network has 10. '
                     'Give a file with one line per output'):
    export_graph.export(dataclasses.replace(export, overwrite=True))
  assert (tmp_path / 'out' / 'labels.txt').read_text().startswith('0:zero')


@pytest.mark.parametrize('content, message', [
    (b'\xff\xfe\n', 'mine.txt is not UTF-8 text: .* Save it as UTF-8.'),
    (b'\xef\xbb\xbfratio 16:9\r\n1:one\r\n' + b'more\r\n' * 8, None)])
def test_labels_files_of_other_editors(tmp_path, checkpoint, content, message):
  labels = tmp_path / 'mine.txt'
  labels.write_bytes(content)
  export = exports.ask(
      checkpoint_path=checkpoint, output_dir=tmp_path / 'out',
      labels_file=str(labels))
  if message:
    with pytest.raises(ValueError, match=message):
      export_graph.export(export)
  else:
    export_graph.export(export)
    assert (tmp_path / 'out' / 'labels.txt').read_text().startswith(
        '0:ratio 16:9\n1:one\n2:more\n')


@pytest.mark.parametrize('number, message', [
    (12, 'has shape .* The checkpoint has 10 classes, not 12: check '
     '--dataset_name and --dataset_dir'), (None, None)])
def test_the_number_of_classes(tmp_path, checkpoint, number, message):
  export = exports.ask(checkpoint_path=checkpoint, num_classes=number,
                   output_dir=tmp_path / 'out')
  if message:
    with pytest.raises(ValueError, match=message):
      export_graph.export(export)
    assert not (tmp_path / 'out').exists()
  else:
    export_graph.export(export)
    assert len((tmp_path / 'out' / 'labels.txt').read_text().split()) == 20


@pytest.mark.parametrize('suffix, length, message', [
    ('.data-00000-of-00001', 1000, 'cannot be read to its end: '
     '(?!Restoring).* missing or cut short?'),
    ('.data-00000-of-00001', None, 'cannot be read to its end: '
     '(?!Restoring).*data-00000-of-00001.* missing or cut short?'),
    ('.index', 100, 'is not a checkpoint that TensorFlow can read'),
    ('.index', None, 'is incomplete: there is no file .*model.ckpt-7.index.')])
def test_an_incomplete_checkpoint(
    tmp_path, checkpoint, suffix, length, message):
  if length is None:
    os.remove(checkpoint + suffix)
  else:
    os.truncate(checkpoint + suffix, length)
  with pytest.raises(ValueError, match=message):
    export_graph.export(exports.ask(
        checkpoint_path=checkpoint, output_dir=tmp_path / 'out'))
  assert os.listdir(str(tmp_path)) == ['in']


def test_an_export_that_differs_is_not_written(
    tmp_path, checkpoint, monkeypatch):
  monkeypatch.setitem(verify.TOLERANCES, 'frozen', -1.0)
  with pytest.raises(ValueError, match='The export differs from the '
                     'checkpoint, nothing was written. Verified frozen: '):
    export_graph.export(exports.ask(
        checkpoint_path=checkpoint, output_dir=tmp_path / 'out',
        output_file=tmp_path / 'graph.pb', verify=True))
  assert os.listdir(str(tmp_path)) == ['in']


def test_an_interrupted_export(tmp_path, checkpoint, monkeypatch):
  def interrupted(*_):
    raise KeyboardInterrupt
  monkeypatch.setattr(tflite, 'convert', interrupted)
  with pytest.raises(KeyboardInterrupt):
    export_graph.export(exports.ask(
        checkpoint_path=checkpoint, output_dir=tmp_path / 'out',
        output_file=tmp_path / 'graph.pb', tflite=True))
  assert os.listdir(str(tmp_path)) == ['in']


# The SavedModel is 0.5 % larger than the frozen graph, of 13.10 MB.
@pytest.mark.parametrize('size, name', [
    (10 ** 6, 'frozen_inference_graph.pb'), (13120000, 'saved_model')])
def test_a_full_disk_names_the_file(tmp_path, checkpoint, size, name):
  limits = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
  try:
    with pytest.raises(OSError, match="too large; free space or write "
                       "elsewhere: '%s/out/%s'" % (tmp_path, name)):
      export_graph.export(exports.ask(
          checkpoint_path=checkpoint, output_dir=tmp_path / 'out'))
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
  assert os.listdir(str(tmp_path)) == ['in']
