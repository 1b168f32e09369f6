"""Losses, each cross-entropy against a target of the weak labels and the student.

axes: N items of a batch, K classes.
"""

from __future__ import annotations

from solon.researchers.library.entry import Entry

LOSSES = (
    Entry(
        "loss function",
        "loss",
        '''
def naive(problem):
    """Cross-entropy against the labels as they are."""
    return problem.objectives.naive()
''',
    ),
    Entry(
        "loss function",
        "loss",
        '''
def confidence(problem, *, most, warmup):
    """The student's own hardened classes take a share of the label (arXiv 2312.09390, A.4)."""
    return problem.objectives.confidence(most=most, warmup=warmup)
''',
        {"most": (0.75, 0.5, 0.25), "warmup": (0.2, 0.1, 0.5)},
    ),
    Entry(
        "loss function",
        "loss",
        '''
def product(problem, *, student, weak):
    """The student's opinion times the label's, each to a power (code of arXiv 2312.09390)."""
    return problem.objectives.product(student=student, weak=weak)
''',
        {"student": (1.0, 0.5), "weak": (1.0, 0.5, 2.0)},
    ),
    Entry(
        "loss function",
        "loss",
        '''
def bootstrapped(problem, *, share):
    """A share of the label is what the student says, softly (arXiv 1412.6596)."""
    return Target(lambda x: (1 - share) * x.weak + share * x.logits.softmax(-1))
''',
        {"share": (0.4, 0.2, 0.6)},
    ),
    Entry(
        "confidence weighting",
        "loss",
        '''
def weighted(problem, *, power):
    """Each label's gradient counts as much as the label is sure."""
    chance = 1 / problem.classes

    def target(x):
        weight = ((x.weak.amax(-1, keepdim=True) - chance) / (1 - chance)).clamp(0, 1) ** power
        return weight * x.weak + (1 - weight) * x.logits.softmax(-1)

    return Target(target)
''',
        {"power": (1.0, 0.5, 2.0)},
    ),
    Entry(
        "data filtering",
        "loss",
        '''
def trimmed(problem, *, share):
    """After a fifth of training, the share of each batch with the highest loss is left out."""

    def target(x):
        if x.progress < 0.2:
            return x.weak
        loss = -(x.weak * x.logits.log_softmax(-1)).sum(-1, keepdim=True)
        left_out = loss > loss.quantile(1 - share)
        return x.weak.where(~left_out, x.logits.softmax(-1))

    return Target(target)
''',
        {"share": (0.2, 0.1, 0.4)},
    ),
)
