"""Shared by the tests of training and evaluation."""
import dataclasses
import json
import os

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.runs import resume
from image_classifier.runs import run_record
from image_classifier.train import resolved_run
from image_classifier.train import train_graph
from nets import nets_factory
from slim_common import flags


def train(digits, train_dir, steps=4, **changes):
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


def resolve(config, first_step=0):
  """Resolves options of a run as if it resumed at a step."""
  return dataclasses.replace(
      resolved_run.resolve(config), start=resume.Start(step=first_step))


def build(config, first_step=0):
  """Builds the training graph of options in the default graph."""
  return train_graph.build(resolve(config, first_step))


def leave(config, images=None):
  """Leaves the record of a training and a checkpoint of random weights.

  Args:
    config: the options of the training.
    images: function from the shape of the network's images to some, for which
      the logits get mean 0 and standard deviation 2; None for any logits.
  """
  run = resolved_run.resolve(config)
  directory = config.loop.train_dir
  os.makedirs(directory, exist_ok=True)
  run_record.write(directory, run.record, flags.as_dict(options.Train()))
  with tf.Graph().as_default(), tf.Session() as session:
    tf.set_random_seed(3)
    inputs = tf.placeholder(tf.float32, (None,) + run.image_shape)
    logits, _ = nets_factory.get_network_fn(
        config.model.model_name, run.num_classes)(inputs)
    weights = tf.global_variables()
    tf.train.create_global_step()
    session.run(tf.global_variables_initializer())
    values = dict(zip(weights, session.run(weights)))
    if images:
      _tell_classes_apart(values, session.run(logits, {
          inputs: images(run.image_shape)}))
    for variable, value in values.items():
      variable.load(value, session)
      if config.model.moving_average_decay:
        # Of other classes.
        session.run(tf.get_variable(
            variable.op.name + '/ExponentialMovingAverage',
            initializer=np.flip(value, axis=-1)).initializer)
    tf.train.Saver().save(session, os.path.join(directory, 'model.ckpt-1'))


def _tell_classes_apart(values, logits):
  """Changes the last layer, so that images have different first classes."""
  scale = 2 / logits.std(axis=0)
  classes = logits.shape[1:]
  for variable, value in values.items():
    if variable.shape[-1:] == classes and 'weights' in variable.op.name:
      values[variable] = value * scale
    elif tuple(variable.shape) == classes:
      values[variable] = (value - logits.mean(axis=0)) * scale


def saved(train_dir, step):
  """Returns the variables of a checkpoint, {name: value}."""
  reader = tf.train.NewCheckpointReader(
      os.path.join(str(train_dir), 'model.ckpt-%d' % step))
  return {name: reader.get_tensor(name)
          for name in reader.get_variable_to_shape_map()}


def log(train_dir):
  with open(os.path.join(str(train_dir), 'train_log.jsonl')) as lines:
    return [json.loads(line) for line in lines]


def tags(directory):
  """Returns the tags of all summaries in a directory."""
  return {value.tag
          for name in os.listdir(str(directory)) if 'tfevents' in name
          for event in tf.train.summary_iterator(
              os.path.join(str(directory), name))
          for value in event.summary.value}
