"""What a warm start loads, and the messages when it cannot."""
import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from image_classifier import options
from image_classifier.checkpoints import warm_start
from slim_common import flags


def _network(num_classes, scope='net', head='logits', width=8):
  """A network of eleven layers and a head."""
  with tf.variable_scope(scope):
    for number in range(11):
      slim.model_variable('conv%d/weights' % number, [3, width])
    slim.model_variable(head + '/weights', [width, num_classes])
    slim.model_variable(head + '/biases', [num_classes])


@pytest.fixture(name='checkpoint')
def _checkpoint(tmp_path):
  """A checkpoint of the network with 1001 classes."""
  with tf.Graph().as_default(), tf.Session() as session:
    _network(1001)
    session.run(tf.global_variables_initializer())
    return tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))


def _plan(checkpoint, **flags):
  return warm_start.plan(
      options.WarmStart(checkpoint_path=checkpoint, **flags))


def _message(checkpoint, **flags):
  with pytest.raises(ValueError) as error:
    _plan(checkpoint, **flags)
  return str(error.value)


def test_everything_fits(checkpoint):
  _network(1001)
  plan = _plan(checkpoint)
  assert len(plan.loaded) == 13 and not plan.differs and not plan.unused
  assert warm_start.describe(plan) == [
      'Warm start from %s: 13 variables loaded.' % checkpoint]


def test_a_head_of_other_classes_is_not_loaded(checkpoint):
  _network(5)
  plan = _plan(checkpoint)
  assert len(plan.loaded) == 11
  assert dict(plan.differs) == {
      'net/logits/weights': ([8, 5], [8, 1001]),
      'net/logits/biases': ([5], [1001])}
  assert warm_start.describe(plan) == [
      'Warm start from %s: 11 variables loaded.' % checkpoint,
      '  shape differs         2  net/logits/weights, net/logits/biases',
      "  The checkpoint's head has 1001 classes, the dataset 5: the head is "
      'not loaded.']


def test_new_heads_are_the_last_layers_that_are_not_loaded(checkpoint):
  _network(5)
  with tf.variable_scope('net/AuxLogits'):
    slim.model_variable('Conv2d_1b_1x1/weights', [8, 128])
    last = slim.model_variable('Conv2d_2b_1x1/weights', [128, 5])
  heads = warm_start.new_heads(_plan(checkpoint), 5)
  assert [variable.op.name for variable in heads] == [
      'net/logits/weights', 'net/logits/biases', last.op.name]
  with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    assert session.run(last).any()
    warm_start.load_zeros(heads, session)
    assert not any(value.any() for value in session.run(heads))


def test_a_loaded_head_is_not_new(checkpoint):
  _network(1001)
  assert warm_start.new_heads(_plan(checkpoint), 1001) == []


def test_excluded_scopes_match_the_start_of_names(checkpoint):
  _network(5)
  plan = _plan(checkpoint,
               checkpoint_exclude_scopes=('net/logits', 'net/conv1'))
  assert plan.excluded == [
      'net/conv1/weights', 'net/conv10/weights', 'net/logits/weights',
      'net/logits/biases']
  assert warm_start.describe(plan)[1] == (
      '  excluded              4  net/conv1/weights, net/conv10/weights, '
      'net/logits/weights, net/logits/biases')


@pytest.mark.parametrize('width, offset', [(1000, 0), (1002, None)])
def test_a_background_class_more_or_less(checkpoint, width, offset):
  _network(width)
  if offset is None:
    assert len(_plan(checkpoint).differs) == 2
  else:
    assert _message(checkpoint).endswith(
        'net/logits/weights: [8, 1000] here, [8, 1001] there. The checkpoint '
        'has a background class: pass --labels_offset=0.')


def test_a_checkpoint_without_background_class(tmp_path):
  with tf.Graph().as_default(), tf.Session() as session:
    _network(1000)
    session.run(tf.global_variables_initializer())
    path = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  _network(1001)
  assert _message(path).endswith(
      'The checkpoint has no background class: pass --labels_offset=1.')


def test_with_scopes_given_another_shape_is_an_error(checkpoint):
  _network(5)
  message = _message(checkpoint, checkpoint_exclude_scopes=('net/conv1',))
  assert 'net/logits/weights: [8, 5] here, [8, 1001] there' in message
  assert 'trained for 1001 classes and this run has 5' in message


def test_another_width_is_an_error(checkpoint):
  _network(1001, width=16)
  message = _message(checkpoint)
  assert 'net/conv0/weights: [3, 16] here, [3, 8] there' in message
  assert message.endswith('It was trained with another network or width: '
                          'check --model_name.')


def test_another_network_is_an_error(checkpoint):
  for number in range(11):
    slim.model_variable('other/layer%d/kernel' % number, [3])
  message = (
      'The checkpoint %s has 0 of the 11 variables wanted: it belongs to '
      'another network. Check --model_name.' % checkpoint)
  assert _message(checkpoint) == message
  assert _message(checkpoint, ignore_missing_vars=True) == message


def test_missing_variables(checkpoint):
  _network(1001)
  slim.model_variable('net/new/weights', [2])
  plan = _plan(checkpoint)
  assert plan.missing == ['net/new/weights'] and len(plan.loaded) == 13
  assert warm_start.describe(plan)[1:] == [
      '  not in checkpoint     1  net/new/weights',
      '  Variables that are not in the checkpoint keep their initial values.']
  scopes = dict(checkpoint_exclude_scopes=('net/logits',))
  assert _message(checkpoint, **scopes) == (
      'The checkpoint %s lacks 1 variables of the network: net/new/weights. '
      'Give their scope with --checkpoint_exclude_scopes, or pass '
      '--ignore_missing_vars.' % checkpoint)
  assert _plan(checkpoint, ignore_missing_vars=True, **scopes).missing == [
      'net/new/weights']


def test_a_new_head_that_is_not_trained_gives_a_warning(checkpoint):
  _network(5)
  assert _plan(checkpoint, trainable_scopes=('net/logits',)).stuck == []
  plan = _plan(checkpoint, trainable_scopes=('net/conv1',))
  assert warm_start.describe(plan)[-1] == (
      '  Warning: 2 variables are neither loaded nor trained: '
      'net/logits/weights, net/logits/biases. Add their scope to '
      '--trainable_scopes.')


def test_less_than_90_percent_is_another_network(checkpoint):
  _network(1001)
  for name in ('a', 'b'):
    slim.model_variable('net/%s/weights' % name, [2])
  assert 'has 11 of the 13 variables wanted' in _message(checkpoint)
  assert len(_plan(checkpoint, ignore_missing_vars=True).missing) == 2


def test_a_missing_head_does_not_count(checkpoint):
  _network(1001, head='AuxLogits')
  plan = _plan(checkpoint)
  assert plan.missing == ['net/AuxLogits/weights', 'net/AuxLogits/biases']


def test_unused_variables_are_listed(checkpoint):
  _network(1001, head='head')
  plan = _plan(checkpoint, checkpoint_exclude_scopes=('net/head',))
  assert plan.unused == ['net/logits/biases', 'net/logits/weights']
  assert warm_start.describe(plan)[-1] == (
      '  unused                2  net/logits/biases, net/logits/weights')


def test_a_scope_that_matches_nothing_names_the_nearest(checkpoint):
  _network(5)
  assert _message(
      checkpoint, checkpoint_exclude_scopes=('net/logit5',)).startswith(
          '--checkpoint_exclude_scopes: no variable is in the scope '
          'net/logit5; the nearest scopes are net/logits, ')


def test_variables_to_train():
  _network(5)
  everything = warm_start.variables_to_train(options.WarmStart())
  assert len(everything) == 13
  some = warm_start.variables_to_train(
      options.WarmStart(trainable_scopes=('net/logits', 'net/conv1')))
  assert [variable.op.name for variable in some] == [
      'net/logits/weights', 'net/logits/biases', 'net/conv1/weights',
      'net/conv10/weights']
  with pytest.raises(ValueError, match='--trainable_scopes: no variable is in '
                     'the scope Logits; the nearest scopes are net/logits'):
    warm_start.variables_to_train(
        options.WarmStart(trainable_scopes=('Logits',)))


@pytest.mark.parametrize('scope', ['net/logits/', 'net/(logits|conv1)/'])
def test_a_scope_to_train_is_a_regular_expression(scope):
  _network(5)
  chosen = warm_start.variables_to_train(
      options.WarmStart(trainable_scopes=(scope,)))
  assert len(chosen) == (3 if '(' in scope else 2)
  with pytest.raises(ValueError) as error:
    warm_start.variables_to_train(
        options.WarmStart(trainable_scopes=('net/(logits',)))
  assert str(error.value) == (
      '--trainable_scopes: net/(logits is not a regular expression: missing ), '
      'unterminated subpattern at position 4.')


def test_nothing_left_to_load(checkpoint):
  _network(5)
  assert _message(checkpoint, checkpoint_exclude_scopes=('net',)) == (
      'Nothing is left to load from %s: --checkpoint_exclude_scopes=net '
      'excludes everything that fits. Name fewer scopes, or leave out '
      '--checkpoint_path.' %
      checkpoint)


def test_flags_of_a_warm_start_without_a_checkpoint_give_a_warning():
  arguments = ['--dataset_dir=x', '--checkpoint_exclude_scopes=a',
               '--ignore_missing_vars']
  _, warnings = flags.parse(arguments, options.Train)
  assert warnings == [
      '--checkpoint_exclude_scopes has no effect without --checkpoint_path',
      '--ignore_missing_vars has no effect without --checkpoint_path']
  assert not flags.parse(
      arguments + ['--checkpoint_path=x'], options.Train)[1]


def test_what_a_warm_start_could_load_is_known_before_the_network(checkpoint):
  def loadable(**given):
    return warm_start.loadable(options.WarmStart(**given))
  assert loadable() is None
  # A run that resumes needs its checkpoint no longer.
  assert loadable(checkpoint_path=checkpoint + '-gone') is None
  everything = loadable(checkpoint_path=checkpoint)
  assert everything('net/conv1/weights') and not everything('net/conv1/beta')
  head = loadable(
      checkpoint_path=checkpoint, checkpoint_exclude_scopes=('net/c',))
  assert head('net/logits/biases') and not head('net/conv1/weights')


def _color_network(channels, kind='weights'):
  _network(5)
  slim.model_variable('net/first/' + kind, [2, 2, channels, 8],
                      initializer=tf.random_normal_initializer(seed=1))


@pytest.fixture(name='color_checkpoint')
def _color_checkpoint(tmp_path):
  paths = {}
  for kind in ('weights', 'depthwise_weights'):
    with tf.Graph().as_default(), tf.Session() as session:
      _color_network(3, kind)
      session.run(tf.global_variables_initializer())
      paths[kind] = tf.train.Saver().save(
          session, str(tmp_path / kind / 'model.ckpt'))
  return paths


@pytest.mark.parametrize('channels', [1, 4])
def test_a_first_convolution_of_other_channels(color_checkpoint, channels):
  path = color_checkpoint['weights']
  _color_network(channels)
  plan = _plan(path, adapt_first_convolution=True)
  assert list(plan.adapted) == ['net/first/weights'] and not plan.stuck
  assert len(plan.loaded) == 13 and not plan.differs and not plan.unused
  assert warm_start.describe(plan)[1:] == [
      '  adapted               1  net/first/weights']
  theirs = tf.train.load_variable(path, 'net/first/weights')
  tf.get_default_graph().finalize()
  with tf.Session() as session:
    warm_start.load_adapted(plan, session)
    ours = session.run(plan.adapted['net/first/weights'])
  np.testing.assert_allclose(
      ours, theirs.sum(2, keepdims=True) if channels == 1 else np.concatenate(
          [theirs, theirs.mean(2, keepdims=True)], 2), rtol=1e-6)


@pytest.mark.parametrize('channels, kind, cure', [
    (1, 'weights', 'these have 1: see --use_grayscale. Or pass '
     '--adapt_first_convolution, which starts from the weights of the 3 '
     'channels.'),
    (4, 'weights', 'these have 4. Or pass --adapt_first_convolution, which '
     'starts from the weights of the 3 channels.'),
    (1, 'depthwise_weights', 'these have 1: see --use_grayscale. A separable '
     'convolution is not adapted: add net/first to '
     '--checkpoint_exclude_scopes.')])
def test_without_adaptation_other_channels_are_an_error(
    color_checkpoint, channels, kind, cure):
  _color_network(channels, kind)
  for adapts in [False] + [True] * (kind != 'weights'):
    assert _message(
        color_checkpoint[kind], adapt_first_convolution=adapts).endswith(
            'The checkpoint takes images of 3 channels and ' + cure)


@pytest.mark.parametrize('scope, root', [
    ('FeatureExtractor', 'FeatureExtractor/net'), ('model', 'model'),
    ('tower_0/x', 'tower_0/x')])
def test_a_network_in_another_scope(tmp_path, scope, root):
  with tf.Graph().as_default(), tf.Session() as session:
    _network(5, root)
    session.run(tf.global_variables_initializer())
    path = tf.train.Saver().save(session, str(tmp_path / 'model.ckpt'))
  _network(5)
  assert _message(path) == (
      'The checkpoint %s has 0 of the 11 variables wanted: it belongs to '
      'another network. It holds %s/conv0/weights, this network is '
      'net/conv0/weights: --checkpoint_scope=%s loads them.' % (
          path, root, scope))
  plan = _plan(path, checkpoint_scope=scope)
  assert len(plan.loaded) == 13 and not plan.missing and not plan.unused
  assert plan.loaded[root + '/conv3/weights'].op.name == 'net/conv3/weights'
  is_loaded = warm_start.loadable(
      options.WarmStart(checkpoint_path=path, checkpoint_scope=scope))
  assert is_loaded('net/conv1/weights')


def test_moving_averages_alone_are_loaded(tmp_path):
  with tf.Graph().as_default(), tf.Session() as session:
    _network(5)
    session.run(tf.global_variables_initializer())
    path = tf.train.Saver({
        v.op.name + '/ExponentialMovingAverage': v
        for v in tf.global_variables()}).save(
            session, str(tmp_path / 'model.ckpt'))
  _network(5)
  assert len(_plan(path).loaded) == 13
