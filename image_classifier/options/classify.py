"""Options of classify_image.py."""
import dataclasses
import functools
from typing import Optional, Tuple

from image_classifier.options.inference import Inference
from slim_common.flags import flag

_output = functools.partial(flag, group='Output')
_features = functools.partial(flag, group='Features')


@dataclasses.dataclass(frozen=True)
class Classify(Inference):
  """Options of classify_image.py."""
  images: Tuple[str, ...] = flag(
      (), "Image files, directories of images, patterns such as '*.jpg', or - "
      'for standard input: an image, or paths of images, one per line.',
      positional=True, required=True)
  graph: Optional[str] = flag(
      None, 'Exported network: a directory, a frozen_inference_graph.pb, '
      'saved_model, .tflite or .onnx file, with model.json and labels.txt '
      'beside it. '
      'Replaces --checkpoint_path and the flags of model and classes.',
      metavar='PATH')
  top_k: int = _output(5, 'Number of classes shown per image.', at_least=1)
  gallery: Optional[str] = flag(
      None, 'Directory of known images, a subdirectory per class or images '
      'named by what they show, for a network that was trained with a loss of '
      'embeddings: each image gets the class of the nearest.', metavar='DIR')
  output_json: Optional[str] = _output(
      None, 'JSON file of the results.', metavar='FILE', formerly='json')
  output_csv: Optional[str] = _output(
      None, 'CSV file of the results, one row per image and class.',
      metavar='FILE', formerly='csv')
  contact_sheet: Optional[str] = _output(
      None, 'PNG file that shows the images with their classes.',
      metavar='FILE', formerly='sheet')
  end_points: Tuple[str, ...] = _features(
      (), 'End points of the network to save in --features_file. Needs '
      '--checkpoint_path.', metavar='NAME,...', formerly='end_point')
  features_file: Optional[str] = _features(
      None, 'NumPy file (.npz) of the array `files` and, with one end point, '
      '`features`; with several, an array of the name of each.')
  explain: Optional[str] = _output(
      None, 'Directory for the images with a heat map (Grad-CAM) of what made '
      'the network choose the most probable class. Needs --checkpoint_path.',
      metavar='DIR')
  overwrite: bool = _output(
      False, 'Whether to replace existing files; otherwise they are an error.')

  most_used = (
      'images', 'graph', 'checkpoint_path', 'model_name', 'dataset_name',
      'dataset_dir', 'labels_offset', 'top_k', 'output_json', 'output_csv',
      'contact_sheet')
