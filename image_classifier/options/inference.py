"""Options of what export_inference_graph.py and classify_image.py build."""
import dataclasses
from typing import Optional, Union

from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Inference:
  """A network ready to be asked."""
  checkpoint_path: Optional[str] = flag(
      None, 'Checkpoint (file or directory) with the trained weights.')
  model_name: str = flag('inception_v3', 'Name of the network.')
  preprocessing_name: Optional[str] = flag(
      None, 'Preprocessing of the pictures; the one of the network if not '
      'given.')
  image_size: Optional[int] = flag(
      None, "Side of the square pictures, in pixels; the network's own if "
      'not given.', at_least=1)
  use_grayscale: bool = flag(False, 'Pictures have one grey channel.')
  dataset_name: str = flag(
      'imagenet', 'Dataset that gives the number and names of the classes.')
  dataset_dir: str = flag('', 'Directory of the converted records.')
  labels_offset: Union[int, str] = flag(
      0, 'Subtracted from the number of classes. auto asks the checkpoint how '
      'many classes it knows.', at_least=0, or_word='auto')
  num_classes: Optional[int] = flag(
      None, "Number of the network's classes; that of the dataset less "
      'labels_offset if not given.', at_least=1)
  labels_file: Optional[str] = flag(
      None, 'Names of the classes in the order of the logits, one a line, with '
      'or without `number:` before it; those of the dataset if not given.')
  moving_average_decay: Optional[float] = flag(
      None, 'If given, the moving averages of the weights are taken.',
      at_least=0, at_most=1)
  classifier_activation: Optional[str] = flag(
      None, 'What makes probabilities of the logits: softmax, shares that sum '
      'to 1, or sigmoid, each class by itself. If not given, as the checkpoint '
      'was trained by its run.json, otherwise sigmoid for a dataset whose '
      'pictures have several classes.', choices=('softmax', 'sigmoid'))
