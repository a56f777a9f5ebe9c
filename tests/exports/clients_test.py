"""Exports, read by other programs.

Networks on small images; with TEST_EXPORTS=all, as `make test-exports` sets it,
also on images of their default size.
"""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest
import tensorflow.compat.v1 as tf

from benchmarks.contenders import random_checkpoint
from image_classifier import options
from image_classifier.export import export
from image_classifier.inference import backends
from image_classifier.inference import classifier as classifiers

pytestmark = pytest.mark.slow

# Name, height and width of the images, whether batch normalization is folded.
_NETWORKS = [('mobilenet_v1', 64, False), ('resnet_v1_50', 65, True),
             ('inception_v3', 107, False)]
if os.environ.get('TEST_EXPORTS') == 'all':
  _NETWORKS += [('mobilenet_v1', 224, True), ('resnet_v1_50', 224, False),
                ('inception_v3', 299, False), ('inception_v3', 299, True)]

# Prints the predictions of both signatures, for an array and an image file.
_IN_A_FRESH_PROCESS = """
import json, sys
import numpy as np
import tensorflow as tf
directory, images, encoded = sys.argv[1:]
images, encoded = np.load(images), open(encoded, 'rb').read()
asked = (('serving_default', 'input', images),
         ('serving_bytes', 'image_bytes', [encoded, encoded]))
if tf.__version__.startswith('1.'):
  with tf.Session(graph=tf.Graph()) as session:
    model = tf.saved_model.load(session, ['serve'], directory)
    found = []
    for signature, name, value in asked:
      one = model.signature_def[signature]
      found.append(session.run(one.outputs['predictions'].name,
                               {one.inputs[name].name: value}))
else:
  model = tf.saved_model.load(directory)
  found = [model.signatures[signature](
      **{name: tf.constant(value)})['predictions'].numpy()
           for signature, name, value in asked]
print(json.dumps([one.tolist() for one in found]))
"""


# Prints the predictions of OpenVINO for an array.
_IN_OPENVINO = """
import json, sys
import numpy as np
from openvino import Core
core = Core()
# Some processors would compute in bfloat16.
model = core.compile_model(core.read_model(sys.argv[1]), 'CPU',
                           {'INFERENCE_PRECISION_HINT': 'f32'})
results = model([np.load(sys.argv[2])])
output, = [output for output in model.outputs if any(
    name.split(':')[0] == 'predictions' for name in output.names)]
print(json.dumps(results[output].tolist()))
"""


@pytest.fixture(scope='module', name='exported', params=_NETWORKS,
                ids=lambda network: '%s-%d-%s' % network)
def _exported(request, tmp_path_factory):
  """Returns (directory, images, logits, predictions by TensorFlow)."""
  name, size, folded = request.param
  directory = tmp_path_factory.mktemp(name)
  checkpoint = random_checkpoint.save(name, size, str(directory), 10)
  out = directory / 'out'
  export.export(dataclasses.replace(
      options.Export(), model_name=name, num_classes=10, image_size=size,
      checkpoint_path=checkpoint, output_dir=str(out),
      fold_batch_norm=folded))
  images = np.random.RandomState(0).uniform(
      -1, 1, [2, size, size, 3]).astype(np.float32)
  backend = backends.load(str(out / 'frozen_inference_graph.pb'))
  logits, predictions = backend.run(images)
  backend.close()
  return out, images, logits, predictions


def _assert_close(found, expected):
  found = np.asarray(found).reshape(expected.shape)
  np.testing.assert_allclose(
      found, expected, atol=1e-4 * np.abs(expected).max())


def test_opencv_reads_the_frozen_graph(exported):
  cv2 = pytest.importorskip('cv2')
  out, images, logits, predictions = exported
  network = cv2.dnn.readNetFromTensorflow(
      str(out / 'frozen_inference_graph.pb'))
  network.setInput(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
  # OpenCV removes Identity nodes, and with them our names.
  names = json.loads((out / 'model.json').read_text())['historic_names']
  _assert_close(network.forward(), predictions)
  _assert_close(network.forward(names['logits']), logits)


def test_tf2onnx_and_onnxruntime(exported, tmp_path):
  pytest.importorskip('tf2onnx')
  onnxruntime = pytest.importorskip('onnxruntime')
  out, images, logits, predictions = exported
  model = tmp_path / 'model.onnx'
  result = subprocess.run(
      [sys.executable, '-m', 'tf2onnx.convert', '--graphdef',
       str(out / 'frozen_inference_graph.pb'), '--inputs', 'input:0',
       '--outputs', 'logits:0,predictions:0', '--output', str(model)],
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True)
  assert result.returncode == 0, result.stdout
  session = onnxruntime.InferenceSession(
      str(model), providers=['CPUExecutionProvider'])
  found = session.run(['logits:0', 'predictions:0'], {'input:0': images})
  for one, expected in zip(found, (logits, predictions)):
    _assert_close(one, expected)


def _pythons():
  """This Python, and one with another TensorFlow where there is one.

  That is OTHER_PYTHON, or the one with TensorFlow 2 that `make env` put beside
  this one with TensorFlow 1. The reverse cannot work: 1.15 lacks operations of
  2.12.
  """
  if os.environ.get('OTHER_PYTHON'):
    return [sys.executable, os.environ['OTHER_PYTHON']]
  here = pathlib.Path(sys.prefix)
  newer = here.parent / '.venv-tf2' / 'bin' / 'python'
  has_newer = here.name in ('.venv', '.venv-mkl') and newer.exists()
  return [sys.executable] + [str(newer)] * has_newer


@pytest.mark.parametrize('python', _pythons(), ids=lambda path: (
    'this' if path == sys.executable else 'other'))
def test_the_saved_model_opens_in_a_fresh_process(exported, tmp_path, python):
  out, images, _, predictions = exported
  arrays = tmp_path / 'images.npy'
  np.save(str(arrays), images)
  file = tmp_path / 'image.png'
  pixels = np.random.RandomState(1).randint(256, size=[50, 70, 3])
  Image.fromarray(pixels.astype(np.uint8)).save(str(file))
  result = subprocess.run(
      [python, '-W', 'ignore', '-c', _IN_A_FRESH_PROCESS,
       str(out / 'saved_model'), str(arrays), str(file)],
      cwd=str(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      universal_newlines=True)
  assert result.returncode == 0, result.stderr[-2000:]
  of_images, of_file = json.loads(result.stdout.splitlines()[-1])
  _assert_close(of_images, predictions)
  classifier = classifiers.load_export(str(out))
  image = classifier.preprocess(file.read_bytes())
  _assert_close(of_file, classifier.predict(np.stack([image] * 2))[0])
  classifier.close()


def test_the_frozen_graph_has_no_variables(exported):
  out = exported[0]
  graph_def = tf.GraphDef.FromString(
      (out / 'frozen_inference_graph.pb').read_bytes())
  assert not [node.name for node in graph_def.node if 'Var' in node.op]


# Arguments of programs that come with TensorFlow or tf2onnx, for a SavedModel.
# {python}, {model} and {out} stand for this Python and two paths. Today's
# converter takes all signatures where it is not told which.
_OF_A_SAVED_MODEL = {
    'tflite_convert': [
        'tflite_convert', '--saved_model_dir={model}', '--output_file={out}',
        *([] if tf.__version__.startswith('1.') else [
            '--saved_model_signature_key=serving_default'])],
    'saved_model_cli': [
        'saved_model_cli', 'run', '--dir={model}', '--tag_set=serve',
        '--signature_def=serving_default', '--inputs=input={images}',
        '--outdir={out}'],
    'tf2onnx': [
        '{python}', '-m', 'tf2onnx.convert', '--saved-model={model}',
        '--signature_def=serving_default', '--output={out}'],
}


@pytest.mark.parametrize('exported', _NETWORKS[:1], indirect=True,
                         ids=['mobilenet'])
@pytest.mark.parametrize('consumer', sorted(_OF_A_SAVED_MODEL))
def test_programs_that_take_a_saved_model(exported, tmp_path, consumer):
  if consumer == 'tf2onnx':
    pytest.importorskip('tf2onnx')
  out, images, _, predictions = exported
  arrays, result = tmp_path / 'images.npy', tmp_path / 'out'
  np.save(str(arrays), images)
  programs = os.path.dirname(sys.executable)
  done = subprocess.run(
      [word.format(python=sys.executable, model=out / 'saved_model',
                   images=arrays, out=result)
       for word in _OF_A_SAVED_MODEL[consumer]],
      env=dict(os.environ, PATH=programs + os.pathsep + os.environ['PATH']),
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      universal_newlines=True)
  assert done.returncode == 0, done.stdout[-2000:]
  _assert_close(_run_result(consumer, result, images), predictions)


@pytest.mark.parametrize('form', ['saved_model', 'frozen_inference_graph.pb'])
def test_openvino(exported, tmp_path, form):
  """In an environment of its own, as `make test-exports` makes it."""
  out, images, _, predictions = exported
  python = pathlib.Path(sys.prefix).parent / '.venv-openvino' / 'bin' / 'python'
  if not python.exists():
    pytest.skip('there is no .venv-openvino beside the environment')
  arrays = tmp_path / 'images.npy'
  np.save(str(arrays), images)
  done = subprocess.run(
      [str(python), '-c', _IN_OPENVINO, str(out / form), str(arrays)],
      stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
  assert done.returncode == 0, done.stderr[-2000:]
  _assert_close(json.loads(done.stdout.splitlines()[-1]), predictions)


def _run_result(consumer, path, images):
  """Returns the predictions that the output of a consumer gives."""
  if consumer == 'saved_model_cli':
    return np.load(str(path / 'predictions.npy'))
  if consumer == 'tf2onnx':
    onnxruntime = pytest.importorskip('onnxruntime')
    session = onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider'])
    return session.run(['predictions'], {'input': images})[0]
  interpreter = tf.lite.Interpreter(str(path))
  interpreter.allocate_tensors()
  entry, = interpreter.get_input_details()
  # The logits' sum is not 1.
  rows = []
  for image in images:
    interpreter.set_tensor(entry['index'], image[np.newaxis])
    interpreter.invoke()
    rows.append(next(
        values for values in (
            interpreter.get_tensor(output['index'])
            for output in interpreter.get_output_details())
        if abs(values.sum() - 1) < 1e-4))
  return np.concatenate(rows)
