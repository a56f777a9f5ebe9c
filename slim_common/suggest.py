"""'Did you mean ...?' for names that are not known."""
import difflib
from typing import Iterable, List


def nearest(name: str, known: Iterable[str], count: int = 1,
            cutoff: float = 0.6) -> List[str]:
  """Returns the known names most similar to a name, the nearest first.

  Args:
    name: the unknown name; case does not matter.
    known: the valid names.
    count: maximum number of names to return.
    cutoff: minimum similarity, from 0 (anything) to 1 (the name itself).
  """
  by_lower = {str(one).lower(): str(one) for one in known}
  return [by_lower[match] for match in difflib.get_close_matches(
      str(name or '').lower(), by_lower, n=count, cutoff=cutoff)]


def hint(name: str, known: Iterable[str], count: int = 1, cutoff: float = 0.6,
         prefix: str = '') -> str:
  """Returns '; did you mean X?' for a message, or '.' if nothing is near.

  Args:
    name, known, count, cutoff: as for `nearest`.
    prefix: string before each name, such as '--'.
  """
  near = nearest(name, known, count, cutoff)
  if not near:
    return '.'
  return '; did you mean %s?' % ' or '.join(prefix + one for one in near)
