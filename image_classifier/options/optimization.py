"""Options of how a network learns: optimiser and learning rate."""
import dataclasses
from typing import Optional, Tuple

from slim_common.flags import flag


@dataclasses.dataclass(frozen=True)
class Optimizer:
  """Optimiser."""
  optimizer: str = flag('rmsprop', 'Optimiser.', choices=(
      'adadelta', 'adagrad', 'adam', 'ftrl', 'momentum', 'sgd', 'rmsprop'))
  clip_gradient_norm: float = flag(
      0.0, 'Largest norm of all gradients together; longer ones are scaled '
      'down to it. 0 scales none.', at_least=0)
  opt_epsilon: Optional[float] = flag(
      None, 'Epsilon of adadelta, adam and rmsprop; 1.0 for rmsprop and 1e-8 '
      'for the others if not given.', above=0,
      only_with=('optimizer', ('adadelta', 'adam', 'rmsprop')))
  adadelta_rho: float = flag(
      0.95, 'Decay rate of adadelta.', at_least=0, below=1,
      only_with=('optimizer', ('adadelta',)))
  adagrad_initial_accumulator_value: float = flag(
      0.1, 'First value of the accumulators of adagrad.', above=0,
      only_with=('optimizer', ('adagrad',)))
  adam_beta1: float = flag(
      0.9, 'Decay of the first moment of adam.', at_least=0, below=1,
      only_with=('optimizer', ('adam',)))
  adam_beta2: float = flag(
      0.999, 'Decay of the second moment of adam.', at_least=0, below=1,
      only_with=('optimizer', ('adam',)))
  ftrl_learning_rate_power: float = flag(
      -0.5, 'Learning rate power of ftrl.', at_most=0,
      only_with=('optimizer', ('ftrl',)))
  ftrl_initial_accumulator_value: float = flag(
      0.1, 'First value of the accumulators of ftrl.', at_least=0,
      only_with=('optimizer', ('ftrl',)))
  ftrl_l1: float = flag(
      0.0, 'L1 strength of ftrl.', at_least=0,
      only_with=('optimizer', ('ftrl',)))
  ftrl_l2: float = flag(
      0.0, 'L2 strength of ftrl.', at_least=0,
      only_with=('optimizer', ('ftrl',)))
  momentum: float = flag(
      0.9, 'Momentum of the momentum optimiser.', at_least=0, below=1,
      only_with=('optimizer', ('momentum',)))
  rmsprop_momentum: float = flag(
      0.9, 'Momentum of rmsprop.', at_least=0, below=1,
      only_with=('optimizer', ('rmsprop',)))
  rmsprop_decay: float = flag(
      0.9, 'Decay of the squared gradients of rmsprop.', at_least=0, below=1,
      only_with=('optimizer', ('rmsprop',)))


_TYPE = 'learning_rate_decay_type'
_RATE = ('exponential', 'natural_exp', 'inverse_time')
_COSINE = ('cosine', 'linear_cosine', 'noisy_linear_cosine')
_RESTARTS = ('cosine_restarts',)
_LINEAR_COSINE = ('linear_cosine', 'noisy_linear_cosine')


@dataclasses.dataclass(frozen=True)
class Schedule:
  """Learning rate."""
  learning_rate_decay_type: str = flag(
      'exponential', 'How the learning rate falls.', choices=(
          'fixed', 'exponential', 'natural_exp', 'inverse_time', 'polynomial',
          'piecewise', 'cosine', 'cosine_restarts', 'linear_cosine',
          'noisy_linear_cosine'))
  learning_rate: float = flag(0.01, 'First learning rate.', above=0)
  end_learning_rate: float = flag(
      1e-4, 'Last learning rate.', at_least=0,
      only_with=(_TYPE, ('polynomial',)))
  learning_rate_decay_factor: float = flag(
      0.94, 'Factor of each decay of exponential; the rate r in exp(-r n) of '
      'natural_exp and in 1 / (1 + r n) of inverse_time.', above=0,
      only_with=(_TYPE, _RATE))
  learning_rate_staircase: bool = flag(
      True, 'Let the learning rate fall in steps, not a little every step.',
      only_with=(_TYPE, _RATE))
  num_epochs_per_decay: Optional[float] = flag(
      None, 'Epochs of one clone between two decays, until the end of the '
      'polynomial or cosine, or of the first of the cosine_restarts. If not '
      'given: 2.0, but polynomial and cosine last until the end of the '
      'training, where it has one.', above=0, only_with=(
          _TYPE, _RATE + ('polynomial',) + _COSINE + _RESTARTS))
  warmup_epochs: float = flag(
      0.0, 'Epochs over which the learning rate first rises from 0.',
      at_least=0)
  polynomial_power: float = flag(
      1.0, 'Power of the polynomial; 1 is a straight line.', above=0,
      only_with=(_TYPE, ('polynomial',)))
  polynomial_cycle: bool = flag(
      False, 'Begin the polynomial again, longer, where it ends.',
      only_with=(_TYPE, ('polynomial',)))
  learning_rate_boundaries: Tuple[str, ...] = flag(
      (), 'Steps, separated by commas, after which the learning rate changes.',
      only_with=(_TYPE, ('piecewise',)))
  learning_rate_values: Tuple[str, ...] = flag(
      (), 'Learning rates, separated by commas, one after each boundary.',
      only_with=(_TYPE, ('piecewise',)))
  cosine_alpha: float = flag(
      0.0, 'What is added to the cosine, as a share of the first learning '
      'rate; that of cosine and cosine_restarts is where they end.',
      at_least=0, at_most=1, only_with=(_TYPE, _COSINE + _RESTARTS))
  cosine_t_mul: float = flag(
      2.0, 'How much longer each period of cosine_restarts is than the one '
      'before.', at_least=1, only_with=(_TYPE, _RESTARTS))
  cosine_m_mul: float = flag(
      1.0, 'First learning rate of each period of cosine_restarts, as a share '
      'of that of the one before.', above=0, only_with=(_TYPE, _RESTARTS))
  cosine_num_periods: float = flag(
      0.5, 'Periods of the cosine within the decay.', above=0,
      only_with=(_TYPE, _LINEAR_COSINE))
  cosine_beta: float = flag(
      0.001, 'What is added at the end, as a share of the first learning '
      'rate.', at_least=0, only_with=(_TYPE, _LINEAR_COSINE))
  cosine_initial_variance: float = flag(
      1.0, 'Variance of the noise at step 0.', at_least=0,
      only_with=(_TYPE, ('noisy_linear_cosine',)))
  cosine_variance_decay: float = flag(
      0.55, 'The variance falls as 1 / (1 + step) to this power.',
      at_least=0, only_with=(_TYPE, ('noisy_linear_cosine',)))
