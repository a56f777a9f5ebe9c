"""The results of one evaluation, as files and as printed lines."""
import contextlib
import json
import math
import os
import unicodedata

from image_classifier.evaluate import confusion_matrix
from image_classifier.evaluate import embeddings
from image_classifier.evaluate import mistakes
from image_classifier.evaluate import precision_recall
from image_classifier.evaluate import predictions
from image_classifier.graphs import end_points
from slim_common import atomic_files

# Of more classes, those with the lowest F1 are printed.
_MAX_CLASSES = 20
_CLASSES_OF_MORE = 10
_NAME_WIDTH = 28


def check(options):
  """Checks the names in an `options.Results`; makes the directories.

  Raises:
    ValueError: a name has no known ending, a file exists, or its directory
      cannot be written.
  """
  if options.predictions_file is not None:
    predictions.check_name(options.predictions_file)
  matrix = options.confusion_matrix
  if matrix is not None and not matrix.endswith('.csv'):
    raise ValueError('--confusion_matrix=%s must end in .csv; its plot is '
                     'written beside it, ending in .png.' % matrix)
  if options.precision_recall is not None and not confusion_matrix.can_plot():
    raise ValueError('--precision_recall needs matplotlib: pip install -e '
                     '.[plot]')
  directory = options.embeddings_dir
  if directory is not None:
    if not options.end_points:
      raise ValueError('--embeddings_dir needs --end_points=NAME,...: what to '
                       'save.')
    atomic_files.check_directory('embeddings_dir', directory)
  atomic_files.check({
      'mistakes': options.mistakes,
      'precision_recall': options.precision_recall,
      'embeddings_dir': directory and os.path.join(
          directory, embeddings.ARRAYS),
      'results_file': options.results_file,
      'predictions_file': options.predictions_file,
      'confusion_matrix': matrix,
      'confusion_matrix (its plot)': matrix and _plot_path(matrix)},
                     options.overwrite)


def shown_tensors(options, images, network_end_points):
  """Returns the dict of tensors, besides the logits, that the files need.

  Args:
    options: an `options.Results`.
    images: tensor of the preprocessed images.
    network_end_points: dict of the network's end points, or None for an export.

  Raises:
    ValueError: there are no end points, or none of a name.
  """
  if options.embeddings_dir is not None:
    if not network_end_points:
      raise ValueError('--embeddings_dir needs a checkpoint and --num_clones='
                       '1: elsewhere the end points are not known.')
    shown = {name: end_points.find(network_end_points, name)
             for name in options.end_points}
    return dict(shown, images=images)
  return {'images': images} if options.mistakes is not None else {}


class ResultFiles(contextlib.AbstractContextManager):
  """Collects and writes the files that the options name.

  Predictions are written batch by batch, to a file that is published when the
  context ends without an error. `write` writes the other files afterwards.

  Args:
    options: an `options.Results`.
    classes: list of (id, name) of the network's classes.
    loss: a `numpy_losses.Loss`, which computes the probabilities.
    preprocessing: what `preprocessing_factory.describe` returns, or None.

  Raises:
    ValueError: a confusion matrix or the mistakes of a multi-label dataset are
      asked for.
  """

  def __init__(self, options, classes, loss, preprocessing=None):
    self._options, self._classes, self._loss = options, classes, loss
    self._stack = contextlib.ExitStack()
    self._predictions = self._matrix = None
    if options.confusion_matrix is not None:
      if loss.multi_label:
        raise ValueError(
            '--confusion_matrix is for one label per example; for several, '
            '--results_file has the counts of each class.')
      self._matrix = confusion_matrix.ConfusionMatrix(len(classes))
    self._drawings = list(self._make_drawings(preprocessing))

  def _make_drawings(self, preprocessing):
    options = self._options
    if options.mistakes is not None:
      if self._loss.multi_label:
        raise ValueError('--mistakes is for one label per example; for '
                         'several, --predictions_file has all predictions.')
      yield mistakes.Mistakes(options.mistakes, self._classes, preprocessing)
    if options.precision_recall is not None:
      yield precision_recall.PrecisionRecall(
          options.precision_recall, self._classes, self._loss.multi_label)
    if options.embeddings_dir is not None:
      yield embeddings.Embeddings(
          options.embeddings_dir, options.end_points, self._classes,
          preprocessing)

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

  def add(self, names, labels, logits, predicted, shown=None):
    """Adds a batch.

    Args:
      names, labels: as for `predictions.Writer.add`.
      logits: floats [batch, classes].
      predicted: the value of the metrics' `add`.
      shown: dict of what `shown_tensors` selects.
    """
    if self._matrix is not None:
      self._matrix.add(labels, predicted)
    if self._predictions is None and not self._drawings:
      return
    probabilities = self._loss.probabilities(logits)
    if self._predictions is not None:
      self._predictions.add(names, labels, probabilities)
    for drawing in self._drawings:
      drawing.add(names, labels, probabilities, shown)

  def write(self, facts, results, scores):
    """Writes the other files; returns lines that name all files.

    Args:
      facts, results, scores: as for `write_json`.
    """
    lines, metrics = [], self._options.results_file
    if self._predictions is not None:
      lines.append('Predictions: %s' % self._options.predictions_file)
    if self._matrix is not None:
      lines += self._write_matrix(facts, results)
    for drawing in self._drawings:
      lines += drawing.write()
    if metrics is not None:
      with atomic_files.publish(metrics, encoding='utf-8') as output:
        write_json(output, facts, results, scores, self._classes)
      lines.append('Metrics: %s' % metrics)
    return lines

  def _write_matrix(self, facts, results):
    path = self._options.confusion_matrix
    names = [name for _, name in self._classes]
    with atomic_files.publish(path, newline='', encoding='utf-8') as output:
      confusion_matrix.write_csv(output, self._matrix, names)
    lines = ['Confusion matrix: %s' % path]
    if not confusion_matrix.can_plot():
      return lines + ['It is not plotted without matplotlib: pip install -e '
                      '.[plot]']
    title = '%s on %s/%s, step %d: accuracy %.4f' % (
        facts['model_name'], facts['dataset_name'],
        facts['dataset_split_name'], facts['step'], results['Accuracy'])
    with atomic_files.publish(_plot_path(path), 'wb') as output:
      confusion_matrix.plot(self._matrix, names, title, output)
    return lines + ['Plot: %s' % _plot_path(path)]


def _plot_path(matrix):
  return os.path.splitext(matrix)[0] + '.png'


def metric_lines(results):
  """Returns one line per metric, in slim's format."""
  return ['eval/%s[%.6g]' % row for row in results.items()]


def class_table(scores, names):
  """Returns the lines of a table of `metrics.ClassScores` and their names."""
  rows = [(name, score) for name, score in zip(names, scores)
          if score.examples or score.predicted]
  title = 'class'
  if len(rows) > _MAX_CLASSES:
    title = 'class (%d of %d, lowest F1)' % (_CLASSES_OF_MORE, len(rows))
    rows.sort(key=lambda row: row[1].f1)
    rows = rows[:_CLASSES_OF_MORE]
  names = [_shorten(name) for name, _ in rows]
  width = max(map(_columns, [title] + names))
  return [title.ljust(width) + '  examples  precision  recall     F1'] + [
      name + ' ' * (width - _columns(name)) + '  %8d  %9s  %6s  %5s' % (
          score.examples, _format(score.precision), _format(score.recall),
          _format(score.f1)) for name, (_, score) in zip(names, rows)]


def write_json(output, facts, results, scores, classes):
  """Writes everything as JSON.

  Args:
    output: file, open for text.
    facts, results: dicts, the description of the evaluation and the metrics.
    scores, classes: lists of `metrics.ClassScores` and of (id, name).
  """
  json.dump(_without_nan(dict(
      facts, metrics=results,
      classes=[dict(score._asdict(), label=label, name=name)
               for (label, name), score in zip(classes, scores)])),
            output, indent=1, allow_nan=False)
  output.write('\n')


def _without_nan(value):
  """Returns a value with None for NaN and infinity, which JSON lacks."""
  if isinstance(value, dict):
    return {key: _without_nan(part) for key, part in value.items()}
  if isinstance(value, (list, tuple)):
    return [_without_nan(part) for part in value]
  is_nan = isinstance(value, float) and not math.isfinite(value)
  return None if is_nan else value


def _shorten(name):
  """Returns a name on one line of at most _NAME_WIDTH letters."""
  name = ' '.join(name.split())
  return name if len(name) <= _NAME_WIDTH else name[:_NAME_WIDTH - 3] + '...'


def _columns(text):
  """Returns the number of terminal columns of a text."""
  return sum(0 if unicodedata.combining(letter) else
             2 if unicodedata.east_asian_width(letter) in 'FW' else 1
             for letter in text)


def _format(fraction):
  return '-' if fraction is None else '%.3f' % fraction
