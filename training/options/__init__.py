"""The options of every program: one frozen dataclass a component.

A field's name is the flag's name and its metadata the flag's help and rules
(see training/flags.py). Library code and tests make these objects directly.
Nothing but the standard library is imported, so that --help answers at once.
"""
# pylint: disable=unused-import
from training.options.classification import Classify
from training.options.data import Data, EvaluationData, TrainingData
from training.options.evaluation import (
    BatchNorm, Evaluate, Evaluation, Following, Results)
from training.options.export import Export
from training.options.optimization import Optimizer, Schedule
from training.options.training import (
    Catalogue, Deployment, Loop, Model, Train, WarmStart)
