"""Labels of several tasks, as classes named TASK:CLASS; see `image_lists`."""

_BETWEEN = ':'
UNKNOWN = ':?'


def multi_label(rows, path):
  """Returns whether a list is multi-label.

  Args:
    rows: yields the `list_files.Row`s.
    path: path of the list, for the messages.

  Returns:
    Whether the label of a row is a list; of labels of several tasks, the dict
    of each task to whether that is so, sorted by the names.

  Raises:
    ValueError: some labels are of tasks and some are not, or a row has none.
  """
  tasks, kinds = {}, set()
  for row in rows:
    kinds.add(type(row.label))
    if dict in kinds and len(kinds) > 1:
      raise ValueError(
          '%s, line %d has labels of tasks and other lines have not, or the '
          'other way round: write {"TASK": "CLASS", ...} in each' % (
              path, row.line))
    if row.label == {}:
      raise ValueError('%s, line %d has no label of any task' % (
          path, row.line))
    if isinstance(row.label, dict):
      for task, label in row.label.items():
        tasks[task] = tasks.get(task, False) or isinstance(label, list)
  return {task: tasks[task] for task in sorted(tasks)} or list in kinds


def joined(row, tasks, path):
  """Returns the labels of a row as a list of TASK:CLASS.

  Args:
    row: a `list_files.Row` with labels of tasks.
    tasks: the dict that `multi_label` returns.
    path: path of the list, for the messages.

  Raises:
    ValueError: a class has no name, or that of an unknown label.
  """
  names = []
  for task in tasks:
    label = row.label.get(task)
    if label is None:
      names.append(task + UNKNOWN)
      continue
    for name in label if isinstance(label, list) else [label]:
      if name in ('', UNKNOWN.lstrip(_BETWEEN)):
        raise ValueError(
            '%s, line %d: the label of %s is %r; the name of a class is '
            'needed: leave the task out where it is not known' % (
                path, row.line, task, label))
      names.append(task + _BETWEEN + name)
  return names


def is_unknown(name, tasks):
  """Returns whether a class says that the label of a task is not known."""
  return isinstance(tasks, dict) and name.endswith(UNKNOWN)
