"""Rules from the scopes of a network's layers to the names in another file."""
import collections
import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence

# What follows the number of a branch in Inception networks: the layer in it.
_BRANCH = re.compile(r'^(.*Branch_\d+)/[^/]+$')


class Rule(NamedTuple):
  """How the layers whose scopes match a pattern are called elsewhere.

  In `conv` and `norm`, {1} is the first group of the pattern, {1-} one less and
  {1+} one more; {i} is the index of the layer among those of its branch, {n}
  among all convolutions with batch normalization, {c} among all.

  Attributes:
    pattern: regular expression for a scope without the network's root.
    conv: name of the convolution, or of the fully connected layer.
    norm: name of its batch normalization, or of one without a convolution.
    index: index of the layer in its branch, if the rule is for one only.
  """
  pattern: str
  conv: Optional[str] = None
  norm: Optional[str] = None
  index: Optional[int] = None


class Names(NamedTuple):
  """What a layer is called elsewhere; None for what it does not have."""
  conv: Optional[str]
  norm: Optional[str]


class _Text(str):
  """A group of a match, whose number the formats {1-} and {1+} change."""

  def __format__(self, how):
    return str(int(self) + {'-': -1, '+': 1}[how]) if how else str(self)


def positions(scopes: Iterable[str]) -> Dict[str, int]:
  """Returns the index of each layer among those of its branch."""
  counts = collections.Counter()
  found = {}
  for scope in scopes:
    match = _BRANCH.match(scope)
    if match:
      found[scope] = counts[match.group(1)]
      counts[match.group(1)] += 1
  return found


def of_layers(layers, rules: Sequence[Rule]):
  """Yields (layer, its `Names` or None) for the layers of a network."""
  places = positions(layer.title for layer in layers)
  number = count = 0
  for layer in layers:
    yield layer, find(
        layer.title, rules, places.get(layer.title, 0), number, count)
    number += bool(layer.conv and layer.norm)
    count += bool(layer.conv)


def is_auxiliary(scope: str) -> bool:
  """Returns whether a layer is of a head that only training needs."""
  return scope.lower().startswith('aux')


def find(scope: str, rules: Sequence[Rule], index: int = 0,
         number: int = 0, count: int = 0) -> Optional[Names]:
  """Returns the names of a layer by the first rule that fits, or None."""
  for rule in rules:
    match = re.fullmatch(rule.pattern, scope)
    if match and rule.index in (None, index):
      groups = [_Text(group or '') for group in match.groups()]
      # The format {1-} is {1:-} to Python.
      texts = [text and re.sub(r'\{(\d+)([-+])\}', r'{\1:\2}', text).format(
          scope, *groups, i=index, n=number, c=count)
               for text in (rule.conv, rule.norm)]
      return Names(*texts)
  return None


def table(names: Dict[str, str], norm: Optional[str] = None) -> List[Rule]:
  """Returns a rule for each scope of a dict {scope: name}.

  Args:
    names: the dict.
    norm: what is appended to a name for the batch normalization.
  """
  return [Rule(re.escape(scope), name, norm and name + norm)
          for scope, name in names.items()]
