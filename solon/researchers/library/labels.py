"""What is done to the weak labels before a student learns them, and to its answer after.

axes: N transfer examples, M test examples, K classes, D features.
"""

from __future__ import annotations

from solon.researchers.library.entry import Entry

DATA = (
    Entry(
        "confidence weighting",
        "data",
        '''
def tempered(problem, inputs, targets, *, temperature):
    """Weak labels at another temperature."""
    return inputs, normalised(targets ** (1 / temperature))
''',
        {"temperature": (2.0, 0.5, 4.0)},
    ),
    Entry(
        "confidence weighting",
        "data",
        '''
def calibrated(problem, inputs, targets):
    """Weak labels at the temperature at which they are as sure as a student agrees with them."""
    agrees = agreement(crossed(problem, inputs, targets), targets)
    each = [normalised(targets ** (1 / one)) for one in np.geomspace(0.25, 8, 21)]
    return inputs, min(each, key=lambda one: abs(one.max(1).mean() - agrees))
''',
    ),
    Entry(
        "unsupervised elicitation",
        "data",
        '''
def neighbouring(problem, inputs, targets, *, count):
    """Each label is the mean of the weak labels of the nearest rows in the student's view."""
    said, length = np.zeros_like(targets), (inputs**2).sum(1)
    for rows in np.array_split(np.arange(len(targets)), 1 + len(targets) // 500):
        distances = length - 2 * inputs[rows] @ inputs.T
        near = np.argsort(distances, axis=1, kind="stable")[:, :count]
        said[rows] = targets[near].mean(1)
    return inputs, said
''',
        {"count": (15, 5, 40)},
    ),
    Entry(
        "unsupervised elicitation",
        "data",
        '''
def clustered(problem, inputs, targets, *, count):
    """Half of each label is the mean weak label of its cluster (k-means in the student's view)."""
    draw = np.random.default_rng([problem.seed, 1])
    centres = inputs[draw.permutation(len(inputs))[:count]]
    for _ in range(10):
        near = ((centres**2).sum(1) - 2 * inputs @ centres.T).argmin(1)
        member = np.eye(len(centres))[near]
        centres = (member.T @ inputs + 1e-9 * centres) / (member.sum(0) + 1e-9)[:, None]
    means = (member.T @ targets) / np.maximum(member.sum(0), 1)[:, None]
    return inputs, (targets + means[near]) / 2
''',
        {"count": (16, 8, 32)},
    ),
    Entry(
        "data filtering",
        "data",
        '''
def confident(problem, inputs, targets, *, level):
    """Only weak labels whose likeliest class has more than so much."""
    rows = highest(targets.max(1), level)
    return inputs[rows], targets[rows]
''',
        {"level": (0.75, 0.65, 0.9)},
    ),
    Entry(
        "data filtering",
        "data",
        '''
def agreeing(problem, inputs, targets):
    """Only labels whose class a student of the other half finds likely too."""
    said = crossed(problem, inputs, targets)
    rows = highest(said[np.arange(len(said)), targets.argmax(1)], 0.5)
    return inputs[rows], targets[rows]
''',
    ),
    Entry(
        "loss function",
        "data",
        '''
def hardened(problem, inputs, targets):
    """The labels' classes without their probabilities."""
    return inputs, np.eye(problem.classes)[targets.argmax(1)]
''',
    ),
    Entry(
        "loss function",
        "data",
        '''
def smoothed(problem, inputs, targets, *, share):
    """A share of each label goes to all classes alike."""
    return inputs, (1 - share) * targets + share / problem.classes
''',
        {"share": (0.2, 0.1, 0.4)},
    ),
)

ANSWERS = (
    Entry(
        "other",
        "answer",
        '''
def balanced(problem, answer):
    """The classes' shares of the answer become those of the weak labels."""
    for _ in range(30):
        answer = answer * problem.weak_labels.mean(0) / np.maximum(answer.mean(0), 1e-9) + 1e-12
        answer = normalised(answer)
    return answer
''',
    ),
)
