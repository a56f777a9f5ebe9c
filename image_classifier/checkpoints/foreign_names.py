"""Variables of checkpoints under other names: a prefix, another root scope."""
from typing import Collection, Dict, Iterable, Optional

# The last parts of the names of batch normalization's moving statistics.
STATISTICS = ('moving_mean', 'moving_variance')
_AVERAGE = '/ExponentialMovingAverage'
# The fraction of a network's variables that makes a scope the network's.
_MIN_FRACTION_FOUND = 0.9
# The first scope of networks whose name it does not tell.
_NETWORKS = {
    'AlexNet': 'alexnet_v2', 'CifarNet': 'cifarnet', 'LeNet': 'lenet',
    'InceptionV1': 'inception_v1', 'InceptionV2': 'inception_v2',
    'InceptionV3': 'inception_v3', 'InceptionV4': 'inception_v4',
    'InceptionResnetV2': 'inception_resnet_v2',
    'MobilenetV1': 'mobilenet_v1', 'MobilenetV2': 'mobilenet_v2',
    'MobilenetV3': 'mobilenet_v3_large', 'MobilenetEdgeTPU': 'mobilenet_edgetpu'}
_NAMED_LIKE_THEIR_SCOPE = ('resnet_v', 'vgg_', 'alexnet_v2', 'overfeat')


def find(name: str, theirs: Collection[str],
         scope: Optional[str] = None) -> Optional[str]:
  """Returns the name in a checkpoint of a variable; None if it is not there.

  1. Without a scope, the name itself; with one, the name inside it, or the
     scope in the place of the name's first part.
  2. Of these, what has only been saved as a moving average.

  Args:
    name: the variable's name in the network.
    theirs: the names in the checkpoint.
    scope: --checkpoint_scope.
  """
  names = [name]
  if scope:
    names = ['%s/%s' % (scope.strip('/'), part)
             for part in (name, name.split('/', 1)[-1])]
  for candidate in names + [candidate + _AVERAGE for candidate in names]:
    if candidate in theirs:
      return candidate
  return None


def is_statistic(name: str) -> bool:
  """Returns whether a variable is a moving statistic of batch normalization."""
  if name.endswith(_AVERAGE):
    name = name[:-len(_AVERAGE)]
  return name.split('/')[-1] in STATISTICS


def explain(ours: Iterable[str], theirs: Dict) -> Optional[str]:
  """Returns what a checkpoint is that lacks variables, and what to type.

  Args:
    ours: the names of the network's variables.
    theirs: dict by name of the checkpoint's variables.

  Returns:
    A sentence; None if nothing is known about it.
  """
  ours = sorted(ours)
  scope = _scope_of(ours, theirs)
  if scope is not None:
    return ('It holds %s, this network is %s: --checkpoint_scope=%s loads '
            'them.' % (_example(ours, theirs, scope), ours[0], scope))
  for root in sorted({name.split('/')[0] for name in theirs}):
    network = _NETWORKS.get(root) or (
        root if root.startswith(_NAMED_LIKE_THEIR_SCOPE) else None)
    if network and not ours[0].startswith(root + '/'):
      return ('It holds the scope %s, a network such as --model_name=%s; this '
              'one is %s.' % (root, network, ours[0].split('/')[0]))
  return None


def _scope_of(ours, theirs):
  """Returns the scope under which most of the variables are, or None."""
  parts = [part for name in ours[:3] + ours[-3:]
           for part in (name, name.split('/', 1)[-1])]
  scopes = {other[:-len(part)].strip('/') for part in parts for other in theirs
            if ('/' + other).endswith('/' + part)}
  for scope in sorted(scopes):
    found = sum(find(name, theirs, scope) is not None for name in ours)
    if scope and found >= _MIN_FRACTION_FOUND * len(ours):
      return scope
  return None


def _example(ours, theirs, scope):
  return next(find(name, theirs, scope) for name in ours
              if find(name, theirs, scope))
