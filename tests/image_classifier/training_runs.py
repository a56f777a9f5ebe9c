"""Shared by the tests of training and evaluation."""
import dataclasses
import json
import os

import tensorflow.compat.v1 as tf

from image_classifier import options
from image_classifier.runs import resume
from image_classifier.train import resolved_run
from image_classifier.train import train_graph


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
