"""Builds the networks that have goldens, as training and exporting do.

All functions but `differences` take a `golden_cases.Case` and return a
manifest or some of its entries.
"""
import re

import tensorflow.compat.v1 as tf

from nets import nets_factory
from tests.nets import golden_cases
from tests.nets import golden_numbers
from tests.nets import manifests


def manifest(case):
  """Builds each mode in a fresh graph."""
  network = case.network and nets_factory.networks_map[case.network]
  found = {
      'images': manifests.shape_text(tf.TensorShape(case.shape)),
      'default_image_size': network and network.default_image_size,
  }
  # Numbers are taken where the tests take them: auxiliary logits that only
  # training has are regularized too.
  if case.tested == golden_cases.REUSE:
    found.update(_training_and_reuse(case))
    found.update(_evaluation(case, with_numbers=False))
  else:
    found.update(_training(case))
    found.update(_evaluation(case))
  return found


def tested(case):
  """Builds what `case.tested` says.

  Of an evaluation that uses the variables of training, all entries are
  returned but those of variables; there must not be new ones.
  """
  if case.tested == golden_cases.REUSE:
    return _training_and_reuse(case)
  found = _training(case) if case.tested == golden_cases.BOTH else {}
  found.update(_evaluation(case))
  return found


def differences(found, expected):
  """Compares the entries that `found` has with those of a manifest.

  Returns:
    A list of lines, one a difference; none if they are equal.
  """
  lines = []
  for entry, value in found.items():
    if entry == 'numbers':
      lines += golden_numbers.differences(value, expected[entry])
    elif entry in manifests.MODES:
      lines += manifests.differences(
          value, {part: expected[entry][part] for part in value}, entry)
    else:
      lines += manifests.differences(value, expected[entry], entry)
  return lines


def _training(case):
  with tf.Graph().as_default():
    return _train(case)


def _train(case):
  """Builds the training mode in the default graph."""
  # NASNet's drop path reads it, and would make it otherwise.
  tf.train.get_or_create_global_step()
  net, end_points = case.build(_images(case), True)
  return {
      'parameters': manifests.count_parameters(),
      'training': dict(manifests.of_results(net, end_points),
                       **manifests.of_graph()),
  }


def _evaluation(case, with_numbers=True):
  with tf.Graph().as_default():
    images = _images(case)
    net, end_points = case.build(images, False)
    found = {'evaluation': dict(manifests.of_results(net, end_points),
                                **manifests.of_graph())}
    if case.gain and with_numbers:
      found['numbers'] = golden_numbers.run(net, images, case.gain)
    return found


def _training_and_reuse(case):
  with tf.Graph().as_default():
    found = _train(case)
    variables = tf.global_variables()
    images = _images(case)
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
      net, end_points = case.build(images, False)
    assert tf.global_variables() == variables
    results = manifests.of_results(net, end_points)
    for entry in ('net', 'predictions'):
      results[entry] = _first_name(results[entry])
    # slim names the results of pooling after operations, not after variables.
    results['end_points'] = {
        name if name in found['training']['end_points'] else _first_name(name):
        shape for name, shape in results['end_points'].items()}
    found['evaluation'] = dict(
        results, update_ops=(len(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) -
                             found['training']['update_ops']))
    if case.gain:
      found['numbers'] = golden_numbers.run(net, images, case.gain)
    return found


def _first_name(name):
  """Returns what a name in the second network would be in the first."""
  return name and re.sub('^([^/]+)_1/', r'\1/', name)


def _images(case):
  return tf.placeholder(tf.float32, case.shape)
