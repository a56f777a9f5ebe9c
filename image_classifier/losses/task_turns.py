"""Which tasks each step of a training trains: jointly, or in turns."""
import tensorflow.compat.v1 as tf

from image_classifier.losses import multi_task

_ALTERNATING = 'alternating'


def parse(text, tasks):
  """Returns the steps in a row of each task; () if all train jointly.

  Args:
    text: the value of --task_schedule: 'joint', 'alternating', or the numbers
      of steps, such as '2,1'.
    tasks: list of the names of the tasks.

  Raises:
    ValueError: the text is neither, or does not fit the tasks.
  """
  if text == multi_task.JOINT:
    return ()
  if len(tasks) == 1:
    raise ValueError('--task_schedule=%s has no effect here, as there is one '
                     'task, %s: leave it out.' % (text, tasks[0]))
  words = ['1'] * len(tasks) if text == _ALTERNATING else text.split(',')
  if len(words) != len(tasks) or not all(
      word.isdecimal() and int(word) for word in words):
    raise ValueError(
        '--task_schedule=%s: it must be joint, alternating, or the steps in a '
        'row of each of the tasks %s, such as %s.' % (
            text, ', '.join(tasks), ','.join(['2'] + ['1'] * (len(tasks) - 1))))
  return tuple(map(int, words))


def describe(turns, tasks):
  """Returns the turns of `parse` in words, as '2 steps of a, 1 step of b'."""
  return ', '.join(
      '%d step%s of %s' % (count, 's' * (count > 1), task)
      for count, task in zip(turns, tasks))


def is_on(turns, index, step):
  """Returns float32 scalar: 1 if a task is trained in a step, else 0.

  Args:
    turns: the numbers of steps of `parse`; () trains every task.
    index: index of the task.
    step: int64 scalar, the global step.
  """
  if not turns:
    return tf.constant(1.0)
  first, place = sum(turns[:index]), tf.floormod(step, sum(turns))
  return tf.cast((place >= first) & (place < first + turns[index]), tf.float32)


def keep_other_heads(apply, variables, heads, turns, step):
  """Applies gradients, and leaves the heads alone whose turn it is not.

  The gradient of another head is 0, but momentum and weight decay would move
  it. Its outputs in the last layers get back the weights they had.

  Args:
    apply: function that returns the operation that changes the variables.
    variables: list of the variables of last layers, whose last dimension is
      the outputs of all heads.
    heads: list of `task_heads.Head`.
    turns: the numbers of steps of `parse`, not empty.
    step: the global step's variable.

  Returns:
    An operation.
  """
  is_trained = tf.concat([
      tf.fill([len(head.classes)], is_on(turns, index, step))
      for index, head in enumerate(heads)], axis=0) > 0
  masks = [tf.broadcast_to(is_trained, tf.shape(variable))
           for variable in variables]
  # An identity might share its memory with the variable, and change with it.
  kept = [tf.where(mask, tf.zeros_like(variable), variable)
          for mask, variable in zip(masks, variables)]
  with tf.control_dependencies(kept + masks):
    changed = apply()
  with tf.control_dependencies([changed]):
    return tf.group(*[
        variable.assign(tf.where(mask, variable.read_value(), old))
        for mask, variable, old in zip(masks, variables, kept)])
