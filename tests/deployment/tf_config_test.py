"""TF_CONFIG in place of the flags of the cluster."""
import json
import re

import pytest

from deployment import tf_config
from image_classifier import options

_CLUSTER = {'chief': ['a:1'], 'worker': ['b:1', 'c:1'], 'ps': ['d:1']}


def _apply(config, **flags):
  text = config if isinstance(config, str) else json.dumps(config)
  return tf_config.apply(
      options.train.Deployment(**flags), {'TF_CONFIG': text})


@pytest.mark.parametrize('kind, index, job, task', [
    ('chief', 0, 'worker', 0), ('worker', 1, 'worker', 2), ('ps', 0, 'ps', 0)])
def test_chief_is_worker_0(kind, index, job, task):
  found = _apply({'cluster': _CLUSTER, 'task': {'type': kind, 'index': index}})
  assert found == options.train.Deployment(
      worker_hosts=('a:1', 'b:1', 'c:1'), ps_hosts=('d:1',), job_name=job,
      task=task)


def test_workers_alone():
  found = _apply({'cluster': {'worker': ['b:1', 'c:1']},
                  'task': {'type': 'worker', 'index': 1}})
  assert (found.worker_hosts, found.ps_hosts, found.task) == (
      ('b:1', 'c:1'), (), 1)


@pytest.mark.parametrize('config, flags', [
    ('', {}), ({}, {}), ({'task': {'type': 'worker', 'index': 3}}, {}),
    ({'cluster': _CLUSTER}, {'worker_hosts': ('e:1',)}),
    ({'cluster': _CLUSTER}, {'master': 'grpc://e:1'})])
def test_flags_win_and_no_cluster_changes_nothing(config, flags):
  assert _apply(config, **flags) == options.train.Deployment(**flags)


@pytest.mark.parametrize('config, message', [
    ('{', 'TF_CONFIG={ is not of the form {"cluster": {"worker": '
     '["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}}: '),
    ('[1]', 'TF_CONFIG=[1] is not of the form'),
    ({'cluster': _CLUSTER, 'task': {'type': 'evaluator'}},
     "TF_CONFIG has the task type 'evaluator'; it must be chief, worker or ps. "
     'Start eval_image_classifier.py for an evaluator.')])
def test_messages(config, message):
  with pytest.raises(ValueError, match=re.escape(message)):
    _apply(config)
