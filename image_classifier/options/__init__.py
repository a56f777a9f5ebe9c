"""The options of every program: one frozen dataclass per component.

A field's name is the flag's name, and its metadata holds the flag's help and
rules (see slim_common/flags.py). Library code and tests build these objects
directly. TensorFlow is not imported, so that --help answers at once.
"""
# pylint: disable=unused-import
from image_classifier.options.classify import Classify
from image_classifier.options.data import Data
from image_classifier.options.data import EvaluationData
from image_classifier.options.data import METRIC_LOSSES
from image_classifier.options.data import TrainingData
from image_classifier.options.evaluate import BatchNorm
from image_classifier.options.evaluate import Evaluate
from image_classifier.options.evaluate import Evaluation
from image_classifier.options.evaluate import Exported
from image_classifier.options.evaluate import Following
from image_classifier.options.evaluate import Results
from image_classifier.options.export import Export
from image_classifier.options.optimization import Optimizer
from image_classifier.options.optimization import Schedule
from image_classifier.options.train import Catalogue
from image_classifier.options.train import Deployment
from image_classifier.options.train import Loop
from image_classifier.options.train import Model
from image_classifier.options.train import Train
from image_classifier.options.train import WarmStart
