"""Classifies pictures with an export or a checkpoint."""
import collections
import csv
import dataclasses
import json
import sys

import numpy as np

from image_classifier.classify import contact_sheet
from image_classifier.classify import image_inputs
from image_classifier.inference import classifier as classifiers
from image_classifier.options import inference
from slim_common import atomic_files
from slim_common import progress

_BATCH = 16

# file: as it is shown. names and probabilities: the most probable classes,
# most probable first; classes: their numbers. error: why there are none,
# otherwise None.
Result = collections.namedtuple(
    'Result', 'file names probabilities classes error')


def classify(options):
  """Classifies pictures, prints the results and writes what was asked for.

  Args:
    options: an `options.Classify`.

  Returns:
    The exit status of the program: 0, or 1 if a picture could not be read.

  Raises:
    ValueError: no picture is there, the network cannot be loaded, or a file
      exists or cannot be written.
  """
  _check_flags(options)
  pictures = image_inputs.find(options.images)
  atomic_files.check(
      {name: getattr(options, name)
       for name in ('output_json', 'output_csv', 'contact_sheet',
                    'features_file')},
      options.overwrite)
  classifier = (classifiers.of_export(options.graph) if options.graph
                else classifiers.of_checkpoint(options))
  results, features = [], []
  meter = progress.StatusLine()
  for start in range(0, len(pictures), _BATCH):
    meter.show(start, len(pictures), '%d of %d pictures' % (
        start, len(pictures)))
    part, values = _classify_batch(
        classifier, pictures[start:start + _BATCH], options.top_k)
    for result in part:
      meter.line(_line(result))
    results += part
    features += values
  classifier.close()
  _write(options, results, pictures, features)
  failed = sum(result.error is not None for result in results)
  if failed:
    print('%d of %d pictures could not be read.' % (failed, len(pictures)))
  return 1 if failed else 0


def _check_flags(options):
  if bool(options.graph) == bool(options.checkpoint_path):
    raise ValueError('Give the network with --graph (an export), or with '
                     '--checkpoint_path and --model_name: one of the two.')
  if bool(options.end_point) != bool(options.features_file):
    raise ValueError('--end_point and --features_file go together: the one '
                     'names the values, the other the file for them.')
  if options.end_point and options.graph:
    raise ValueError('--end_point needs the network of a checkpoint: give '
                     '--checkpoint_path and --model_name instead of --graph.')
  for field in dataclasses.fields(inference.Inference):
    if options.graph and getattr(options, field.name) != field.default:
      print('Warning: --%s has no effect with --graph, which knows its own.' %
            field.name, file=sys.stderr)


def _classify_batch(classifier, pictures, top_k):
  """Returns the Results of some pictures, and the features of those readable.

  Args:
    classifier: see `classifiers`.
    pictures: list of `image_inputs.Picture`.
    top_k: number of classes a picture.
  """
  images, errors = {}, {}
  for place, picture in enumerate(pictures):
    try:
      images[place] = classifier.read(picture.read())
    except (ValueError, OSError) as error:
      errors[place] = str(error).splitlines()[0]
  rows, features = {}, []
  if images:
    predictions, features = classifier.run(np.stack(list(images.values())))
    rows = dict(zip(images, predictions))
  return [_result(picture.name, rows.get(place), errors.get(place),
                  classifier.labels, top_k)
          for place, picture in enumerate(pictures)], list(features)


def _result(file, row, error, labels, top_k):
  if row is None:
    return Result(file, [], [], [], error)
  best = np.argsort(-row, kind='stable')[:top_k]
  return Result(file, [labels[i] for i in best], [float(row[i]) for i in best],
                [int(i) for i in best], None)


def _write(options, results, pictures, features):
  """Writes the files that were asked for."""
  if options.output_json:
    with atomic_files.publish(options.output_json) as output:
      json.dump([result._asdict() for result in results], output, indent=2)
      output.write('\n')
    print('Results: %s' % options.output_json)
  if options.output_csv:
    with atomic_files.publish(
        options.output_csv, newline='', encoding='utf-8') as output:
      _write_csv(output, results)
    print('Table: %s' % options.output_csv)
  if options.features_file:
    readable = [result.file for result in results if result.error is None]
    with atomic_files.publish(options.features_file, 'wb') as output:
      np.savez(output, files=np.array(readable),
               features=np.array(features, np.float32))
    print('Features: %s' % options.features_file)
  if options.contact_sheet:
    contact_sheet.draw(
        [(picture.open(), _caption(result))
         for picture, result in zip(pictures, results)], options.contact_sheet)
    print('Sheet: %s' % options.contact_sheet)


def _write_csv(output, results):
  """Writes a row for each class of each picture, in the order of the ranks."""
  rows = csv.writer(output)
  rows.writerow(['file', 'rank', 'class', 'name', 'probability', 'error'])
  for result in results:
    if result.error:
      rows.writerow([result.file, '', '', '', '', result.error])
    for rank, row in enumerate(zip(
        result.classes, result.names, result.probabilities), 1):
      rows.writerow([result.file, rank, *row, ''])


def _caption(result):
  if result.error:
    return 'not readable'
  return '%s %.1f%%' % (result.names[0], 100 * result.probabilities[0])


def _line(result):
  if result.error:
    return '%s: not readable: %s' % (result.file, result.error)
  return '%s: %s' % (result.file, ', '.join(
      '%s %.4f' % row for row in zip(result.names, result.probabilities)))
