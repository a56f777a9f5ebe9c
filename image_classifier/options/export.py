"""Options of export_inference_graph.py."""
import dataclasses
import functools
from typing import Optional

from image_classifier.options.inference import Inference
from slim_common.flags import flag

_output = functools.partial(flag, group='Output')
_graph = functools.partial(flag, group='Graph')
_quantization = functools.partial(flag, group='Quantization and verification')


@dataclasses.dataclass(frozen=True)
class Export(Inference):
  """Options of export_inference_graph.py."""
  output_file: str = _output(
      '', 'File of the GraphDef of the architecture, without weights.')
  output_dir: Optional[str] = _output(
      None, 'Directory of frozen_inference_graph.pb, saved_model, labels.txt '
      'and model.json, written if --checkpoint_path is given. Default: '
      'directory of --output_file.')
  overwrite: bool = _output(
      False, 'Whether to replace existing files; otherwise they are an error.')
  is_training: bool = _graph(
      False, 'Whether --output_file receives the graph used in training.')
  batch_size: Optional[int] = _graph(
      None, 'Number of images in a batch. Default: any.', at_least=1)
  free_image_size: bool = _graph(
      False, 'Whether to accept images of any height and width, if the network '
      'does.')
  is_video_model: bool = _graph(
      False, 'Whether the network takes videos, [batch, frames, height, width, '
      'channels].')
  num_frames: Optional[int] = _graph(
      None, 'Number of frames of a video.', at_least=1,
      only_if=('is_video_model', (True,)))
  write_text_graphdef: bool = _output(
      False, 'Whether to write --output_file as text.')
  fold_batch_norm: bool = _graph(
      False, 'Whether to fold batch normalization and constants into the '
      'convolutions of the frozen graph and of the SavedModel.')
  tflite: bool = _output(
      False, 'Whether to write model.tflite, for TensorFlow Lite.')
  int8: bool = _output(
      False, 'Whether to write model_int8.tflite, with 8-bit weights and '
      'activations, calibrated on images of --calibration_split, which should '
      'resemble those to classify.')
  onnx: bool = _output(
      False, 'Whether to write model.onnx, for ONNX Runtime and other readers '
      'of ONNX. Needs tf2onnx and onnxruntime.')
  keras: bool = _output(
      False, 'Whether to write keras_weights.h5, which the same network of '
      'keras.applications loads with load_weights(PATH, by_name=True).')
  safetensors: bool = _output(
      False, 'Whether to write model.safetensors, the weights under their '
      'names here, with dots.')
  calibration_split: str = _quantization(
      'train', 'Split of the images that --int8 and --verify use.',
      metavar='SPLIT')
  calibration_examples: int = _quantization(
      100, 'Number of images to calibrate with.', at_least=1,
      only_if=('int8', (True,)))
  verify: bool = _quantization(
      False, 'Whether to compare each export with the checkpoint, on images of '
      '--calibration_split or, without --dataset_dir, on random ones. If one '
      'differs too much, nothing is written.')
  quantize: bool = _quantization(
      False, 'Whether the network was trained with --quantize_delay: inserts '
      'fake quantization (TensorFlow 1.15 only). With --int8 the learned '
      'ranges are used, and inputs and outputs of the model are bytes.')

  most_used = (
      'model_name', 'checkpoint_path', 'dataset_name', 'dataset_dir',
      'labels_offset', 'output_dir', 'output_file', 'overwrite', 'tflite',
      'int8', 'verify')
