"""Classification of image files with an export or a checkpoint."""
import collections
import csv
import dataclasses
import json
import sys

import numpy as np

from image_classifier.classify import explain
from image_classifier.classify import gallery
from image_classifier.classify import image_inputs
from image_classifier.inference import classifier as classifiers
from image_classifier.options import Classify
from image_classifier.options import inference
from slim_common import atomic_files
from slim_common import contact_sheet
from slim_common import progress

_BATCH = 16

Result = collections.namedtuple(
    'Result', 'file names probabilities classes error nearest distance')
Result.__new__.__defaults__ = (None, None)
Result.__doc__ = """The result for one image.

Attributes:
  file: str, printable path of the image.
  names: list of the names of the most probable classes, most probable first.
  probabilities: list of their probabilities, floats in [0, 1].
  classes: list of their indices, ints from 0.
  error: str, why the image could not be read; otherwise None.
  nearest: str, path of the nearest image in --gallery; None without one.
  distance: float, distance of its embedding.
"""


def classify(options: Classify) -> int:
  """Classifies images, prints the results and writes the output files.

  Returns:
    The exit status of the program: 0, or 1 if an image could not be read.

  Raises:
    ValueError: there is no image, the network cannot be loaded, or a file
      exists or cannot be written.
  """
  _check_flags(options)
  images = image_inputs.find(options.images)
  atomic_files.check({name: getattr(options, name) for name in (
      'output_json', 'output_csv', 'contact_sheet', 'features_file')},
                     options.overwrite)
  overlays = options.explain and explain.Overlays(
      options.explain, options.overwrite)
  classifier = (classifiers.load_export(options.graph) if options.graph
                else classifiers.load_checkpoint(options))
  classifier = _with_gallery(classifier, options.gallery)
  results, features = [], []
  meter = progress.StatusLine()
  for start in range(0, len(images), _BATCH):
    meter.show(start, len(images), '%d of %d images' % (start, len(images)))
    batch_results, inputs, batch_features = _classify_batch(
        classifier, images[start:start + _BATCH], options.top_k)
    for result in batch_results:
      meter.line(_line(result))
    results += batch_results
    if overlays:
      for row in zip(_readable(batch_results), inputs, *batch_features):
        overlays.write(*row)
    elif batch_features:
      features.append(batch_features)
  classifier.close()
  _write(options, results, images, features)
  if overlays:
    print('Heat maps: %s' % options.explain)
  failed = sum(result.error is not None for result in results)
  if failed:
    print('%d of %d images could not be read.' % (failed, len(images)))
  return 1 if failed else 0


def _with_gallery(classifier, directory):
  """Returns a classifier, by the images of --gallery if it needs them."""
  if bool(directory) != classifier.is_embedding:
    raise ValueError(
        '--gallery is for networks that were trained with a loss of '
        'embeddings; this one names classes: leave it out.' if directory else
        'The network computes embeddings, which have no names: give known '
        'images with --gallery=DIR, a subdirectory per class.')
  return gallery.GalleryClassifier(
      classifier, directory) if directory else classifier


def _check_flags(options):
  if bool(options.graph) == bool(options.checkpoint_path):
    raise ValueError('Give the network with --graph (an export), or with '
                     '--checkpoint_path and --model_name: one of the two.')
  if bool(options.end_points) != bool(options.features_file):
    raise ValueError('--end_points and --features_file go together: one '
                     'selects the values, the other the file for them.')
  if options.end_points and options.graph:
    raise ValueError('--end_points needs the network of a checkpoint: give '
                     '--checkpoint_path and --model_name instead of --graph.')
  if options.explain and options.graph:
    raise ValueError('--explain needs gradients, which exports do not have: '
                     'give --checkpoint_path and --model_name instead of '
                     '--graph.')
  if options.explain and options.end_points:
    raise ValueError('--explain and --end_points both take values of end '
                     'points: run the program once for each.')
  if options.explain and options.gallery:
    raise ValueError('--explain shows what made the network choose a class, '
                     'and with --gallery it chooses none: leave one out.')
  for field in dataclasses.fields(inference.Inference):
    if options.graph and getattr(options, field.name) != field.default:
      print('Warning: --%s has no effect with --graph, which has its own.' %
            field.name, file=sys.stderr)


def _classify_batch(classifier, images, top_k):
  """Returns the Results of images; of the readable ones input and features.

  The features are a list of an array for each end point; without a readable
  image it is empty.
  """
  preprocessed, errors = {}, {}
  for index, image in enumerate(images):
    try:
      preprocessed[index] = classifier.preprocess(image.read())
    except (ValueError, OSError) as error:
      errors[index] = str(error).splitlines()[0]
  rows, features = {}, []
  if preprocessed:
    probabilities, features = classifier.predict(
        np.stack(list(preprocessed.values())))
    rows = dict(zip(preprocessed, zip(probabilities, getattr(
        classifier, 'nearest', None) or [()] * len(probabilities))))
  return [_result(image.name, rows.get(index), errors.get(index),
                  classifier.labels, top_k)
          for index, image in enumerate(images)], list(
              preprocessed.values()), features


def _readable(results):
  return [result.file for result in results if result.error is None]


def _result(file, row, error, labels, top_k):
  if row is None:
    return Result(file, [], [], [], error)
  row, nearest = row
  best = np.argsort(-row, kind='stable')[:top_k]
  return Result(file, [labels[i] for i in best], [float(row[i]) for i in best],
                [int(i) for i in best], None, *nearest)


def _write(options, results, images, features):
  """Writes the output files that the options name."""
  if options.output_json:
    with atomic_files.publish(options.output_json) as output:
      json.dump([_as_dict(result) for result in results], output, indent=2)
      output.write('\n')
    print('Results: %s' % options.output_json)
  if options.output_csv:
    with atomic_files.publish(
        options.output_csv, newline='', encoding='utf-8') as output:
      _write_csv(output, results)
    print('Table: %s' % options.output_csv)
  if options.features_file:
    with atomic_files.publish(options.features_file, 'wb') as output:
      np.savez(output, files=np.array(_readable(results)),
               **_feature_arrays(options.end_points, features))
    print('Features: %s' % options.features_file)
  if options.contact_sheet:
    contact_sheet.draw(
        [(image.open(), _caption(result))
         for image, result in zip(images, results)], options.contact_sheet)
    print('Contact sheet: %s' % options.contact_sheet)


def _feature_arrays(end_points, batches):
  """Returns a dict of the arrays of end points, from those of batches."""
  names = end_points if len(end_points) > 1 else ('features',)
  empty = [[np.zeros([0], np.float32)] * len(names)]
  return {name: np.concatenate(parts)
          for name, parts in zip(names, zip(*(batches or empty)))}


def _as_dict(result):
  """Returns a Result as a dict, without a nearest image where there is none."""
  return {name: value for name, value in result._asdict().items()
          if name not in ('nearest', 'distance') or result.nearest}


def _write_csv(output, results):
  """Writes one row per image and class, in the order of the ranks."""
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
  nearest = '; nearest: %s, at %.4f' % (
      result.nearest, result.distance) if result.nearest else ''
  return '%s: %s%s' % (result.file, ', '.join(
      '%s %.4f' % row for row in zip(result.names, result.probabilities)),
                       nearest)
