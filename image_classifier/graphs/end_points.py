"""End points of networks by their names."""
from slim_common import suggest


def find(end_points, name):
  """Returns the tensor of an end point.

  Args:
    end_points: dict {name: tensor} of a network.
    name: name of the end point.

  Raises:
    ValueError: the network has none of this name.
  """
  if name in end_points:
    return end_points[name]
  near = suggest.hint(name, end_points, 3, cutoff=0.4)
  raise ValueError('The network has no end point %s%s' % (
      name, '; it has %s.' % ', '.join(end_points) if near == '.' else near))
