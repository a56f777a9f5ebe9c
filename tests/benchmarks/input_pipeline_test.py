"""Tests of the benchmark of the input pipeline, with few images."""
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from benchmarks import input_pipeline
from benchmarks.contenders import inputs
from slim_common import memory


@pytest.fixture(scope='module')
def records(tmp_path_factory):
  path = str(tmp_path_factory.mktemp('records') / 'jpeg')
  sizes = inputs.write_records(path, 'jpeg', np.random.RandomState(0))
  assert len(sizes) == 128 and 60000 < np.mean(sizes) < 110000
  return path + '*'


@pytest.mark.slow
@pytest.mark.parametrize('kind', list(inputs.KINDS))
@pytest.mark.parametrize('preprocessing', ['inception', 'vgg'])
def test_every_contender_makes_batches(records, kind, preprocessing):
  with tf.Graph().as_default():
    dataset = inputs._dataset(records, 3, None)
    # The pipeline chooses its block size by it.
    assert dataset.num_samples == 128
    images = inputs.KINDS[kind](dataset, preprocessing, 32, 2, 4)
    size = 1 if kind in ('window', 'decode') else 32
    with tf.Session() as session:
      session.run([tf.local_variables_initializer(), tf.tables_initializer()])
      coordinator = tf.train.Coordinator()
      threads = tf.train.start_queue_runners(session, coordinator)
      for _ in range(2):
        assert session.run(images).shape == (4, size, size, 3)
      coordinator.request_stop()
      session.close()
      coordinator.join(threads, ignore_live_threads=True)


@pytest.mark.parametrize('kind, is_ours', [('decode', True), ('whole', False)])
def test_memory_is_kept_as_by_the_programs(records, monkeypatch, kind, is_ours):
  calls = []
  monkeypatch.setattr(
      memory, 'keep_freed_memory', lambda: calls.append(None))
  monkeypatch.setitem(
      inputs.KINDS, kind, lambda *unused: tf.constant(0))
  with tf.Graph().as_default():
    inputs.start(kind, 'vgg', 32, 1, 4, records, 3)()
  assert len(calls) == is_ours


@pytest.mark.slow
def test_a_contender_in_a_process(records, capsys, monkeypatch):
  monkeypatch.setattr(sys, 'argv', [
      'input_pipeline', '--contenders=pipeline,decode', '--repeat=1',
      '--seconds=0.1'])
  input_pipeline.compare('vgg', 2, input_pipeline.parse_arguments(), records)
  lines = capsys.readouterr().out.splitlines()
  assert lines[0] == 'vgg, 224 x 224, 2 threads'
  assert [line.split()[0] for line in lines[1:]] == [
      'pipeline', 'decode', 'pipeline']
  assert ' by wall-clock time, ' in lines[3]
  assert lines[3].endswith(' by CPU time')


@pytest.mark.parametrize('argument, message', [
    ('--cases=vgg,alexnet', "--cases: 'alexnet' is not one of inception, vgg"),
    ('--contenders=pipe', "--contenders: 'pipe' is not one of pipeline, ope")])
def test_arguments(argument, message, capsys, monkeypatch):
  monkeypatch.setattr(sys, 'argv', ['input_pipeline', argument])
  with pytest.raises(SystemExit):
    input_pipeline.parse_arguments()
  assert message in capsys.readouterr().err
