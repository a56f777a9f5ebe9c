"""Options that export_inference_graph.py and classify_image.py share."""
import dataclasses
import functools
from typing import Optional, Union

from slim_common.flags import flag

_model = functools.partial(flag, group='Model')
_classes = functools.partial(flag, group='Classes')


@dataclasses.dataclass(frozen=True)
class Inference:
  """Network, image format and classes."""
  checkpoint_path: Optional[str] = _model(
      None, 'Checkpoint of the trained weights: a directory (its latest '
      'checkpoint) or a file.')
  checkpoint_scope: Optional[str] = _model(
      None, 'Scope of the network in the checkpoint, if its variables have '
      'other names: in front of them, or in the place of their first part.',
      metavar='SCOPE')
  model_name: str = _model(
      'inception_v3', 'Name of the network; train_image_classifier.py '
      '--list_models lists them. The run.json of a training replaces the '
      'default.')
  network_variant: str = _model(
      'slim', 'Variant of the network that imported weights need, see '
      'nets/variants.py. The run.json beside the checkpoint replaces the '
      'default.')
  preprocessing_name: Optional[str] = _model(
      None, 'Name of the preprocessing. Default: that of the training (its '
      "run.json); otherwise the network's own.")
  embedding_size: Optional[int] = _model(
      None, 'Size of the output of a network that was trained with a loss of '
      'embeddings. Default: that of the training (its run.json).', at_least=1)
  normalize_embedding: bool = _model(
      False, 'Whether embeddings have length 1. The run.json of a training '
      'replaces the default.', only_if_set=('embedding_size',))
  image_size: Optional[int] = _model(
      None, 'Height and width of the images, in pixels. Default: that of the '
      "training (its run.json); otherwise the network's own.", at_least=1)
  use_grayscale: bool = _model(
      False, 'Whether images are grayscale, one channel.')
  dataset_name: str = _classes(
      'imagenet', 'Name of the dataset, which determines the number of classes '
      'and their names.')
  dataset_dir: str = _classes(
      '', 'Directory of the TFRecord files of the dataset.')
  labels_offset: Union[int, str] = _classes(
      0, 'Offset subtracted from the number of classes; auto infers it from '
      'the checkpoint. The run.json of a training replaces the default.',
      at_least=0, or_literal='auto')
  num_classes: Optional[int] = _classes(
      None, 'Number of classes of the network. Default: that of the dataset '
      'minus --labels_offset.', at_least=1)
  labels_file: Optional[str] = _classes(
      None, 'File of the class names in the order of the logits, one per line, '
      'with or without `number:` before it. Default: the names in the dataset.')
  moving_average_decay: Optional[float] = _model(
      None, 'Decay of the moving averages of the weights, which are used if it '
      'is given. Default: those of the training (its run.json), which 0 turns '
      'off; otherwise the weights themselves.', at_least=0, at_most=1)
  classifier_activation: Optional[str] = _model(
      None, 'Activation of the logits: softmax for one class per image, '
      'sigmoid for several. Default: that of the training (its run.json); '
      'otherwise softmax, or sigmoid if images have several labels.',
      choices=('softmax', 'sigmoid'))
