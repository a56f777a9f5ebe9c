"""The cluster as the environment variable TF_CONFIG describes it.

Schedulers of TensorFlow jobs set it in every process:

  {"cluster": {"chief": ["a:2222"], "worker": ["b:2222"], "ps": ["c:2222"]},
   "task": {"type": "worker", "index": 0}}

The chief is worker 0 here, and the workers follow.
"""
import dataclasses
import json
import os

_CHIEFS = ('chief', 'master')


def apply(options, environment=None):
  """Returns an `options.Deployment` completed by TF_CONFIG.

  Flags win: with --worker_hosts, --ps_hosts or --master it is ignored.

  Args:
    options: an `options.Deployment`.
    environment: dict of the environment; None for that of this process.

  Raises:
    ValueError: TF_CONFIG is not JSON of this form.
  """
  text = (os.environ if environment is None else environment).get('TF_CONFIG')
  if not text or options.worker_hosts or options.ps_hosts or options.master:
    return options
  try:
    config = json.loads(text)
    cluster, task = config.get('cluster') or {}, config.get('task') or {}
    jobs = {job: tuple(cluster.get(job, ())) for job in _CHIEFS + (
        'worker', 'ps')}
    job, index = task.get('type', 'worker'), int(task.get('index', 0))
  except (ValueError, AttributeError, TypeError) as error:
    raise ValueError(
        'TF_CONFIG=%s is not of the form {"cluster": {"worker": ["HOST:PORT", '
        '...]}, "task": {"type": "worker", "index": 0}}: %s. Correct it, or '
        'unset it and give --worker_hosts and --task.' % (text, error))
  if not any(jobs.values()):
    return options
  if job not in jobs:
    raise ValueError(
        'TF_CONFIG has the task type %r; it must be chief, worker or ps. Start '
        'eval_image_classifier.py for an evaluator.' % job)
  chiefs = jobs['chief'] + jobs['master']
  if job == 'worker':
    index += len(chiefs)
  return dataclasses.replace(
      options, worker_hosts=chiefs + jobs['worker'], ps_hosts=jobs['ps'],
      job_name='ps' if job == 'ps' else 'worker', task=index)
