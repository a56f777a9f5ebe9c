"""Exports a network: its architecture, or trained and ready for use."""
import collections
import json
import os
import platform

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.export import calibration_images
from image_classifier.export import fold_batch_norm
from image_classifier.export import saved_model
from image_classifier.export import tflite
from image_classifier.export import verify
from image_classifier.graphs import quantization
from image_classifier.inference import activation
from image_classifier.inference import backends
from image_classifier.inference import inference_graph
from slim_common import atomic_files

# What an export consists of, relative to --output_dir. A reader that finds
# the last finds all.
FROZEN_GRAPH = 'frozen_inference_graph.pb'
SAVED_MODEL = 'saved_model'
TFLITE = 'model.tflite'
INT8 = 'model_int8.tflite'
LABELS = 'labels.txt'
MODEL = 'model.json'

_VERIFIED_PICTURES = 8
# Flags that mean nothing for the architecture alone.
_OF_WEIGHTS = ('output_dir', 'tflite', 'int8', 'verify', 'fold_batch_norm',
               'moving_average_decay')

# What the forms are made of. network: Network; frozen: GraphDef with weights,
# folded or not as asked; folded: the same, folded in any case.
_Trained = collections.namedtuple(
    '_Trained', 'options classes checkpoint network session frozen folded')


def export(options):
  """Writes what was asked for.

  With output_file, the GraphDef of the architecture: a placeholder `input`,
  float32, and no weights. With checkpoint_path, to output_dir:

  * frozen_inference_graph.pb, a GraphDef with the weights as constants;
  * saved_model/, the same with signatures (see `saved_model`);
  * model.tflite with `tflite`, model_int8.tflite with `int8`;
  * labels.txt, the names of the classes in the order of the logits;
  * model.json, which says how they are used.

  All of them appear once all are complete, or none. Nothing that exists is
  replaced unless `overwrite` is set.

  Args:
    options: an `options.Export`.

  Returns:
    A list of the paths written.

  Raises:
    ValueError: the options or the checkpoint do not fit, a file exists or
      cannot be written, or an export is not verified.
  """
  folder, names = _check_files(options)
  checkpoint = None
  if options.checkpoint_path:
    checkpoint = checkpoint_reader.find(options.checkpoint_path)
  classes = inference_graph.find_classes(options, checkpoint)
  written = [options.output_file] if options.output_file else []
  architecture = _architecture(options, classes, checkpoint)
  if not checkpoint:
    _write_architecture(options, architecture)
    return written
  with tf.Graph().as_default():
    trained = _load(options, classes, checkpoint)
    with atomic_files.updated_directory(folder, MODEL) as inside:
      _write_forms(inside, trained, names)
      _write_architecture(options, architecture)
  return written + [os.path.join(folder, name) for name in names]


def _check_files(options):
  """Returns (output_dir, names in it); raises ValueError if one may not be."""
  if not options.output_file and not options.checkpoint_path:
    raise ValueError(
        'You must supply the path to save to with --output_file, or a trained '
        'network with --checkpoint_path.')
  if options.is_video_model and not options.num_frames:
    raise ValueError(
        'Number of frames must be specified for video models with --num_frames')
  files = [options.output_file] if options.output_file else []
  if not options.checkpoint_path:
    folder, names = None, []
    default = type(options)()
    wanted = [flag for flag in _OF_WEIGHTS
              if getattr(options, flag) != getattr(default, flag)]
    if wanted:
      raise ValueError('--%s needs a trained network: give --checkpoint_path.'
                       % wanted[0])
  else:
    folder = options.output_dir or os.path.dirname(options.output_file)
    if not options.output_dir and not options.output_file:
      raise ValueError('Say where the export goes with --output_dir.')
    folder = folder or '.'
    names = _names(options)
    atomic_files.check_writable(os.path.join(folder, MODEL), '--output_dir')
  if options.int8 and not options.dataset_dir:
    raise ValueError('--int8 needs pictures to calibrate with: give '
                     '--dataset_dir, and --calibration_split if not train.')
  if options.output_file:
    _check_output_file(options.output_file, folder, names)
  there = [path for path in files + [
      os.path.join(folder, name) for name in names] if os.path.exists(path)]
  if there and not options.overwrite:
    raise ValueError('%s exists already; pass --overwrite to replace it.' % (
        ', '.join(there)))
  return folder, names


def _check_output_file(path, folder, names):
  atomic_files.check_writable(path, '--output_file')
  if os.path.isdir(path):
    raise ValueError('--output_file=%s is a folder: give the name of a file.' %
                     path)
  if os.path.abspath(path) in [
      os.path.abspath(os.path.join(folder, name)) for name in names]:
    raise ValueError(
        '--output_file=%s is the name of another part of the export: give '
        'another name, for example %s.' % (
            path, os.path.join(os.path.dirname(path), 'graph.pb')))


def _names(options):
  return ([FROZEN_GRAPH, SAVED_MODEL] + [TFLITE] * options.tflite
          + [INT8] * options.int8 + [LABELS, MODEL])


def _frames(options):
  return options.num_frames if options.is_video_model else None


def _architecture(options, classes, checkpoint):
  """Returns the GraphDef for output_file, None if it is not asked for."""
  if not options.output_file:
    return None
  with tf.Graph().as_default() as graph:
    network = inference_graph.build(
        options, classes, checkpoint, options.batch_size, _frames(options),
        options.is_training, options.free_image_size)
    quantization.quantize_for_inference(options.quantize)
    graph_def = graph.as_graph_def()
    inference_graph.name_outputs(graph_def, network)
    return graph_def


def _write_architecture(options, architecture):
  if architecture is None:
    return
  content = (str(architecture).encode() if options.write_text_graphdef
             else architecture.SerializeToString())
  folder = os.path.dirname(os.path.abspath(options.output_file))
  os.makedirs(folder, exist_ok=True)
  with atomic_files.publish(options.output_file, 'wb') as file:
    file.write(content)


def _load(options, classes, checkpoint):
  """Returns the _Trained network, built in the default graph."""
  network = inference_graph.build(
      options, classes, checkpoint, options.batch_size, _frames(options),
      free_size=options.free_image_size)
  session = inference_graph.restore(
      checkpoint, options.moving_average_decay, options.quantize)
  frozen = inference_graph.freeze(session, network)
  folded = fold_batch_norm.fold(frozen, backends.OUTPUTS)
  return _Trained(options, classes, checkpoint, network, session,
                  folded if options.fold_batch_norm else frozen, folded)


def _write_forms(folder, trained, names):
  """Fills a folder with an export."""
  def path(name):
    return os.path.join(folder, name)

  options, network = trained.options, trained.network
  _write(path(FROZEN_GRAPH), trained.frozen.SerializeToString())
  preprocessing = inference_graph.preprocessing_name(options)
  saved_model.write(
      path(SAVED_MODEL), trained.frozen, network.shape,
      _read_picture(options, network, preprocessing))
  batch_size = options.batch_size or 1
  frames = [options.num_frames] if options.is_video_model else []
  shape = [batch_size] + frames + [network.size, network.size,
                                   network.shape[-1]]
  if options.tflite:
    _write(path(TFLITE), tflite.convert(trained.folded, shape))
  if options.int8:
    pictures = calibration_images.from_split(
        options, preprocessing, network.size, trained.classes.labels_offset,
        options.calibration_examples)
    _write(path(INT8), tflite.convert(
        trained.folded, shape,
        calibration_images.batches(pictures, batch_size)))
  labels = ''.join(
      '%d:%s\n' % row for row in enumerate(trained.classes.names)).encode()
  record = json.dumps(_record(trained, preprocessing, names), indent=2)
  # The SavedModel takes its labels along wherever it is copied.
  os.mkdir(path(os.path.join(SAVED_MODEL, 'assets.extra')))
  for place in (path(''), path(os.path.join(SAVED_MODEL, 'assets.extra'))):
    _write(os.path.join(place, LABELS), labels)
    _write(os.path.join(place, MODEL), (record + '\n').encode())
  if options.verify:
    _verify(folder, trained, preprocessing, shape)


def _read_picture(options, network, preprocessing):
  if options.is_video_model or preprocessing is None:
    return None
  return inference_graph.picture_reader(
      preprocessing, network.shape[-1], network.size, options.use_grayscale)


def _record(trained, preprocessing, names):
  """Returns what model.json says."""
  options, network = trained.options, trained.network
  return collections.OrderedDict([
      ('model_name', options.model_name),
      ('num_classes', trained.classes.number),
      ('labels_offset', trained.classes.labels_offset),
      ('input', 'input'),
      ('input_shape', network.shape),
      ('image_size', network.size),
      ('outputs', list(backends.OUTPUTS)),
      ('classifier_activation', trained.classes.activation),
      # The network's own names of the same tensors.
      ('historic_names', collections.OrderedDict([
          ('logits', network.logits.op.name),
          ('predictions', _historic_predictions(trained))])),
      ('files', names),
      ('preprocessing_name', preprocessing),
      ('preprocessing',
       inference_graph.describe_preprocessing(preprocessing)),
      ('use_grayscale', options.use_grayscale),
      ('averaged_weights', options.moving_average_decay is not None),
      ('batch_norm_folded', options.fold_batch_norm),
      ('quantization_aware', options.quantize),
      ('checkpoint', os.path.basename(trained.checkpoint)),
      ('global_step', checkpoint_reader.step_of(trained.checkpoint)),
      ('tensorflow', tf.__version__),
      ('python', platform.python_version())])


def _historic_predictions(trained):
  network = trained.network
  predictions = network.end_points.get(
      'Predictions', network.end_points.get('predictions'))
  # The networks know the softmax only.
  return network.predictions.op.name if (
      predictions is None or trained.classes.activation == activation.SIGMOID
  ) else predictions.op.name


def _verify(folder, trained, preprocessing, shape):
  """Compares every form with the checkpoint, and prints how they differ."""
  options = trained.options
  if options.dataset_dir and preprocessing:
    pictures = calibration_images.from_split(
        options, preprocessing, trained.network.size,
        trained.classes.labels_offset, _VERIFIED_PICTURES)
  else:
    pictures = calibration_images.random(shape[1:], _VERIFIED_PICTURES)
  images = calibration_images.batches(pictures, shape[0])
  checkpoint = backends.SessionRunner(
      trained.session, trained.network.images,
      (trained.network.logits, trained.network.predictions))
  suffix = '_folded' if options.fold_batch_norm else ''
  forms = [('folded' if suffix else 'frozen', FROZEN_GRAPH),
           ('saved_model' + suffix, SAVED_MODEL)]
  forms += [('tflite', TFLITE)] * options.tflite
  forms += [('int8', INT8)] * options.int8
  expected = verify.expected_logits(checkpoint, images)
  comparisons = []
  for form, name in forms:
    runner = backends.load(os.path.join(folder, name))
    comparisons.append(verify.compare(
        form, expected, runner, images))
    runner.close()
    print(verify.line(comparisons[-1]))
  verify.check(comparisons)


def _write(path, content):
  with open(path, 'wb') as file:
    file.write(content)
