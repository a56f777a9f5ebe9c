"""'Did you mean ...?' for names that are not known."""
import difflib
from typing import Iterable, List


def nearest(name: str, known: Iterable[str], count: int = 1,
            cutoff: float = 0.6) -> List[str]:
  """Returns the known names that are most like a name, the nearest first.

  Args:
    name: what was given; capitals do not matter.
    known: the names that would have been understood.
    count: number of names to return at most.
    cutoff: least similarity, from 0 (anything) to 1 (the name itself).
  """
  by_lower = {str(one).lower(): str(one) for one in known}
  return [by_lower[match] for match in difflib.get_close_matches(
      str(name or '').lower(), by_lower, n=count, cutoff=cutoff)]


def hint(name: str, known: Iterable[str], count: int = 1, cutoff: float = 0.6,
         prefix: str = '') -> str:
  """Returns '; did you mean X?' for a message, '.' where nothing is near.

  Args:
    name, known, count, cutoff: as for `nearest`.
    prefix: what stands before each name, such as '--'.
  """
  near = nearest(name, known, count, cutoff)
  if not near:
    return '.'
  return '; did you mean %s?' % ' or '.join(prefix + one for one in near)
