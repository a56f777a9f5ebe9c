"""Options of export_inference_graph.py."""
import dataclasses
from typing import Optional

from image_classifier.options.inference import Inference
from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Export(Inference):
  """Options of export_inference_graph.py."""
  output_file: str = flag(
      '', 'File for the GraphDef of the architecture, without weights.')
  output_dir: Optional[str] = flag(
      None, 'Where frozen_inference_graph.pb, saved_model, labels.txt and '
      'model.json go when there is a checkpoint_path; the folder of '
      'output_file if not given.')
  overwrite: bool = flag(False, 'Replace files that exist.')
  is_training: bool = flag(
      False, 'Write the graph used in training to output_file.')
  batch_size: Optional[int] = flag(
      None, 'Size of a batch; any size if not given.', at_least=1)
  free_image_size: bool = flag(
      False, 'Take pictures of any height and width, where the network does.')
  is_video_model: bool = flag(
      False, 'The network takes videos, [batch, frames, height, width, '
      'channels].')
  num_frames: Optional[int] = flag(
      None, 'Frames of a video.', at_least=1,
      only_with=('is_video_model', (True,)))
  write_text_graphdef: bool = flag(
      False, 'Write output_file as text.')
  fold_batch_norm: bool = flag(
      False, 'Fold batch normalisation into the convolutions, and constants, '
      'in the frozen graph and the SavedModel.')
  tflite: bool = flag(False, 'Write model.tflite, for TensorFlow Lite.')
  int8: bool = flag(
      False, 'Write model_int8.tflite, whose weights and activations have 8 '
      'bits. Their ranges, the rounding of the weights and the corrections of '
      'the biases come from pictures of calibration_split: the more they '
      'resemble those to be classified, the better.')
  calibration_split: str = flag(
      'train', 'Split of dataset_dir whose pictures calibrate and verify.')
  calibration_examples: int = flag(
      100, 'Pictures to calibrate with.', at_least=1,
      only_with=('int8', (True,)))
  verify: bool = flag(
      False, 'Compare each export with the checkpoint on pictures of '
      'calibration_split, or random ones where there is no dataset_dir; write '
      'nothing if one differs too much.')
  quantize: bool = flag(
      False, 'The network was trained with --quantize_delay: insert the fake '
      'quantisation it learnt (TensorFlow 1.15). --int8 then takes the ranges '
      'that were learnt, and its model takes and gives bytes.')
