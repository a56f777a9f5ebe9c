"""Training, end to end, on the bundled digits."""
import json
import os

from google.protobuf import text_format
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.train import loop
from nets import nets_factory
from tests.image_classifier import training_runs as runs

_LAYERS = ('conv1', 'conv2', 'fc3', 'fc4')
_WEIGHTS = sorted('LeNet/%s/%s' % (layer, kind)
                  for layer in _LAYERS for kind in ('biases', 'weights'))
_END_POINTS = ('Flatten', 'Logits', 'Predictions', 'conv1', 'conv2',
               'dropout3', 'fc3', 'pool1', 'pool2')


def test_what_a_run_leaves(digits, tmp_path, capsys):
  assert loop.train(runs.train(digits, tmp_path)) == 0
  names = set(os.listdir(str(tmp_path)))
  for name in ('checkpoint', 'graph.pbtxt', 'train_log.jsonl',
               'model.ckpt-0.index', 'model.ckpt-4.index',
               'model.ckpt-4.meta', 'model.ckpt-4.data-00000-of-00001'):
    assert name in names
  assert sorted(runs.saved(tmp_path, 4)) == sorted(_WEIGHTS + ['global_step'])
  assert [row['step'] for row in runs.log(tmp_path)] == [2, 4]
  assert set(runs.log(tmp_path)[0]) == {
      'step', 'loss', 'learning_rate', 'images_per_second', 'input_wait',
      'seconds'}
  assert runs.tags(tmp_path) == {
      'activations/' + name for name in _END_POINTS} | {
          'sparsity/' + name for name in _END_POINTS} | {
              name + '_1' for name in _WEIGHTS} | {
                  'Losses/clone_loss', 'Losses/regularization_loss',
                  'losses/softmax_cross_entropy_loss/value', 'learning_rate',
                  'total_loss_1', 'input_wait_seconds', 'input_wait',
                  'images_per_second'}
  graph = text_format.Parse(
      (tmp_path / 'graph.pbtxt').read_text(), tf.GraphDef())
  assert {'train_op', 'LeNet/conv1/weights'} <= {
      node.name for node in graph.node}
  record = json.loads((tmp_path / 'run.json').read_text())
  assert (record['model_name'], record['num_classes'], record['image_shape'],
          record['last_step']) == ('lenet', 10, [28, 28, 1], 4)
  assert '--model_name=lenet\n' in (tmp_path / 'flags.txt').read_text()
  out = capsys.readouterr().out
  for part in (
      'Training lenet on mnist/train: 4000 examples, 10 classes, images '
      '28x28x1.', 'Batch: 8 per clone, 8 in total; 500.0 steps per epoch',
      'Devices of the clones: /device:CPU:0.',
      'learning rate from 0.01, times 0.94 every 1000 steps.',
      'Trained: 8 variables, 3274634 parameters.',
      'Ends at step 4, after 0.008 epochs.', 'step 2 of 4  0:0',
      'input wait', 'Finished. Saved %s/model.ckpt-4.' % tmp_path):
    assert part in out, out


def test_a_run_resumes_where_it_stopped(digits, tmp_path, capsys):
  loop.train(runs.train(digits, tmp_path, steps=2))
  first = runs.saved(tmp_path, 2)
  loop.train(runs.train(
      digits, tmp_path, steps=4, warm_start=dict(checkpoint_path='elsewhere')))
  out = capsys.readouterr().out
  assert ('--checkpoint_path is ignored: the run resumes from %s/model.ckpt-2. '
          '--resume=never starts from scratch.' % tmp_path) in out
  assert 'Resuming from %s/model.ckpt-2.' % tmp_path in out
  assert ('Changed since the run started: --max_number_of_steps was 2, now '
          '4.') in out
  assert [row['step'] for row in runs.log(tmp_path)] == [2, 4]
  assert runs.saved(tmp_path, 4)['global_step'] == 4
  assert not np.array_equal(first['LeNet/fc4/biases'],
                            runs.saved(tmp_path, 4)['LeNet/fc4/biases'])
  assert loop.train(runs.train(digits, tmp_path, steps=4)) == 0
  assert 'Nothing to do: %s is at step 4 of 4.' % tmp_path in (
      capsys.readouterr().out)


@pytest.mark.slow
def test_the_seed_makes_runs_equal(digits, tmp_path):
  for name in ('a', 'b', 'c'):
    loop.train(runs.train(
        digits, tmp_path / name, steps=2, data=dict(
            seed=1 if name < 'c' else 2, num_preprocessing_threads=1)))
  first, again, other = (runs.saved(tmp_path / name, 0) for name in 'abc')
  assert all(np.array_equal(first[name], again[name]) for name in first)
  assert not np.array_equal(first['LeNet/fc3/weights'],
                            other['LeNet/fc3/weights'])
  assert runs.log(tmp_path / 'a')[0]['loss'] == pytest.approx(
      runs.log(tmp_path / 'b')[0]['loss'], rel=1e-5)


@pytest.mark.slow
def test_fine_tuning_and_evaluation_by_two_clones(
    digits, trained, tmp_path, capsys):
  loop.train(runs.train(
      digits, tmp_path, deployment=dict(num_clones=2, clone_on_cpu=True),
      warm_start=dict(checkpoint_path=str(trained)),
      loop=dict(eval_every=2, eval_split='test')))
  assert 'Batch: 8 per clone, 16 in total; 250.0' in capsys.readouterr().out
  rows = runs.log(tmp_path)
  assert [row['step'] for row in rows if 'evaluation' in row] == [2, 4]
  # Random weights start at more than 10.
  assert all(row['loss'] < 3 for row in rows if 'loss' in row)
  assert sorted(runs.saved(tmp_path, 4)) == sorted(_WEIGHTS + ['global_step'])
  assert {'clone_0/Losses/clone_0//clone_loss', 'total_loss_1',
          'clone_0/Losses/regularization_loss',
          'losses/clone_0/softmax_cross_entropy_loss/value'} <= runs.tags(tmp_path)


def test_without_a_gpu_the_clones_go_to_the_cpu(digits, tmp_path, capsys):
  loop.train(runs.train(digits, tmp_path, deployment=dict(clone_on_cpu=False)))
  assert 'no GPU' in capsys.readouterr().out


@pytest.mark.slow
def test_fine_tuning_of_the_head(digits, trained, tmp_path, capsys):
  loop.train(runs.train(
      digits, tmp_path, warm_start=dict(
          checkpoint_path=str(trained), trainable_scopes=('LeNet/fc4',),
          checkpoint_exclude_scopes=('LeNet/fc4',)),
      model=dict(moving_average_decay=0.9), optimizer=dict(optimizer='adam')))
  out = capsys.readouterr().out
  assert 'from %s/model.ckpt-60: 6 variables loaded.' % trained in out
  assert 'Trained: 2 variables, 10250 parameters.' in out
  before, after = runs.saved(trained, 60), runs.saved(tmp_path, 4)
  for name in _WEIGHTS:
    assert np.array_equal(before[name], after[name]) == ('fc4' not in name)
  assert {name for name in after if name.endswith('Adam')} == {
      'LeNet/fc4/weights/Adam', 'LeNet/fc4/biases/Adam'}
  # The averages start at the loaded weights, not at the initial ones.
  np.testing.assert_allclose(
      after['LeNet/fc3/weights/ExponentialMovingAverage'],
      before['LeNet/fc3/weights'], rtol=1e-5)


@pytest.mark.slow
def test_the_first_convolution_of_a_color_checkpoint(digits, tmp_path, capsys):
  with tf.Graph().as_default(), tf.Session() as session:
    nets_factory.get_network_fn('lenet', 10)(tf.zeros([1, 28, 28, 3]))
    session.run(tf.global_variables_initializer())
    path = tf.train.Saver().save(session, str(tmp_path / 'color'))
  loop.train(runs.train(
      digits, tmp_path / 'gray', steps=1, warm_start=dict(
          checkpoint_path=path, trainable_scopes=('LeNet/fc4',),
          adapt_first_convolution=True), model=dict(moving_average_decay=0.9)))
  assert ('7 variables loaded.\n  adapted               1  LeNet/conv1/'
          'weights') in capsys.readouterr().out
  name, after = 'LeNet/conv1/weights', runs.saved(tmp_path / 'gray', 1)
  expected = tf.train.load_variable(path, name).sum(2, keepdims=True)
  np.testing.assert_allclose(after[name], expected, rtol=1e-6)


def test_a_loss_that_is_not_finite_stops_the_run(digits, tmp_path):
  with pytest.raises(ValueError) as error:
    loop.train(runs.train(digits, tmp_path, steps=50,
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
    loop.train(runs.train(digits, tmp_path / 'model', **changes))
  assert message in str(error.value)
  assert not (tmp_path / 'model').exists()


class _OnTheWay(tf.train.SessionRunHook):
  """Calls a function before the first step."""

  def __init__(self, call):
    self._call = call

  def before_run(self, run_context):
    if self._call:
      call, self._call = self._call, None
      call()


@pytest.mark.parametrize('exists', [False, True])
def test_a_second_training_in_its_directory(digits, tmp_path, exists):
  train_dir = tmp_path / 'run'
  if exists:
    train_dir.mkdir()
  options = runs.train(digits, train_dir, steps=2)
  errors = []

  def second():
    for resume in ('auto', 'never'):
      with pytest.raises(ValueError) as error:
        loop.train(runs.train(
            digits, train_dir, steps=2, loop=dict(
                train_dir=str(train_dir), resume=resume)))
      errors.append(str(error.value))
    # Not a second chief.
    with pytest.raises(ValueError, match='no cluster'):
      loop.train(runs.train(digits, train_dir, deployment=dict(
          worker_replicas=2, task=1)))

  assert loop.train(options, [_OnTheWay(second)]) == 0
  assert len(errors) == 2
  for text in errors:
    assert text.startswith(
        '--train_dir=%s is in use by another training (host ' % train_dir)
    assert ', process %d, since 2' % os.getpid() in text
    assert text.endswith(
        '): wait for its end, stop it, or give another --train_dir.')
  assert not [name for name in os.listdir(str(train_dir))
              if 'earlier' in name or 'lock' in name]
  assert runs.saved(train_dir, 2)['global_step'] == 2


@pytest.mark.slow
def test_a_training_that_came_first_to_a_new_directory(
    digits, tmp_path, monkeypatch):
  train_dir = tmp_path / 'run'
  build = loop.train_graph.build

  def meanwhile(run):
    monkeypatch.undo()
    with tf.Graph().as_default():
      loop.train(runs.train(digits, train_dir, steps=2))
    return build(run)

  monkeypatch.setattr(loop.train_graph, 'build', meanwhile)
  with pytest.raises(ValueError, match='was made by another training in the '
                     'meantime. Run the same command again to resume'):
    loop.train(runs.train(digits, train_dir, steps=4))
  assert 'model.ckpt-2.index' in os.listdir(str(train_dir))
