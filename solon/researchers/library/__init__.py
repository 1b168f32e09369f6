"""The sources that methods are composed of: plain numpy, and the problem's own student and losses.

What cites no paper is our formulation. The order is that in which a method applies them: of those
around the student, the first stands closest to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from solon.researchers.library.entry import Entry, Family, Place, Setting
from solon.researchers.library.labels import ANSWERS, DATA
from solon.researchers.library.losses import LOSSES
from solon.researchers.library.students import STUDENTS
from solon.researchers.library.teachers import TEACHERS

__all__ = ["ENTRIES", "HELPERS", "Entry", "Family", "Place", "Setting"]

ENTRIES: tuple[Entry, ...] = (*DATA, *LOSSES, *STUDENTS, *TEACHERS, *ANSWERS)
HELPERS: Mapping[str, str] = {
    "normalised": """
def normalised(rows):
    return rows / rows.sum(1, keepdims=True)
""",
    "highest": '''
def highest(scores, level):
    """The rows whose score is above the level, and never fewer than eight."""
    count = max(8, int((scores > level).sum()))
    return np.sort(np.argsort(-scores, kind="stable")[:count])
''',
    "crossed": '''
def crossed(problem, inputs, targets):
    """What a student of the other half says of each row."""
    order = np.random.default_rng([problem.seed, 7]).permutation(len(targets))
    said, halves = np.zeros_like(targets), np.array_split(order, 2)
    for half, other in (halves, halves[::-1]):
        student = problem.student()
        student.fit(inputs[other], targets[other], problem.objectives.naive())
        said[half] = student.predict(inputs[half])
    return said
''',
    "averaged": """
def averaged(predicts):
    return lambda inputs: sum(one(inputs) for one in predicts) / len(predicts)
""",
    "agreement": '''
def agreement(answer, targets):
    """How often both have the same likeliest class."""
    return float((answer.argmax(1) == targets.argmax(1)).mean())
''',
    "columns": '''
def columns(learn, seen, inputs, targets, member, changes):
    """A student that sees these features only."""
    predict = learn(inputs[:, seen], targets, member, **changes)
    return lambda inputs: predict(inputs[:, seen])
''',
    "Target": '''
class Target:
    """Cross-entropy against a target of the weak labels and of what the student says."""

    asks_student = True

    def __init__(self, target):
        self.target = target
''',
}
