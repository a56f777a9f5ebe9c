"""Classifies pictures with an exported network."""
import collections
import json
import os

import numpy as np
import tensorflow.compat.v1 as tf

from preprocessing import preprocessing_factory
from training import contact_sheet
from training import progress

_BATCH = 16
_ENDINGS = ('.bmp', '.gif', '.jpeg', '.jpg', '.png')

# names and probabilities: the most probable classes, most probable first.
# error: why there are none, otherwise None.
Result = collections.namedtuple('Result', 'file names probabilities error')


def classify(options):
  """Classifies pictures, prints the results and writes what was asked for.

  Args:
    options: an `options.Classify`.

  Returns:
    The exit status of the program: 0, or 1 if a picture could not be read.

  Raises:
    ValueError: no picture is there, or the export is not complete.
  """
  files = find_pictures(options.images)
  classifier = Classifier(options.graph)
  results = []
  meter = progress.Progress()
  for start in range(0, len(files), _BATCH):
    meter.show(start, len(files), '%d of %d pictures' % (start, len(files)))
    for result in classifier.classify(files[start:start + _BATCH],
                                      options.top_k):
      meter.line(_line(result))
      results.append(result)
  failed = sum(result.error is not None for result in results)
  if options.json:
    _write_json(options.json, results)
    print('Results: %s' % options.json)
  if options.sheet:
    contact_sheet.draw(
        [(result.file, _captions(result)) for result in results],
        options.sheet)
    print('Sheet: %s' % options.sheet)
  if failed:
    print('%d of %d pictures could not be read.' % (failed, len(files)))
  return 1 if failed else 0


def find_pictures(words):
  """Returns the files that the words mean: files, and folders' pictures.

  Raises:
    ValueError: a word is neither, or a folder holds no picture.
  """
  files = []
  for word in words:
    if os.path.isdir(word):
      found = sorted(os.path.join(word, name) for name in os.listdir(word)
                     if name.lower().endswith(_ENDINGS))
      if not found:
        raise ValueError('The folder %s holds no picture (%s).' % (
            word, ', '.join(_ENDINGS)))
      files += found
    elif os.path.exists(word):
      files.append(word)
    else:
      raise ValueError('There is no picture or folder %s.' % word)
  return files


class Classifier:
  """An exported network with its preprocessing, ready to be asked."""

  def __init__(self, graph_file):
    """Loads an export.

    Args:
      graph_file: a frozen_inference_graph.pb with model.json and labels.txt
        beside it.

    Raises:
      ValueError: one of the three is missing or does not fit the others.
    """
    folder = os.path.dirname(graph_file)
    self._record = json.loads(_read(os.path.join(folder, 'model.json')))
    labels = _read(os.path.join(folder, 'labels.txt')).decode().splitlines()
    self._labels = [line.split(':', 1)[1] for line in labels]
    if len(self._labels) != self._record['num_classes']:
      raise ValueError('%s names %d classes; the network has %d.' % (
          os.path.join(folder, 'labels.txt'), len(self._labels),
          self._record['num_classes']))
    definition = tf.GraphDef.FromString(_read(graph_file))
    graph = tf.Graph()
    with graph.as_default():
      self._encoded = tf.placeholder(tf.string, [])
      self._picture = _preprocessed(self._encoded, self._record)
      self._images, self._predictions = tf.import_graph_def(
          definition, name='', return_elements=['input:0', 'predictions:0'])
    self._session = tf.Session(graph=graph)

  def classify(self, files, top_k=5):
    """Classifies a batch of pictures.

    Args:
      files: paths of pictures, at most as many as fit into memory at once.
      top_k: number of classes to return a picture.

    Returns:
      A list of Result, in the order of the files.
    """
    pictures, errors = {}, {}
    for file in files:
      try:
        pictures[file] = self._session.run(
            self._picture, {self._encoded: _read(file)})
      except (ValueError, tf.errors.InvalidArgumentError) as error:
        errors[file] = str(getattr(error, 'message', error)).splitlines()[0]
    rows = {}
    if pictures:
      predictions = self._session.run(
          self._predictions, {self._images: np.stack(list(pictures.values()))})
      rows = dict(zip(pictures, predictions))
    return [self._result(file, rows.get(file), errors.get(file), top_k)
            for file in files]

  def _result(self, file, row, error, top_k):
    if row is None:
      return Result(file, [], [], error)
    best = np.argsort(-row, kind='stable')[:top_k]
    return Result(file, [self._labels[i] for i in best],
                  [float(row[i]) for i in best], None)


def _preprocessed(encoded, record):
  """Returns the picture as the network takes it, from an encoded file."""
  height, width, channels = record['input_shape'][-3:]
  preprocess = preprocessing_factory.get_preprocessing(
      record['preprocessing_name'], is_training=False,
      use_grayscale=record['use_grayscale'])
  if record['use_grayscale']:
    channels = 3
  image = tf.image.decode_image(
      encoded, channels=channels, expand_animations=False)
  image.set_shape([None, None, channels])
  return preprocess(image, height, width)


def _read(path):
  if not os.path.isfile(path):
    raise ValueError('There is no file %s.' % path)
  with open(path, 'rb') as file:
    return file.read()


def _captions(result):
  if result.error:
    return ['not readable']
  return ['%s %.1f %%' % (name, 100 * probability)
          for name, probability in zip(result.names, result.probabilities)][:1]


def _line(result):
  if result.error:
    return '%s: not readable: %s' % (result.file, result.error)
  return '%s: %s' % (result.file, ', '.join(
      '%s %.4f' % row for row in zip(result.names, result.probabilities)))


def _write_json(path, results):
  unfinished = path + '.unfinished'
  with open(unfinished, 'w') as output:
    json.dump([result._asdict() for result in results], output, indent=2)
    output.write('\n')
  os.replace(unfinished, path)
