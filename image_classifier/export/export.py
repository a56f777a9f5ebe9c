"""Export of a network: its architecture, or the trained network."""
import collections
import json
import os
import platform
from typing import List

import tensorflow.compat.v1 as tf

from image_classifier.checkpoints import checkpoint_reader
from image_classifier.export import calibration_images
from image_classifier.export import fold_batch_norm
from image_classifier.export import onnx_model
from image_classifier.export import other_frameworks
from image_classifier.export import saved_model
from image_classifier.export import tflite
from image_classifier.export import tflite_metadata
from image_classifier.export import verify
from image_classifier.graphs import quantization
from image_classifier.inference import backends
from image_classifier.inference import exports
from image_classifier.inference import inference_graph
from image_classifier.options import Export
from image_classifier.runs import record_defaults
from image_classifier.runs import run_record
from preprocessing import preprocessing_factory
from slim_common import atomic_files

# The parts of an export, relative to --output_dir. If MODEL exists, all do.
FROZEN_GRAPH, SAVED_MODEL, TFLITE, INT8, ONNX = exports.FORMS.values()
LABELS, MODEL = exports.LABELS, exports.MODEL

_VERIFIED_IMAGES = 8
# Forms that are written on request, each by the flag of its name.
_ON_REQUEST = (
    ('tflite', TFLITE), ('int8', INT8), ('onnx', ONNX),
    ('keras', other_frameworks.KERAS),
    ('safetensors', other_frameworks.SAFETENSORS))
# Flags that need weights.
_NEED_WEIGHTS = ('output_dir', 'verify', 'fold_batch_norm',
                 'moving_average_decay') + tuple(
                     flag for flag, _ in _ON_REQUEST)

_Trained = collections.namedtuple(
    '_Trained', 'options classes checkpoint network session frozen folded')
_Trained.__doc__ = """A trained network to be written in several forms.

Attributes:
  options: the `options.Export`.
  classes: the `inference_graph.Classes`.
  checkpoint: prefix of the checkpoint.
  network: the `inference_graph.Network`, in the default graph.
  session: the tf.Session with its weights.
  frozen: GraphDef with the weights as constants, folded with
    --fold_batch_norm.
  folded: the folded GraphDef; None if no form needs it.
"""


def export(options: Export) -> List[str]:
  """Writes the architecture or the trained network, or both.

  output_file receives the architecture: a GraphDef with a float32 placeholder
  `input` and no weights. With checkpoint_path, output_dir receives:

  * frozen_inference_graph.pb, a GraphDef with the weights as constants;
  * saved_model/, the same with signatures (see `saved_model`);
  * model.tflite with `tflite`, model_int8.tflite with `int8`, model.onnx with
    `onnx`;
  * keras_weights.h5 with `keras`, model.safetensors with `safetensors`;
  * labels.txt, the names of the classes in the order of the logits;
  * model.json, the description of the inputs and outputs.

  They appear together once all are complete. Existing files are replaced only
  if `overwrite` is set.

  Returns:
    A list of the paths written.

  Raises:
    ValueError: the options or the checkpoint do not fit, a file exists or
      cannot be written, or an export fails its verification.
  """
  directory, names = _check_files(options)
  if options.onnx:
    onnx_model.check_packages()
  checkpoint = options.checkpoint_path and checkpoint_reader.find(
      options.checkpoint_path)
  options, lines = record_defaults.apply(options, checkpoint)
  _check_calibration(options)
  if options.keras:
    other_frameworks.check_keras(options.model_name, options.network_variant)
  for line in lines:
    print(line)
  classes = inference_graph.find_classes(options, checkpoint)
  written = [options.output_file] if options.output_file else []
  architecture = _architecture(options, classes, checkpoint)
  if not checkpoint:
    _write_architecture(options, architecture)
    return written
  with tf.Graph().as_default():
    trained = _load(options, classes, checkpoint)
    with atomic_files.updated_directory(directory, MODEL) as unfinished:
      _write_forms(unfinished, trained, names)
      _write_architecture(options, architecture)
  return written + [os.path.join(directory, name) for name in names]


def _check_files(options):
  """Returns (output_dir, names of its files), checked."""
  if not options.output_file and not options.checkpoint_path:
    raise ValueError(
        'You must supply the path to save to with --output_file, or a trained '
        'network with --checkpoint_path.')
  if options.is_video_model and not options.num_frames:
    raise ValueError(
        'Number of frames must be specified for video models with --num_frames')
  files = [options.output_file] if options.output_file else []
  directory, names = None, []
  if options.checkpoint_path:
    if not options.output_dir and not files:
      raise ValueError('Give the directory of the export with --output_dir.')
    directory = (
        options.output_dir or os.path.dirname(options.output_file) or '.')
    names = [FROZEN_GRAPH, SAVED_MODEL] + [
        name for flag, name in _ON_REQUEST if getattr(options, flag)] + [
            LABELS, MODEL]
    atomic_files.check_writable(os.path.join(directory, MODEL), '--output_dir')
  else:
    default = type(options)()
    for flag in _NEED_WEIGHTS:
      if getattr(options, flag) != getattr(default, flag):
        raise ValueError(
            '--%s needs a trained network: give --checkpoint_path.' % flag)
  if options.output_file:
    _check_output_file(options.output_file, directory, names)
  existing = [path for path in files + [
      os.path.join(directory, name) for name in names] if os.path.exists(path)]
  if existing and not options.overwrite:
    raise ValueError('%s exists already; pass --overwrite to replace it.' % (
        ', '.join(existing)))
  return directory, names


def _check_calibration(options):
  if options.int8 and not options.dataset_dir:
    raise ValueError('--int8 needs images to calibrate with: give '
                     '--dataset_dir, and --calibration_split if not train.')


def _check_output_file(path, directory, names):
  atomic_files.check_writable(path, '--output_file')
  if os.path.isdir(path):
    raise ValueError(
        '--output_file=%s is a directory: give the name of a file.' % path)
  if os.path.abspath(path) in [
      os.path.abspath(os.path.join(directory, name)) for name in names]:
    raise ValueError(
        '--output_file=%s is the name of another part of the export: give '
        'another name, for example %s.' % (
            path, os.path.join(os.path.dirname(path), 'graph.pb')))


def _frames(options):
  return options.num_frames if options.is_video_model else None


def _architecture(options, classes, checkpoint):
  """Returns the GraphDef for output_file; None without output_file."""
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
  directory = os.path.dirname(os.path.abspath(options.output_file))
  os.makedirs(directory, exist_ok=True)
  with atomic_files.publish(options.output_file, 'wb') as file:
    file.write(content)


def _load(options, classes, checkpoint):
  """Returns the _Trained network, built in the default graph."""
  network = inference_graph.build(
      options, classes, checkpoint, options.batch_size, _frames(options),
      free_size=options.free_image_size)
  session = inference_graph.restore(
      checkpoint, options.moving_average_decay, options.quantize,
      options.checkpoint_scope)
  frozen = inference_graph.freeze(session, network)
  folded = None
  if (options.fold_batch_norm or options.tflite or options.int8
      or options.onnx):
    folded = fold_batch_norm.fold(frozen, list(
        inference_graph.outputs(network)))
  return _Trained(options, classes, checkpoint, network, session,
                  folded if options.fold_batch_norm else frozen, folded)


def _write_forms(directory, trained, names):
  """Writes the files of an export."""
  def path(name):
    return os.path.join(directory, name)

  options, network = trained.options, trained.network
  _write(path(FROZEN_GRAPH), trained.frozen.SerializeToString())
  preprocessing = inference_graph.preprocessing_name(options)
  read_image = preprocessing and not options.is_video_model and (
      inference_graph.image_reader(preprocessing, network.shape[-1],
                                   network.size, options.use_grayscale))
  saved_model.write(
      path(SAVED_MODEL), trained.frozen, network.shape, read_image,
      list(inference_graph.outputs(network)))
  frames = [options.num_frames] if options.is_video_model else []
  shape = [options.batch_size or 1] + frames + [network.size, network.size,
                                                network.shape[-1]]
  record = _record(trained, preprocessing, names)
  _write_lite(path, trained, record, shape)
  if options.onnx:
    _write(path(ONNX), onnx_model.convert(
        trained.folded, record, trained.classes.names))
  _write_weights(path, trained)
  labels = ''.join(
      '%d:%s\n' % row for row in enumerate(trained.classes.names)).encode()
  text = json.dumps(record, indent=2) + '\n'
  # A SavedModel that is copied alone keeps its labels.
  extra = os.path.join(SAVED_MODEL, 'assets.extra')
  os.mkdir(path(extra))
  for parent in ('', extra):
    _write(path(os.path.join(parent, LABELS)), labels)
    _write(path(os.path.join(parent, MODEL)), text.encode())
  if options.verify:
    _verify(directory, trained, preprocessing, shape)


def _write_weights(path, trained):
  """Writes the files for other frameworks that the options ask for."""
  options = trained.options
  for wanted, name, write in (
      (options.keras, other_frameworks.KERAS, other_frameworks.write_keras),
      (options.safetensors, other_frameworks.SAFETENSORS,
       other_frameworks.write_safetensors)):
    if wanted:
      write(path(name), trained.session, options.model_name)


def _write_lite(path, trained, record, shape):
  """Writes the TensorFlow Lite models that the options ask for."""
  options, preprocessing = trained.options, record['preprocessing_name']

  def write(name, images=None):
    content = tflite.convert(trained.folded, shape, images)
    # The metadata describe images.
    if preprocessing and not options.is_video_model:
      content = tflite_metadata.add(content, record, trained.classes.names)
    _write(path(name), content)

  if options.tflite:
    write(TFLITE)
  if options.int8:
    images = calibration_images.load_split(
        options, preprocessing, trained.network.size,
        trained.classes.labels_offset, options.calibration_examples)
    write(INT8, calibration_images.split_into_batches(images, shape[0]))


def _record(trained, preprocessing, names):
  """Returns the content of model.json."""
  options, network = trained.options, trained.network
  record = collections.OrderedDict([
      ('model_name', options.model_name),
      ('num_classes', trained.classes.number),
      ('labels_offset', trained.classes.labels_offset),
      ('input', 'input'),
      ('input_shape', network.shape),
      ('image_size', network.size),
      ('outputs', list(inference_graph.outputs(network))),
      ('embedding_size', options.embedding_size),
      ('normalize_embedding', options.normalize_embedding),
      ('tasks', (run_record.of_checkpoint(trained.checkpoint) or {}).get(
          'tasks') or []),
      ('classifier_activation', None if options.embedding_size else
       trained.classes.activation),
      # The names of the same tensors in the network.
      ('historic_names', collections.OrderedDict([
          ('logits', network.logits.op.name),
          ('predictions', _historic_predictions(trained))])),
      ('files', names),
      ('channels', network.shape[-1]),
      ('preprocessing_name', preprocessing),
      ('preprocessing', preprocessing and preprocessing_factory.describe(
          preprocessing)),
      ('use_grayscale', options.use_grayscale),
      ('averaged_weights', options.moving_average_decay is not None),
      ('batch_norm_folded', options.fold_batch_norm),
      ('quantization_aware', options.quantize),
      ('checkpoint', os.path.basename(trained.checkpoint)),
      ('global_step', checkpoint_reader.step_of(trained.checkpoint)),
      ('tensorflow', tf.__version__),
      ('python', platform.python_version()),
      # What the run.json of the training says; None without one.
      ('training', run_record.without_paths(
          run_record.of_checkpoint(trained.checkpoint)))])
  record['output_descriptions'] = exports.describe_outputs(record)
  return record


def _historic_predictions(trained):
  network = trained.network
  predictions = network.end_points.get(
      'Predictions', network.end_points.get('predictions'))
  # The end points of networks have the softmax only.
  if predictions is None or (
      trained.classes.activation == inference_graph.SIGMOID):
    predictions = network.predictions
  return predictions.op.name


def _verify(directory, trained, preprocessing, shape):
  """Compares every form with the checkpoint and prints the differences."""
  options = trained.options
  if options.dataset_dir and preprocessing:
    images = calibration_images.load_split(
        options, preprocessing, trained.network.size,
        trained.classes.labels_offset, _VERIFIED_IMAGES)
  else:
    images = calibration_images.random_images(shape[1:], _VERIFIED_IMAGES)
  batches = calibration_images.split_into_batches(images, shape[0])
  checkpoint = backends.SessionBackend(
      trained.session, trained.network.images,
      (trained.network.logits, trained.network.predictions))
  suffix = '_folded' if options.fold_batch_norm else ''
  forms = [('folded' if suffix else 'frozen', FROZEN_GRAPH),
           ('saved_model' + suffix, SAVED_MODEL)]
  forms += [form for form in _ON_REQUEST
            if form[0] in verify.TOLERANCES and getattr(options, form[0])]
  expected = verify.expected_logits(checkpoint, batches)
  comparisons = []
  for form, name in forms:
    backend = backends.load(os.path.join(directory, name))
    comparisons.append(verify.compare(form, expected, backend, batches))
    backend.close()
    print(verify.describe(comparisons[-1]))
  verify.check(comparisons)


def _write(path, content):
  with atomic_files.naming(path), open(path, 'wb') as file:
    file.write(content)
