"""Options of the optimizer and of the learning rate."""
import dataclasses
from typing import Optional, Tuple

from slim_common.flags import flag

_ADAM, _FTRL = ('optimizer', ('adam',)), ('optimizer', ('ftrl',))


@dataclasses.dataclass(frozen=True)
class Optimizer:
  """Optimizer."""
  optimizer: str = flag('rmsprop', 'Optimizer.', choices=(
      'adadelta', 'adagrad', 'adam', 'ftrl', 'momentum', 'sgd', 'rmsprop'))
  clip_gradient_norm: float = flag(
      0.0, 'Maximum global norm of the gradients, to which larger ones are '
      'scaled down. 0 disables clipping.', at_least=0)
  opt_epsilon: Optional[float] = flag(
      None, 'Constant added to the denominator of the update. Default: 1.0 for '
      'rmsprop, 1e-8 for adadelta and adam.', above=0,
      only_if=('optimizer', ('adadelta', 'adam', 'rmsprop')))
  adadelta_rho: float = flag(
      0.95, 'Decay rate of the moving averages.', at_least=0, below=1,
      only_if=('optimizer', ('adadelta',)))
  adagrad_initial_accumulator_value: float = flag(
      0.1, 'Initial value of the accumulators.', above=0,
      only_if=('optimizer', ('adagrad',)))
  adam_beta1: float = flag(
      0.9, 'Decay rate of the first moment estimates.', at_least=0, below=1,
      only_if=_ADAM)
  adam_beta2: float = flag(
      0.999, 'Decay rate of the second moment estimates.', at_least=0, below=1,
      only_if=_ADAM)
  ftrl_learning_rate_power: float = flag(
      -0.5, 'Power of the learning rate: -0.5 lowers it with the root of the '
      'accumulators, 0 keeps it.', at_most=0, only_if=_FTRL)
  ftrl_initial_accumulator_value: float = flag(
      0.1, 'Initial value of the accumulators.', at_least=0, only_if=_FTRL)
  ftrl_l1: float = flag(
      0.0, 'Coefficient of the L1 regularization.', at_least=0, only_if=_FTRL)
  ftrl_l2: float = flag(
      0.0, 'Coefficient of the L2 regularization.', at_least=0, only_if=_FTRL)
  momentum: float = flag(0.9, 'Momentum.', at_least=0, below=1,
                         only_if=('optimizer', ('momentum',)))
  rmsprop_momentum: float = flag(0.9, 'Momentum.', at_least=0, below=1,
                                 only_if=('optimizer', ('rmsprop',)))
  rmsprop_decay: float = flag(
      0.9, 'Decay rate of the moving average of squared gradients.',
      at_least=0, below=1, only_if=('optimizer', ('rmsprop',)))


def _decay(*types):
  """Returns the rule for a flag that only these types of decay use."""
  return 'learning_rate_decay_type', types


_RATE = ('exponential', 'natural_exp', 'inverse_time')
_COSINE = ('cosine', 'linear_cosine', 'noisy_linear_cosine')
_POLYNOMIAL, _PIECEWISE = _decay('polynomial'), _decay('piecewise')
_RESTARTS, _NOISY = _decay('cosine_restarts'), _decay('noisy_linear_cosine')
_LINEAR_COSINE = _decay('linear_cosine', 'noisy_linear_cosine')


@dataclasses.dataclass(frozen=True)
class Schedule:
  """Learning rate."""
  learning_rate_decay_type: str = flag(
      'exponential', 'Decay of the learning rate.', choices=(
          'fixed', 'exponential', 'natural_exp', 'inverse_time', 'polynomial',
          'piecewise', 'cosine', 'cosine_restarts', 'linear_cosine',
          'noisy_linear_cosine'))
  learning_rate: float = flag(0.01, 'Initial learning rate.', above=0)
  end_learning_rate: float = flag(
      1e-4, 'Final learning rate.', at_least=0, only_if=_POLYNOMIAL)
  learning_rate_decay_factor: float = flag(
      0.94, 'Rate r of the decay, which multiplies the learning rate after n '
      'periods by r^n (exponential), exp(-rn) (natural_exp) or 1/(1+rn) '
      '(inverse_time).', above=0, only_if=_decay(*_RATE))
  learning_rate_staircase: bool = flag(
      True, 'Whether the learning rate changes once per decay period; '
      'otherwise at every step.', only_if=_decay(*_RATE))
  num_epochs_per_decay: Optional[float] = flag(
      None, 'Length of a decay period, in epochs of one clone: between two '
      'decays, until the end of the polynomial or cosine, or until the first '
      'restart of cosine_restarts. Default: 2.0; for polynomial and cosine the '
      'whole training, if it has an end.', above=0, only_if=_decay(
          *_RATE, 'polynomial', *_COSINE, 'cosine_restarts'))
  warmup_epochs: float = flag(
      0.0, 'Length of the warm-up, in epochs, during which the learning rate '
      'rises linearly from 0.', at_least=0)
  polynomial_power: float = flag(
      1.0, 'Power of the polynomial; 1 decays linearly.', above=0,
      only_if=_POLYNOMIAL)
  polynomial_cycle: bool = flag(
      False, 'Whether the polynomial restarts, with a longer period, where it '
      'ends.', only_if=_POLYNOMIAL)
  learning_rate_boundaries: Tuple[str, ...] = flag(
      (), 'Steps after which the learning rate changes.',
      metavar='STEP,...', only_if=_PIECEWISE)
  learning_rate_values: Tuple[str, ...] = flag(
      (), 'Learning rate after each boundary; --learning_rate is the one '
      'before the first.', metavar='RATE,...', only_if=_PIECEWISE)
  cosine_alpha: float = flag(
      0.0, 'Minimum learning rate of cosine and cosine_restarts, as a fraction '
      'of the initial one; for the others the constant added to the linear '
      'decay.', at_least=0, at_most=1,
      only_if=_decay(*_COSINE, 'cosine_restarts'))
  cosine_t_mul: float = flag(
      2.0, 'Length of each period, as a multiple of the one before.',
      at_least=1, only_if=_RESTARTS)
  cosine_m_mul: float = flag(
      1.0, 'Initial learning rate of each period, as a fraction of that of the '
      'one before.', above=0, only_if=_RESTARTS)
  cosine_num_periods: float = flag(
      0.5, 'Number of periods of the cosine.', above=0, only_if=_LINEAR_COSINE)
  cosine_beta: float = flag(
      0.001, 'Constant added to the decayed learning rate, as a fraction of '
      'the initial one.', at_least=0, only_if=_LINEAR_COSINE)
  cosine_initial_variance: float = flag(
      1.0, 'Variance of the noise at step 0.', at_least=0, only_if=_NOISY)
  cosine_variance_decay: float = flag(
      0.55, 'Exponent of the decay of the variance, which is divided by '
      '(1+step)^exponent.', at_least=0, only_if=_NOISY)
