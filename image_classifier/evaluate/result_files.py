"""The files of results that one evaluation writes."""
import contextlib
import os

from image_classifier.evaluate import confusion_matrix
from image_classifier.evaluate import confusion_plot
from image_classifier.evaluate import metric_report
from image_classifier.evaluate import predictions
from slim_common import atomic_files


def check(options):
  """Checks names, before the work, and makes the folders.

  Args:
    options: an `options.Results`.

  Raises:
    ValueError: a name does not say a format, a file exists, or its folder
      cannot be written.
  """
  if options.predictions_file is not None:
    predictions.check_name(options.predictions_file)
  matrix = options.confusion_matrix
  if matrix is not None and not matrix.endswith('.csv'):
    raise ValueError('--confusion_matrix=%s must end in .csv; its picture is '
                     'written beside it, ending in .png.' % matrix)
  atomic_files.check({
      'results_file': options.results_file,
      'predictions_file': options.predictions_file,
      'confusion_matrix': matrix,
      'confusion_matrix (its picture)': matrix and _picture(matrix),
  }, options.overwrite)


class ResultFiles(contextlib.AbstractContextManager):
  """Gathers and writes what was asked for.

  Predictions are written as they come, to a file that takes its name when the
  context ends well; all else by `write`, after it.
  """

  def __init__(self, options, classes, loss):
    """Makes the files' writers.

    Args:
      options: an `options.Results`.
      classes: list of (id, name) of the network's classes.
      loss: an `reported_loss.Loss`, which says what the probabilities are.

    Raises:
      ValueError: a confusion matrix is asked for with several labels.
    """
    if loss.multi_label and options.confusion_matrix is not None:
      raise ValueError('--confusion_matrix is for one label an example; '
                       'where there are several, --results_file has the '
                       'counts of each class.')
    self._options = options
    self._classes = classes
    self._loss = loss
    self._stack = contextlib.ExitStack()
    self._predictions = None
    self._matrix = (confusion_matrix.ConfusionMatrix(len(classes))
                    if options.confusion_matrix is not None else None)

  def __enter__(self):
    path = self._options.predictions_file
    if path is not None:
      self._predictions = predictions.Writer(
          self._stack.enter_context(atomic_files.publish(
              path, newline='', encoding='utf-8')),
          path, self._classes, self._options.top_k, self._loss.multi_label)
    return self

  def __exit__(self, *exception):
    return self._stack.__exit__(*exception)

  def add(self, names, labels, logits, predicted):
    """Adds a batch.

    Args:
      names: bytes [batch], names of the examples' files.
      labels: integers [batch], or 0 and 1 [batch, classes].
      logits: floats [batch, classes].
      predicted: what the metrics' `add` returned.
    """
    if self._matrix is not None:
      self._matrix.add(labels, predicted)
    if self._predictions is not None:
      self._predictions.add(names, labels, self._loss.probabilities(logits))

  def write(self, facts, results, scores):
    """Writes the confusion matrix and the metrics.

    Args:
      facts: dict of what was evaluated.
      results: dict of the metrics.
      scores: list of `metrics.ClassScores`.

    Returns:
      Lines of text: what was written, and what was not.
    """
    options = self._options
    names = [name for _, name in self._classes]
    lines = []
    if options.predictions_file is not None:
      lines.append('Predictions: %s' % options.predictions_file)
    if self._matrix is not None:
      lines += self._write_matrix(names, facts, results)
    if options.results_file is not None:
      with atomic_files.publish(
          options.results_file, encoding='utf-8') as output:
        metric_report.write_json(
            output, facts, results, scores, self._classes)
      lines.append('Metrics: %s' % options.results_file)
    return lines

  def _write_matrix(self, names, facts, results):
    path = self._options.confusion_matrix
    with atomic_files.publish(path, newline='', encoding='utf-8') as output:
      confusion_matrix.write_csv(output, self._matrix, names)
    lines = ['Confusion matrix: %s' % path]
    if not confusion_plot.can_draw():
      return lines + ['It is not drawn without matplotlib: pip install -e '
                      '.[plot]']
    title = '%s on %s/%s, step %d: accuracy %.4f' % (
        facts['model_name'], facts['dataset_name'],
        facts['dataset_split_name'], facts['step'], results['Accuracy'])
    with atomic_files.publish(_picture(path), 'wb') as output:
      confusion_plot.draw(self._matrix, names, title, output)
    return lines + ['Its picture: %s' % _picture(path)]


def _picture(matrix):
  return os.path.splitext(matrix)[0] + '.png'
