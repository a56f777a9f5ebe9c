"""Evaluations of exports, of one form or of all beside their checkpoint."""
import collections
import contextlib
import json
import os

import numpy as np

from image_classifier.evaluate import metrics
from image_classifier.evaluate import result_files
from image_classifier.evaluate import task_metrics
from image_classifier.evaluate.evaluator import Evaluator
from image_classifier.evaluate_export import export_options
from image_classifier.evaluate_export import networks
from image_classifier.inference import exports
from slim_common import atomic_files
from slim_common import flags

_CHECKPOINT = 'checkpoint'
# What export_inference_graph.py writes a form with.
_FLAGS = {form: ' --' + form for form in ('tflite', 'int8', 'onnx')}

Row = collections.namedtuple('Row', 'form metrics agreement milliseconds')
Row.__doc__ = """A row of a comparison.

Attributes:
  form: str, 'checkpoint' or a key of `exports.FORMS`.
  metrics: dict of floats, as an evaluation returns it.
  agreement: float, fraction of the examples with the same first class as in
    the first row.
  milliseconds: float, median time per image without its preprocessing.
"""


def evaluate(options, quiet=False):
  """Evaluates an export on every example of a split, each once.

  What the export does not say, and the result files, are as for
  `evaluation.evaluate`.

  Args:
    options: an `options.Evaluate` with `graph`.
    quiet: whether to print nothing.

  Returns:
    A dict of the metrics; with `compare`, a list of Rows.

  Raises:
    ValueError: the options, the data or the export do not fit, or a result
      file exists.
  """
  export_options.check(options)
  atomic_files.check_directory('eval_dir', options.evaluation.eval_dir)
  result_files.check(options.results)
  exported = exports.find(options.exported.graph)
  checkpoint = export_options.find_checkpoint(options, exported)
  options, lines = export_options.complete(options, exported, checkpoint)
  if not quiet:
    print(*lines, sep='\n')
  if options.exported.compare:
    return _compare(options, exported, checkpoint, quiet)
  return _evaluate(options, exported, networks.load(exported), quiet)


def _evaluate(options, exported, network, quiet):
  """Returns the metrics of a network, which is closed."""
  with contextlib.closing(network), Evaluator(
      options, None, quiet, network) as evaluator:
    classes = evaluator.num_classes
    if classes != exported.record['num_classes']:
      raise ValueError(
          'The export has %d classes and the dataset %d: check '
          '--dataset_name.' % (exported.record['num_classes'], classes))
    return evaluator.evaluate(exported.path)


def _compare(options, exported, checkpoint, quiet):
  """Evaluates all forms; prints and returns the Rows of a comparison."""
  say = (lambda line: None) if quiet else print
  # Of each form, only its row is shown and written.
  alone = flags.replace(options, {'eval_dir': '', 'results_file': None})
  rows, first = [], None
  for form, load in _forms(options, exported, checkpoint, say):
    network = load()
    say('Evaluating %s.' % form)
    results = _evaluate(alone, exported, network, quiet=True)
    first = first or network.classes
    rows.append(Row(form, results, float(np.mean(np.equal(
        network.classes, first))), network.milliseconds()))
  for line in table(rows):
    say(line)
  path = options.results.results_file
  if path is not None:
    with atomic_files.publish(path, encoding='utf-8') as output:
      json.dump([row._asdict() for row in rows], output, indent=1)
      output.write('\n')
    say('Metrics: %s' % path)
  return rows


def _forms(options, exported, checkpoint, say):
  """Yields (form, function that loads it) of those that are there."""
  if checkpoint:
    yield _CHECKPOINT, lambda: networks.load_checkpoint(
        exported, checkpoint, options.evaluation)
  else:
    say('Without the checkpoint: %s is not beside the export; give '
        '--checkpoint_path.' % exported.record.get('checkpoint'))
  for form, name in exports.FORMS.items():
    path = os.path.join(options.exported.graph, name)
    if os.path.exists(path):
      yield form, lambda path=path: networks.load(exported._replace(path=path))
    else:
      say('Without %s: there is no %s; export_inference_graph.py%s writes it.'
          % (form, name, _FLAGS.get(form, '')))


def table(rows):
  """Returns the lines of a table of Rows."""
  metric = next(kind.main_metric for kind in (
      metrics.SingleLabelMetrics, task_metrics.TaskMetrics,
      metrics.MultiLabelMetrics)
                if kind.main_metric in rows[0].metrics)
  title = '%-12s  %s  same class  ms per image' % ('form', metric)
  return [title] + ['%-12s  %*.4f  %10.4f  %12.3f' % (
      row.form, len(metric), row.metrics[metric], row.agreement,
      row.milliseconds) for row in rows]
