"""Options of classify_image.py."""
import dataclasses
from typing import Optional, Tuple

from image_classifier.options.inference import Inference
from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Classify(Inference):
  """Options of classify_image.py."""
  images: Tuple[str, ...] = flag(
      (), "Picture files, folders of them, patterns such as '*.jpg', and - "
      'for standard input: a picture, or the paths of pictures, one a line.',
      words=True, required=True)
  graph: Optional[str] = flag(
      None, 'An export: its folder, frozen_inference_graph.pb, saved_model or '
      '.tflite file, with model.json and labels.txt beside it. Without it, '
      'the network comes from checkpoint_path and the flags around it.')
  top_k: int = flag(5, 'Classes printed a picture.', at_least=1)
  json: Optional[str] = flag(None, 'File for the results, JSON.')
  csv: Optional[str] = flag(
      None, 'File for the results, CSV: a row for each class of each picture.')
  sheet: Optional[str] = flag(
      None, 'PNG file that shows the pictures with their classes.')
  end_point: Optional[str] = flag(
      None, 'End point of the network whose values features_file receives; '
      'needs a checkpoint_path.')
  features_file: Optional[str] = flag(
      None, 'NumPy file (.npz) for the arrays `files` and `features`.')
  overwrite: bool = flag(False, 'Replace files that exist.')
