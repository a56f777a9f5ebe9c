"""Training and evaluation, end to end, on the bundled digits."""
import dataclasses
import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from training import loops
from training import options

_LAYERS = ('conv1', 'conv2', 'fc3', 'fc4')
_WEIGHTS = sorted('LeNet/%s/%s' % (layer, kind)
                  for layer in _LAYERS for kind in ('biases', 'weights'))
_END_POINTS = ('Flatten', 'Logits', 'Predictions', 'conv1', 'conv2',
               'dropout3', 'fc3', 'pool1', 'pool2')


def _train(digits, train_dir, steps=4, **changes):
  """Returns options for a short training of LeNet."""
  parts = {
      'loop': dict(train_dir=str(train_dir), max_number_of_steps=steps,
                   log_every_n_steps=2),
      'data': dict(dataset_name='mnist', dataset_dir=digits, batch_size=8),
      'model': dict(model_name='lenet'),
      'optimizer': dict(optimizer='sgd'),
      'schedule': {}, 'warm_start': {}, 'deployment': dict(clone_on_cpu=True)}
  for name, part in changes.items():
    parts[name].update(part)
  default = options.Train()
  return dataclasses.replace(default, **{
      name: dataclasses.replace(getattr(default, name), **part)
      for name, part in parts.items()})


def _evaluate(digits, checkpoint, tmp_path, data=None, **changes):
  default = options.Evaluate()
  return options.Evaluate(
      dataclasses.replace(
          default.evaluation, checkpoint_path=str(checkpoint),
          eval_dir=str(tmp_path / 'eval'), model_name='lenet', **changes),
      dataclasses.replace(default.data, **dict(
          dict(dataset_name='mnist', dataset_dir=digits), **data or {})))


def _saved(train_dir, step):
  """Returns the variables of a checkpoint, {name: value}."""
  reader = tf.train.NewCheckpointReader(
      os.path.join(str(train_dir), 'model.ckpt-%d' % step))
  return {name: reader.get_tensor(name)
          for name in reader.get_variable_to_shape_map()}


def _log(train_dir):
  with open(os.path.join(str(train_dir), 'train_log.jsonl')) as lines:
    return [json.loads(line) for line in lines]


def _tags(folder):
  """Returns the tags of all summaries in a directory."""
  return {value.tag
          for name in os.listdir(str(folder)) if 'tfevents' in name
          for event in tf.train.summary_iterator(
              os.path.join(str(folder), name))
          for value in event.summary.value}


@pytest.fixture(scope='module', name='trained')
def _trained(digits, tmp_path_factory):
  """The directory of a LeNet trained for a moment: better than chance."""
  folder = tmp_path_factory.mktemp('trained')
  loops.train(_train(
      digits, folder, steps=60, data=dict(batch_size=50, seed=1),
      optimizer=dict(optimizer='adam'), schedule=dict(learning_rate=0.001),
      model=dict(moving_average_decay=0.9)))
  return folder


def test_what_a_run_leaves(digits, tmp_path, capsys):
  assert loops.train(_train(digits, tmp_path)) == 0
  names = set(os.listdir(str(tmp_path)))
  for name in ('checkpoint', 'graph.pbtxt', 'train_log.jsonl',
               'model.ckpt-0.index', 'model.ckpt-4.index',
               'model.ckpt-4.meta', 'model.ckpt-4.data-00000-of-00001'):
    assert name in names
  assert sorted(_saved(tmp_path, 4)) == sorted(_WEIGHTS + ['global_step'])
  assert [row['step'] for row in _log(tmp_path)] == [2, 4]
  assert set(_log(tmp_path)[0]) == {
      'step', 'loss', 'learning_rate', 'images_per_second', 'input_wait',
      'seconds'}
  assert _tags(tmp_path) == {
      'activations/' + name for name in _END_POINTS} | {
          'sparsity/' + name for name in _END_POINTS} | {
              name + '_1' for name in _WEIGHTS} | {
                  'Losses/clone_loss', 'Losses/regularization_loss',
                  'losses/softmax_cross_entropy_loss/value', 'learning_rate',
                  'total_loss_1', 'input_wait_seconds'}
  out = capsys.readouterr().out
  for part in (
      'Training lenet on mnist/train: 4000 examples, 10 classes, pictures '
      '28x28x1.', 'Batch: 8 a clone, 8 in all; 500.0 steps an epoch',
      'learning rate from 0.01, times 0.94 every 1000 steps.',
      'Trained: 8 variables, 3274634 parameters.', 'step 2 of 4  0:0',
      'input wait', 'Finished. Saved %s/model.ckpt-4.' % tmp_path):
    assert part in out, out


def test_a_run_goes_on_where_it_stopped(digits, tmp_path, capsys):
  loops.train(_train(digits, tmp_path, steps=2))
  first = _saved(tmp_path, 2)
  loops.train(_train(
      digits, tmp_path, steps=4, warm_start=dict(checkpoint_path='elsewhere')))
  out = capsys.readouterr().out
  assert '--checkpoint_path is ignored: %s holds the checkpoint' % tmp_path in (
      out)
  assert 'Going on from %s/model.ckpt-2.' % tmp_path in out
  assert _saved(tmp_path, 4)['global_step'] == 4
  assert not np.array_equal(first['LeNet/fc4/biases'],
                            _saved(tmp_path, 4)['LeNet/fc4/biases'])
  assert loops.train(_train(digits, tmp_path, steps=4)) == 0
  assert 'Nothing to do: %s is at step 4 of 4.' % tmp_path in (
      capsys.readouterr().out)


def test_the_seed_makes_runs_equal(digits, tmp_path):
  for name in ('a', 'b', 'c'):
    loops.train(_train(
        digits, tmp_path / name, steps=2, data=dict(
            seed=1 if name < 'c' else 2, num_preprocessing_threads=1)))
  first, again, other = (_saved(tmp_path / name, 0) for name in 'abc')
  assert all(np.array_equal(first[name], again[name]) for name in first)
  assert not np.array_equal(first['LeNet/fc3/weights'],
                            other['LeNet/fc3/weights'])
  assert _log(tmp_path / 'a')[0]['loss'] == pytest.approx(
      _log(tmp_path / 'b')[0]['loss'], rel=1e-5)


def test_two_clones(digits, tmp_path, capsys):
  loops.train(_train(digits, tmp_path, deployment=dict(
      num_clones=2, clone_on_cpu=True)))
  assert 'Batch: 8 a clone, 16 in all; 250.0 steps' in capsys.readouterr().out
  assert sorted(_saved(tmp_path, 4)) == sorted(_WEIGHTS + ['global_step'])
  assert {'clone_0/Losses/clone_0//clone_loss', 'total_loss_1',
          'clone_0/Losses/regularization_loss',
          'losses/clone_0/softmax_cross_entropy_loss/value'} <= _tags(tmp_path)


def test_without_a_gpu_the_clones_go_to_the_cpu(digits, tmp_path, capsys):
  loops.train(_train(digits, tmp_path, deployment=dict(clone_on_cpu=False)))
  assert 'no GPU' in capsys.readouterr().out


def test_fine_tuning_of_the_head(digits, trained, tmp_path, capsys):
  loops.train(_train(
      digits, tmp_path, warm_start=dict(
          checkpoint_path=str(trained), trainable_scopes=('LeNet/fc4',),
          checkpoint_exclude_scopes=('LeNet/fc4',)),
      model=dict(moving_average_decay=0.9), optimizer=dict(optimizer='adam')))
  out = capsys.readouterr().out
  assert 'from %s/model.ckpt-60: 6 variables loaded.' % trained in out
  assert 'Trained: 2 variables, 10250 parameters.' in out
  before, after = _saved(trained, 60), _saved(tmp_path, 4)
  for name in _WEIGHTS:
    assert np.array_equal(before[name], after[name]) == ('fc4' not in name)
  assert {name for name in after if name.endswith('Adam')} == {
      'LeNet/fc4/weights/Adam', 'LeNet/fc4/biases/Adam'}
  # The averages start at the loaded weights, not at the initial ones.
  np.testing.assert_allclose(
      after['LeNet/fc3/weights/ExponentialMovingAverage'],
      before['LeNet/fc3/weights'], rtol=1e-5)


def test_a_loss_that_is_not_finite_stops_the_run(digits, tmp_path):
  with pytest.raises(ValueError) as error:
    loops.train(_train(digits, tmp_path, steps=50,
                       schedule=dict(learning_rate=1e20)))
  message = str(error.value)
  assert message.startswith('The loss is ')
  assert 'learning rate of 1e+20. Try a lower --learning_rate.' in message
  assert message.endswith(
      'The last good checkpoint is %s/model.ckpt-0.' % tmp_path)


@pytest.mark.parametrize('changes, message', [
    (dict(data=dict(dataset_name='mnits')), 'mnist'),
    (dict(data=dict(dataset_split_name='validation')), 'test'),
    (dict(data=dict(dataset_dir='/nowhere')), '/nowhere'),
    (dict(model=dict(model_name='lennet')), 'did you mean lenet'),
    (dict(data=dict(preprocessing_name='lennet')), 'lenet'),
    (dict(data=dict(labels_offset=9)), '--labels_offset=9 leaves 1 of the 10 '
     'classes of the dataset mnist; at least 2 are needed.'),
    (dict(warm_start=dict(checkpoint_path='/nowhere/model')),
     'There is no checkpoint /nowhere/model'),
    (dict(warm_start=dict(trainable_scopes=('LeNet/fc5',))),
     'no variable is in the scope LeNet/fc5; the nearest scopes are LeNet/fc')])
def test_wrong_options(digits, tmp_path, changes, message):
  with pytest.raises(ValueError) as error:
    loops.train(_train(digits, tmp_path / 'model', **changes))
  assert message in str(error.value)
  assert not (tmp_path / 'model').exists()


@pytest.mark.parametrize('batch_size, threads', [(1000, 1), (300, 4), (7, 2)])
def test_every_example_counts_once(
    digits, trained, tmp_path, capsys, batch_size, threads):
  shares = loops.evaluate(_evaluate(digits, trained, tmp_path, data=dict(
      batch_size=batch_size, num_preprocessing_threads=threads)))
  out = capsys.readouterr().out
  assert 'Counted 1000 examples at step 60.' in out
  assert 'eval/Accuracy[%.6g]' % shares['Accuracy'] in out
  assert _tags(tmp_path / 'eval') == {'eval/Accuracy', 'eval/Recall_5'}
  # Chance is 0.1 and 0.5.
  assert shares['Accuracy'] > 0.6 and shares['Recall_5'] > 0.9
  if not hasattr(test_every_example_counts_once, 'shares'):
    test_every_example_counts_once.shares = shares
  assert test_every_example_counts_once.shares == shares


def test_fewer_batches_on_request(digits, trained, tmp_path, capsys):
  loops.evaluate(_evaluate(
      digits, trained, tmp_path, data=dict(batch_size=30), max_num_batches=2))
  assert 'Counted 60 examples' in capsys.readouterr().out


def test_averages_are_evaluated_on_request(digits, trained, tmp_path):
  plain = loops.evaluate(_evaluate(
      digits, trained / 'model.ckpt-0', tmp_path))
  averaged = loops.evaluate(_evaluate(
      digits, trained, tmp_path, moving_average_decay=0.9))
  assert averaged['Accuracy'] > plain['Accuracy'] + 0.3


def test_a_count_that_is_wrong_is_an_error(digits, trained, tmp_path):
  copy = tmp_path / 'copy'
  copy.mkdir()
  for name in os.listdir(digits):
    data = open(os.path.join(digits, name), 'rb').read()
    (copy / name).write_bytes(data)
  info = json.loads((copy / 'dataset_info.json').read_text())
  info['splits']['test']['examples_per_file'] = [999]
  (copy / 'dataset_info.json').write_text(json.dumps(info))
  with pytest.raises(ValueError, match='The files hold 1000 examples where 999 '
                     'were expected'):
    loops.evaluate(_evaluate(str(copy), trained, tmp_path))


def test_evaluation_of_nothing_is_an_error(digits, tmp_path):
  with pytest.raises(ValueError, match='There is no checkpoint in'):
    loops.evaluate(_evaluate(digits, tmp_path, tmp_path))


def test_evaluation_of_another_network_is_an_error(digits, trained, tmp_path):
  with pytest.raises(ValueError, match='It was trained with another network: '
                     'check --model_name'):
    evaluate = _evaluate(digits, trained, tmp_path)
    loops.evaluate(dataclasses.replace(
        evaluate, evaluation=dataclasses.replace(
            evaluate.evaluation, model_name='cifarnet')))
