"""The heads of a network for several tasks, and their losses in a training.

The classes of a dataset of several tasks are named TASK:CLASS. An image has one
class of a task, or any number of classes of a task that is multi-label; where
its label is not known it has the class TASK:?.

A head is a part of the network's last layer: the outputs of its classes.
"""
import collections
from typing import List, NamedTuple, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from image_classifier.losses import multi_task
from image_classifier.losses import task_turns
from slim_common import suggest

UNKNOWN = '?'
_BETWEEN = ':'
_AUXILIARY_WEIGHT = 0.4

Head = collections.namedtuple(
    'Head', 'task classes multi_label weight start ids unknown_id')
Head.__doc__ = """A head.

Attributes:
  task: str, name of the task.
  classes: list of the names of its classes, without that of the task.
  multi_label: bool, whether an image has any number of them, not one.
  weight: float, weight of its loss.
  start: int, index of its first class among the network's outputs.
  ids: list of ints, class ids of its classes in the dataset.
  unknown_id: int, class id of images without a label; None if there are none.
"""


def of_dataset(dataset, asked=()):
  """Returns the list of Heads for a dataset; None if it has no tasks.

  Args:
    dataset: the `slim.dataset.Dataset`.
    asked: 'TASK:WEIGHT' or 'TASK' of each task with a head; empty for all, of
      weight 1. A weight of 0 is no head.

  Raises:
    ValueError: a task is unknown, named twice, or has no sensible weight; or
      none is left; or the dataset has no tasks and some are asked for.
  """
  tasks = getattr(dataset, 'tasks', None)
  if not tasks:
    if asked:
      raise ValueError(
          '--tasks=%s: images of this dataset have labels of one task: leave '
          'out --tasks, or convert a list with "labels": {"TASK": "CLASS"}.' %
          ','.join(asked))
    return None
  weights = _weights(asked, tasks) if asked else dict.fromkeys(tasks, 1.0)
  heads = []
  for task in tasks:
    if weights.get(task):
      heads.append(_head(
          task, tasks[task], weights[task], dataset.labels_to_names,
          sum(len(head.classes) for head in heads)))
  if not heads:
    raise ValueError('--tasks=%s leaves no task: give one a weight above 0.' %
                     ','.join(asked))
  return heads


def _weights(asked, tasks):
  weights = {}
  for word in asked:
    task, _, weight = word.partition(_BETWEEN)
    if task not in tasks:
      raise ValueError('--tasks=%s: there is no task %s%s The dataset has %s.' %
                       (','.join(asked), task, suggest.hint(task, tasks),
                        ', '.join(tasks)))
    if task in weights:
      raise ValueError('--tasks=%s names %s twice.' % (','.join(asked), task))
    try:
      weights[task] = float(weight or 1)
      multi_task.check_tasks({task: weights[task]}, [task])
    except ValueError:
      raise ValueError('--tasks=%s: the weight of %s is %s; it must be a '
                       'number of at least 0, such as %s:0.5.' % (
                           ','.join(asked), task, weight, task))
  return weights


def _head(task, multi_label, weight, names, start):
  own = {name[len(task) + 1:]: label for label, name in sorted(names.items())
         if name.startswith(task + _BETWEEN)}
  unknown_id = own.pop(UNKNOWN, None)
  return Head(task, list(own), multi_label, weight, start, list(own.values()),
              unknown_id)


def number_of_outputs(heads):
  """Returns the width of the last layer of a network with these Heads."""
  return sum(len(head.classes) for head in heads)


def names(heads):
  """Returns the names of a network's outputs, TASK:CLASS each."""
  return [head.task + _BETWEEN + name
          for head in heads for name in head.classes]


def outputs_of(head, outputs):
  """Returns the outputs of a head, [batch, classes], of those of a network."""
  return outputs[:, head.start:head.start + len(head.classes)]


def probabilities(head, outputs):
  """Returns the probabilities, float32 [batch, classes], as a tensor."""
  logits = outputs_of(head, outputs)
  return tf.sigmoid(logits) if head.multi_label else tf.nn.softmax(logits)


def known_labels(head, labels):
  """Splits labels of a dataset, as NumPy arrays.

  Args:
    head: a Head.
    labels: 0 and 1 [batch, classes of the dataset].

  Returns:
    (targets, is_known): 0 and 1 [batch, classes of the head], and bool [batch].
  """
  is_known = (np.ones(len(labels), bool) if head.unknown_id is None else
              labels[:, head.unknown_id] < 0.5)
  return labels[:, head.ids], is_known


class Recipe(NamedTuple):
  """The losses of a network with several heads.

  Attributes:
    heads: list of Heads.
    label_smoothing: fraction in [0, 1], see `multi_task`.
    is_uncertain: whether weights by uncertainty are trained; see
      `multi_task.uncertainty_loss`.
    turns: steps in a row of each head, see `task_turns`; () for all at once.
    positive_weights: float32 [classes of the dataset], the weight of a yes of
      heads that are multi-label; None for 1.
  """
  heads: List[Head]
  label_smoothing: float = 0.0
  is_uncertain: bool = False
  turns: Tuple[int, ...] = ()
  positive_weights: Optional[np.ndarray] = None

  def add(self, outputs, labels, end_points) -> None:
    """Adds the loss of each head, times its weight, with `tf.losses`.

    Args:
      outputs: float32 [batch, outputs].
      labels: float32 [batch, classes of the dataset], 0 and 1.
      end_points: dict of the network's tensors, with 'AuxLogits' for an
        auxiliary head, whose losses have the weight 0.4.
    """
    logs = log_variances(self.heads) if self.is_uncertain else {}
    for index, head in enumerate(self.heads):
      step = tf.train.get_global_step() if self.turns else None
      is_on = task_turns.is_on(self.turns, index, step)
      if 'AuxLogits' in end_points:
        self._add(head, end_points['AuxLogits'], labels, is_on,
                  logs.get(head.task), 'aux_loss')
      self._add(head, outputs, labels, is_on, logs.get(head.task), 'loss')

  def _add(self, head, outputs, labels, is_on, log_variance, scope):
    is_main = scope == 'loss'
    with tf.name_scope('%s_%s' % (_scope(head.task), scope)):
      logits = outputs_of(head, outputs)
      targets = tf.gather(labels, head.ids, axis=1)
      known = tf.ones_like(labels[:, 0]) if head.unknown_id is None else (
          1 - labels[:, head.unknown_id])
      if head.multi_label:
        loss = multi_task.sigmoid_task_loss(
            logits, targets, tf.expand_dims(known, 1), self.label_smoothing,
            1.0 if self.positive_weights is None else
            self.positive_weights[head.ids])
      else:
        targets = targets * (1 - self.label_smoothing) + (
            self.label_smoothing / len(head.classes))
        loss = multi_task.softmax_task_loss(logits, targets, known)
      loss *= head.weight * (1.0 if is_main else _AUXILIARY_WEIGHT)
      if log_variance is not None:
        loss *= tf.exp(-log_variance)
        # Once a task, not once a head.
        loss += log_variance / 2 if is_main else 0.0
      tf.losses.add_loss(tf.multiply(loss, is_on, name='value'))

  def describe(self) -> List[str]:
    """Returns lines about the losses for the start of a run."""
    lines = ['Tasks: %s.' % ', '.join('%s (%d classes%s, weight %g)' % (
        head.task, len(head.classes), ', any number of them per image'
        if head.multi_label else '', head.weight) for head in self.heads)]
    if self.is_uncertain:
      lines.append('Weights of the tasks: times exp(-s), with an s each that '
                   'is trained.')
    if self.turns:
      lines.append('Tasks train in turns: %s.' % task_turns.describe(
          self.turns, [head.task for head in self.heads]))
    return lines


def log_variances(heads):
  """Returns {task: the variable s of its uncertainty weight, exp(-s)}.

  The variables are made at the first call, of value 0.
  """
  scopes = {}
  for head in heads:
    scope = _scope(head.task)
    # Names of two tasks may differ in what TensorFlow does not accept.
    while scope in scopes.values():
      scope += '_'
    scopes[head.task] = scope
  with tf.variable_scope('', reuse=tf.AUTO_REUSE, auxiliary_name_scope=False):
    made = multi_task.log_variance_variables(list(scopes.values()))
  return {task: made[scope] for task, scope in scopes.items()}


def _scope(task):
  """Returns the name of a task as TensorFlow accepts it in names."""
  name = ''.join(letter if letter.isalnum() and letter.isascii()
                 else '_' for letter in task)
  return name if name[0].isalnum() else 'task' + name
