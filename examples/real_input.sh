#!/bin/sh
# Real input from end to end on a small CPU: a model from scratch, people's labels, a judge behind a
# server. Figures of one such run: docs/real-input.md.
#
#   DATA=../shared/data sh examples/real_input.sh
set -eu
: "${DATA:=../shared/data}"
HH=$DATA/hh_rlhf_harmless_test/harmless-base_test.jsonl.gz
STORIES=$DATA/squality/v1-3/txt/train.jsonl.gz

final() { # the policy of the newest run whose folder's name fits
  ls -td runs/*-"$1"-* | head -1 | sed 's|$|/policies/final|'
}

# 1. A model from scratch: 1.9 million parameters, byte-level BPE, two books.
solon run supervised --on local \
  policy.tokenizer="$STORIES" \
  policy.shape.hidden=128 policy.shape.layers=4 policy.shape.vocab=4096 \
  demonstrations.path="$DATA/grimm_tales/2591-0.txt.gz,$STORIES" \
  imitate.batch=16 imitate.adam.lr=3e-3 imitate.adam.schedule=cosine imitate.adam.steps=310
rm -rf stories && cp -r "$(final supervised-local)" stories

# 2. The form of a dialogue: imitate the chosen answers (those of test prompts are left out).
solon run supervised --on local policy.model=stories \
  demonstrations.path="$HH" prompts.path="$HH" evaluate=40 policy.max_new_tokens=64 \
  imitate.batch=16 imitate.epochs=2 imitate.adam.lr=1e-3
rm -rf talks && cp -r "$(final supervised-local)" talks

# 3. RLHF from people's labels.
solon run canonical --on local policy.model=talks prompts.path="$HH" \
  judge=human labels.path="$HH" policy.max_new_tokens=48 \
  fit_reward.batch=16 fit_reward.holdout=0.333 fit_reward.adam.lr=2e-4 \
  climb.steps=30 climb.batch=16 climb.group=4 climb.adam.lr=2e-4 evaluate=132
