"""The training graph: what each flag changes, and exact resumption."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from image_classifier.train import session_config
from image_classifier.train import train_input
from tests.image_classifier import training_runs as runs

_SMALL = dict(model_name='mobilenet_v1_025', train_image_size=32)
_HEAD = 'MobilenetV1/Logits'


def _options(digits, **changes):
  """Returns options of a run that gives the same bits every time."""
  data = dict(seed=1, deterministic=True, num_readers=1, shuffle_buffer=64,
              preprocessing_name='lenet')
  data.update(changes.pop('data', {}))
  deployment = dict(clone_on_cpu=True, cpu_threads=1)
  deployment.update(changes.pop('deployment', {}))
  return runs.train(
      digits, 'unused', data=data, deployment=deployment, **changes)


def _train(options, steps, load=None, save=None):
  """Runs steps in a new graph; returns ({name: value}, graph)."""
  with tf.Graph().as_default():
    graph = runs.build(options, load or 0)
    result = _run(options, graph, steps, load=save if load else None,
                  save=None if load else save)
  return result, graph


def _run(options, graph, steps, skip=0, load=None, save=None):
  """Runs steps in a new session; returns {name: value}."""
  saver = tf.train.Saver()
  with tf.Session(config=session_config.session_config(
      options.deployment)) as session:
    session.run([tf.global_variables_initializer(), tf.tables_initializer()])
    start = session.run({'start/' + variable.op.name: variable
                         for variable in tf.trainable_variables()})
    if load:
      saver.restore(session, load)
    for _ in range(skip):
      session.run(graph.images)
    losses = [session.run(graph.train_op) for _ in range(steps)]
    if save:
      saver.save(session, save)
    result = session.run({variable.op.name: variable
                          for variable in tf.global_variables()})
  return dict(result, losses=np.array(losses), **start)


def _build(options):
  with tf.Graph().as_default() as graph:
    return runs.build(options), graph


def _check_equal(whole, first, second):
  """Checks that a run is the same as its two halves, to the last bit."""
  assert len(set(whole['losses'])) == 10
  assert whole['global_step'] == 10
  joined = dict(second, losses=np.append(first['losses'], second['losses']))
  assert set(whole) == set(joined)
  for name in whole:
    np.testing.assert_array_equal(whole[name], joined[name], err_msg=name)


@pytest.mark.slow
def test_ten_steps_are_five_and_five(digits, tmp_path):
  options = _options(
      digits, steps=10, optimizer=dict(optimizer='momentum'),
      model=dict(moving_average_decay=0.9, label_smoothing=0.1),
      schedule=dict(learning_rate_decay_type='noisy_linear_cosine'))
  save = str(tmp_path / 'model.ckpt')
  _check_equal(_train(options, 10)[0], _train(options, 5, save=save)[0],
               _train(options, 5, load=5, save=save)[0])


@pytest.mark.slow
def test_ten_steps_are_five_and_five_with_batch_normalization(
    digits, tmp_path):
  options = _options(
      digits, steps=10, model=dict(batch_norm_decay=0.9, **_SMALL),
      optimizer=dict(optimizer='adam', clip_gradient_norm=1.0))
  graph = runs.build(options)
  save = str(tmp_path / 'model.ckpt')
  _check_equal(_run(options, graph, 10), _run(options, graph, 5, save=save),
               _run(options, graph, 5, skip=5, load=save))


def test_what_is_not_trained_keeps_its_statistics(digits):
  options = _options(
      digits, model=_SMALL, warm_start=dict(trainable_scopes=(_HEAD,)))
  values, graph = _train(options, 1)
  means = [value for name, value in values.items()
           if name.endswith('moving_mean')]
  assert len(means) == 27 and not any(value.any() for value in means)
  assert graph.notes == [
      'Batch normalization: 27 of 27 layers frozen, which keep their '
      'statistics.']


def _ancestors(op):
  """Returns all that is computed before an operation, and itself."""
  found, pending = {op}, [op]
  while pending:
    current = pending.pop()
    before = [tensor.op for tensor in current.inputs] + current.control_inputs
    pending += [other for other in before if other not in found]
    found.update(before)
  return found


def test_the_loss_is_known_before_the_weights_change(digits):
  built, graph = _build(_options(digits, model=dict(weight_decay=0.1)))
  changes = [op for op in graph.get_operations()
             if op.type == 'ApplyGradientDescent']
  assert len(changes) == 8
  for change in changes:
    assert built.total_loss.op in _ancestors(change), change.name


def test_clipping_bounds_a_step(digits):
  steps = []
  for norm in (0.0, 0.01):
    options = _options(
        digits, steps=1, model=dict(weight_decay=0.0),
        optimizer=dict(optimizer='sgd', clip_gradient_norm=norm),
        schedule=dict(learning_rate=0.5))
    values, _ = _train(options, 1)
    steps.append(np.sqrt(sum(
        ((values[name] - values['start/' + name]) ** 2).sum()
        for name in values if name.startswith('LeNet'))))
  assert steps[0] > 0.01
  np.testing.assert_allclose(steps[1], 0.5 * 0.01, rtol=1e-3)


def test_loss_and_class_weights(digits):
  options = _options(digits, model=dict(
      loss='focal', focal_gamma=1.0, class_weights='auto'))
  values, graph = _train(options, 1)
  assert np.isfinite(values['losses']).all()
  assert graph.notes[0] == 'Loss: focal with gamma 1.'
  # The sample holds 400 of each digit.
  assert graph.notes[1] == (
      'Class weights: from 1 (zero) to 1 (zero).')


def test_fp16_scales_the_loss(digits):
  values, _ = _train(_options(digits, deployment=dict(fp16=True)), 2)
  assert values['current_loss_scale'] == 2 ** 15
  assert values['global_step'] == 2


def test_the_offset_follows_the_checkpoint(digits, tmp_path):
  with tf.Graph().as_default(), tf.Session() as session:
    tf.get_variable('LeNet/fc4/biases', [9])
    session.run(tf.global_variables_initializer())
    path = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  for warm_start, offset in (({}, 0), (dict(checkpoint_path=path), 1)):
    run = runs.resolve(_options(
        digits, data=dict(labels_offset='auto'), warm_start=warm_start))
    assert (run.labels_offset, run.num_classes) == (offset, 10 - offset)


@pytest.mark.parametrize('last_step, rate', [(100, 0.005), (None, 0.0095)])
def test_the_schedule_ends_with_the_training(digits, last_step, rate):
  options = _options(digits, steps=last_step, schedule=dict(
      learning_rate_decay_type='polynomial', end_learning_rate=0.0))
  with tf.Graph().as_default(), tf.Session() as session:
    graph = runs.build(options)
    session.run(tf.assign(graph.global_step, 50))
    # Two epochs of 500 steps.
    np.testing.assert_allclose(
        session.run(graph.learning_rate), rate, rtol=1e-5)


@pytest.mark.parametrize('data, is_stateless, num_notes', [
    (dict(seed=None, deterministic=False), False, 0),
    (dict(deterministic=False), False, 1), ({}, True, 0)])
def test_random_numbers_follow_the_step_if_deterministic(
    digits, data, is_stateless, num_notes):
  built, graph = _build(_options(digits, data=data))
  assert is_stateless == any(
      'StatelessRandomUniform' in op.type for op in graph.get_operations())
  assert built.notes.count(
      'Resuming restarts the random numbers of dropout, except with '
      '--deterministic.') == num_notes


@pytest.mark.parametrize('changes, message', [
    (dict(model=dict(data_format='NCHW')),
     'lenet cannot compute in the layout NCHW'),
    (dict(model=dict(class_weights='/nowhere/w.csv')),
     '--class_weights=/nowhere/w.csv cannot be read'),
    (dict(schedule=dict(learning_rate_decay_type='piecewise')),
     'needs as many values as boundaries')])
def test_wrong_options(digits, changes, message):
  with pytest.raises(ValueError) as error:
    _build(_options(digits, **changes))
  assert message in str(error.value)


@pytest.fixture(name='several', scope='module')
def _several(tmp_path_factory):
  """A dataset of images with none to two of three classes."""
  image = pytest.importorskip('PIL.Image')
  from datasets import download_and_convert_image_folder
  source = tmp_path_factory.mktemp('images')
  lines = []
  for number in range(6):
    name = '%d.png' % number
    image.new('RGB', (32, 32), (40 * number, 0, 0)).save(str(source / name))
    lines.append('%s,%s' % (name, ('a', 'a|b', 'c', 'b|c', '', 'c')[number]))
  (source / 'list.csv').write_text('\n'.join(lines) + '\n')
  directory = str(tmp_path_factory.mktemp('several'))
  download_and_convert_image_folder.run(
      directory, source=str(source / 'list.csv'), validation_fraction=0,
      num_workers=1)
  return directory


def _several_options(several, data=None, **model):
  return _options(
      several, data=dict(dict(
          dataset_name='image_folder', preprocessing_name='cifarnet',
          batch_size=2), **(data or {})),
      model=dict(model_name='cifarnet', **model))


@pytest.mark.parametrize('model, note', [
    ({}, 'Loss: sigmoid, one binary loss per class.'),
    (dict(loss='focal', class_weights='auto', label_smoothing=0.1),
     'Loss: focal with gamma 2, one binary loss per class.')])
def test_images_of_several_classes(several, model, note):
  values, graph = _train(_several_options(several, **model), 2)
  assert np.isfinite(values['losses']).all()
  assert graph.notes[0] == note
  # Three sigmoids of logits near 0, or a quarter of that for focal.
  assert values['losses'][0] < 1.5


@pytest.mark.parametrize('data, model, message', [
    ({}, dict(loss='softmax'), '--loss=softmax needs one label per image'),
    (dict(labels_offset=1), {}, '--labels_offset=1: images of '
     'image_folder have several labels, and every class is an output of the '
     'network: use --labels_offset=0.')])
def test_what_does_not_fit_several_classes(several, data, model, message):
  with pytest.raises(ValueError) as error:
    _build(_several_options(several, data, **model))
  assert message in str(error.value)


@pytest.mark.parametrize('data, is_warned', [
    (dict(preprocessing_name='vgg'), True),
    (dict(preprocessing_name='inception'), True),
    # Whole images, by operations anyway.
    (dict(preprocessing_name='lenet'), False),
    (dict(preprocessing_name='vgg', augmentation='none'), False)])
def test_warns_that_numba_is_missing(digits, monkeypatch, data, is_warned):
  monkeypatch.setattr(
      train_input.preprocessing_factory, 'why_not_compiled',
      lambda: 'numba cannot be imported (why); pip install -e .[fast]')
  notes = train_input.describe(runs.resolve(_options(digits, data=data)))
  assert notes == is_warned * [
      'Warning: preprocessing by TensorFlow operations takes up to 1.5 times '
      'as long: numba cannot be imported (why); pip install -e .[fast].']
