"""Keeps the memory of batches for the next batches."""
import ctypes

# Names of the parameters in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
_NEVER_TRIM = 2 ** 31 - 1


def keep_freed_memory():
  """Makes this process keep the memory it frees, for what it allocates next.

  The C library returns blocks of over 32 MiB to the kernel, as a batch of 32
  pictures of 299 x 299 is one, and the kernel clears the pages of the next
  batch one by one: a fifth of the pipeline's time. So there is to be one heap
  for all threads, without a limit, that does not shrink. The process does not
  grow by it, but it stays as large as it once was. Threads that run already
  keep their heaps; with another C library than GNU's nothing happens.
  """
  try:
    set_parameter = ctypes.CDLL(None).mallopt
  except (OSError, AttributeError, TypeError):
    return
  set_parameter(_M_MMAP_MAX, 0)
  set_parameter(_M_TRIM_THRESHOLD, _NEVER_TRIM)
  set_parameter(_M_ARENA_MAX, 1)
