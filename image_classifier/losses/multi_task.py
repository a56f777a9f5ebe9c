"""Losses of several tasks on one network, and when each is trained.

A task is a question about an image: which digit, which letter, is it odd. Its
head is its own; the trunk is shared. An image need not have a label for every
task: its weight in that task's loss is 0, and the mean leaves it out.
"""
import itertools

import tensorflow.compat.v1 as tf

JOINT, ALTERNATE = 'joint', 'alternate'


def split_one_hot(one_hot, sizes):
  """Splits labels over the classes of all tasks into one part per task.

  Args:
    one_hot: float32 [batch, sum of the sizes], 1 at the class of an image.
    sizes: dict {task: number of its classes}, in the order of the classes.

  Returns:
    A dict {task: (targets, weights)}: float32 [batch, size], all 0 for an
    image of another task; and float32 [batch], 1 for an image of the task.
  """
  parts = tf.split(one_hot, list(sizes.values()), axis=1)
  return {task: (part, tf.reduce_max(part, axis=1))
          for task, part in zip(sizes, parts)}


def softmax_task_loss(logits, targets, weights=1.0):
  """Computes the cross-entropy of the images that a task has labels for.

  Args:
    logits: float32 [batch, classes].
    targets: float32 [batch, classes], 1 at the class; all 0 without a label.
    weights: float32 [batch], 0 without a label; or one number for all.

  Returns:
    A float32 scalar: the weighted sum, divided by the number of weights that
    are not 0. It is 0, with the gradient 0, if all are.
  """
  return _reduce(tf.nn.softmax_cross_entropy_with_logits_v2(
      labels=tf.stop_gradient(targets), logits=logits), weights)


def sigmoid_task_loss(logits, targets, weights=1.0, label_smoothing=0.0,
                      positive_weight=1.0):
  """Computes the binary cross-entropy of attributes, each yes or no.

  Args:
    logits: float32 [batch, attributes].
    targets: float32 [batch, attributes], 1 for yes, 0 for no.
    weights: 0 where the attribute of an image is not known: float32 [batch,
      attributes], [batch, 1], or one number for all.
    label_smoothing: fraction e in [0, 1]; 1 and 0 become 1 - e/2 and e/2.
    positive_weight: factor of the loss where the target is yes; one number, or
      float32 [attributes].

  Returns:
    A float32 scalar, reduced as by `softmax_task_loss`.
  """
  return _reduce(sigmoid_losses(
      logits, targets, label_smoothing, positive_weight), weights)


def sigmoid_losses(logits, targets, label_smoothing=0.0, positive_weight=1.0):
  """Returns the loss of each attribute of each image, [batch, attributes]."""
  targets = targets * (1 - label_smoothing) + label_smoothing / 2
  return tf.nn.weighted_cross_entropy_with_logits(
      targets, logits, pos_weight=positive_weight)


def _reduce(losses, weights):
  return tf.losses.compute_weighted_loss(losses, weights, loss_collection=None)


def joint_loss(losses, task_weights):
  """Returns the sum of the losses, each times its weight.

  Args:
    losses: dict {task: float32 scalar}.
    task_weights: dict {task: weight of at least 0}. A task of weight 0 is not
      trained.

  Raises:
    ValueError: the tasks of the two differ, or a weight is below 0.
  """
  check_tasks(task_weights, losses)
  return tf.add_n([task_weights[task] * loss for task, loss in losses.items()
                   if task_weights[task]] or [tf.constant(0.0)])


def check_tasks(given, known):
  """Checks the weights of tasks.

  Raises:
    ValueError: the names differ from the known ones, or a weight is below 0.
  """
  if set(given) != set(known):
    raise ValueError('The weights are of the tasks %s; the tasks are %s: give '
                     'each a weight, 0 to leave it out.' % (
                         ', '.join(sorted(given)), ', '.join(sorted(known))))
  for task, weight in given.items():
    if not 0 <= weight < float('inf'):
      raise ValueError('The weight of the task %s is %g; it must be a number '
                       'of at least 0.' % (task, weight))


def uncertainty_loss(losses, log_variances):
  """Returns the sum of exp(-s) L + s / 2 (Kendall et al., arXiv:1705.07115).

  The weights are trained with the network: s grows while its task's loss is
  above 1/2, which makes the task count less.

  Args:
    losses: dict {task: float32 scalar}.
    log_variances: dict {task: float32 scalar variable s}, see
      `log_variance_variables`.
  """
  return tf.add_n([tf.exp(-log_variances[task]) * loss + log_variances[task] / 2
                   for task, loss in losses.items()])


def log_variance_variables(tasks):
  """Returns {task: a trainable float32 variable of value 0}."""
  with tf.variable_scope('log_variance'):
    return {task: tf.get_variable(task, [], tf.float32, tf.zeros_initializer())
            for task in tasks}


def train_ops(losses, optimizer, head_scopes, global_step=None):
  """Returns one training operation per task, for training in turns.

  The step of a task changes the trunk and the task's head; the heads of the
  others stay as they are, whatever the optimizer: their variables are not
  given to it.

  Args:
    losses: dict {task: float32 scalar of the task's own terms}. Weight decay
      of another head in it has no effect.
    optimizer: a `tf.train.Optimizer`.
    head_scopes: dict {task: name of the variable scope of its head}.
    global_step: variable that each step increases, or None.

  Returns:
    A dict {task: operation}.

  Raises:
    ValueError: no trainable variable is in a scope.
  """
  # A scope as an argument of trainable_variables would be a pattern.
  heads = {task: {variable for variable in tf.trainable_variables()
                  if variable.op.name.startswith(scope.rstrip('/') + '/')}
           for task, scope in head_scopes.items()}
  for task, head in heads.items():
    if not head:
      raise ValueError('The head of the task %s has no trainable variable in '
                       'the scope %s.' % (task, head_scopes[task]))
  others = {task: set().union(*(heads[other] for other in heads
                                if other != task)) for task in heads}
  return {task: optimizer.minimize(
      loss, global_step, [variable for variable in tf.trainable_variables()
                          if variable not in others[task]])
          for task, loss in losses.items()}


def turns(schedule, tasks):
  """Yields, without end, the list of the tasks that each step trains.

  Args:
    schedule: 'joint', all tasks in every step; 'alternate', one after the
      other; or a list of how many steps in a row each task gets, such as
      [2, 1].
    tasks: list of the names of the tasks.

  Raises:
    ValueError: the schedule is neither.
  """
  if schedule == JOINT:
    yield from itertools.repeat(list(tasks))
  ratios = [1] * len(tasks) if schedule == ALTERNATE else schedule
  is_list = isinstance(ratios, (list, tuple)) and all(
      isinstance(ratio, int) and ratio >= 0 for ratio in ratios)
  if not is_list or len(ratios) != len(tasks) or not sum(ratios):
    raise ValueError(
        'The schedule is %r; it must be %r, %r or a list of the steps in a row '
        'of each of the %d tasks, such as %r.' % (
            schedule, JOINT, ALTERNATE, len(tasks),
            [2] + [1] * (len(tasks) - 1)))
  order = [[task] for task, ratio in zip(tasks, ratios) for _ in range(ratio)]
  yield from itertools.cycle(order)
