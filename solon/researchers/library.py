"""The sources that methods are composed of: plain numpy, and the problem's own student and losses.

axes: N transfer examples, M test examples, K classes, D features.

What cites no paper is our formulation. The order is that in which a method applies them: of those
around the student, the first stands closest to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Family = Literal[
    "self-training",
    "ensemble",
    "distillation",
    "data filtering",
    "confidence weighting",
    "loss function",
    "unsupervised elicitation",
    "curriculum",
    "model internal",
    "evolutionary",
    "other",
]
Place = Literal["data", "loss", "learn", "answer"]
Setting = int | float


class Entry(NamedTuple):
    """One source; of each setting's choices, the first is its default."""

    family: Family
    place: Place
    code: str
    choices: Mapping[str, tuple[Setting, ...]] = {}
    students: int = 1
    """How many times as many students it trains, at most."""


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

LEARNS = (
    Entry(
        "model internal",
        "learn",
        '''
def projected(problem, learn, *, size):
    """The student sees the first principal components of its features."""

    def learnt(inputs, targets, member, **changes):
        mean = inputs.mean(0)
        axes = np.linalg.svd(inputs - mean, full_matrices=False)[2][:size].T
        predict = learn((inputs - mean) @ axes, targets, member, **changes)
        return lambda inputs: predict((inputs - mean) @ axes)

    return learnt
''',
        {"size": (20, 10, 40)},
    ),
    Entry(
        "model internal",
        "learn",
        '''
def selected(problem, learn, *, size):
    """The student sees the features that vary most with the labels."""

    def learnt(inputs, targets, member, **changes):
        moved = (inputs - inputs.mean(0)).T @ (targets - targets.mean(0))
        seen = np.sort(np.argsort(-np.abs(moved).sum(1), kind="stable")[:size])
        return columns(learn, seen, inputs, targets, member, changes)

    return learnt
''',
        {"size": (10, 5, 20)},
    ),
    Entry(
        "other",
        "learn",
        '''
def brief(problem, learn, *, epochs):
    """Few epochs."""
    return lambda inputs, targets, member, **changes: learn(
        inputs, targets, member, **{**changes, "epochs": epochs}
    )
''',
        {"epochs": (2, 1, 4)},
    ),
    Entry(
        "model internal",
        "learn",
        '''
def hidden(problem, learn, *, width):
    """The student has a hidden layer."""
    return lambda inputs, targets, member, **changes: learn(
        inputs, targets, member, **{"hidden": width, **changes}
    )
''',
        {"width": (16, 64)},
    ),
    Entry(
        "other",
        "learn",
        '''
def early(problem, learn, *, level, epochs):
    """Few epochs, where the student they give departs from its labels more often than so."""

    def learnt(inputs, targets, member, **changes):
        predict = learn(inputs, targets, member, **{**changes, "epochs": epochs})
        if agreement(predict(inputs), targets) < level:
            return predict
        return learn(inputs, targets, member, **changes)

    return learnt
''',
        {"level": (0.8, 0.7, 0.9), "epochs": (2, 1)},
        2,
    ),
    Entry(
        "curriculum",
        "learn",
        '''
def staged(problem, learn, *, stages):
    """The surest labels first; each later stage's are half what the stage before says of them."""

    def learnt(inputs, targets, member, **changes):
        order, first = np.argsort(-targets.max(1), kind="stable"), len(targets) // stages
        predict = learn(inputs[order[:first]], targets[order[:first]], member, **changes)
        for stage in range(2, stages + 1):
            rows, taught = order[: len(targets) * stage // stages], targets.copy()
            later = rows[len(targets) * (stage - 1) // stages :]
            taught[later] = (targets[later] + predict(inputs[later])) / 2
            predict = learn(inputs[rows], taught[rows], member, **changes)
        return predict

    return learnt
''',
        {"stages": (3, 2, 4)},
        4,
    ),
    Entry(
        "curriculum",
        "learn",
        '''
def paced(problem, learn, *, stages):
    """The labels that a first student finds easy, then ever more of them, but for the hardest."""

    def learnt(inputs, targets, member, **changes):
        predict = learn(inputs, targets, member, **changes)
        for stage in range(1, stages + 1):
            loss = -(targets * np.log(predict(inputs) + 1e-9)).sum(1)
            count = int(len(targets) * (0.5 + 0.4 * stage / stages))
            rows = np.sort(np.argsort(loss, kind="stable")[:count])
            predict = learn(inputs[rows], targets[rows], member, **changes)
        return predict

    return learnt
''',
        {"stages": (2, 1, 3)},
        4,
    ),
    Entry(
        "self-training",
        "learn",
        '''
def self_trained(problem, learn, *, rounds, share):
    """Trained again, for some rounds, on labels of which a share is what the last round says."""

    def learnt(inputs, targets, member, **changes):
        predict = learn(inputs, targets, member, **changes)
        for _ in range(rounds):
            taught = (1 - share) * targets + share * predict(inputs)
            predict = learn(inputs, taught, member, **changes)
        return predict

    return learnt
''',
        {"rounds": (2, 1, 4), "share": (1.0, 0.75, 0.5)},
        5,
    ),
    Entry(
        "self-training",
        "learn",
        '''
def relabelled(problem, learn, *, rounds):
    """Trained again, for some rounds, on the classes that the last round gives."""

    def learnt(inputs, targets, member, **changes):
        predict = learn(inputs, targets, member, **changes)
        for _ in range(rounds):
            taught = np.eye(problem.classes)[predict(inputs).argmax(1)]
            predict = learn(inputs, taught, member, **changes)
        return predict

    return learnt
''',
        {"rounds": (1, 2, 4)},
        5,
    ),
    Entry(
        "self-training",
        "learn",
        '''
def co_trained(problem, learn, *, rounds):
    """Two students, each of one half of the features, teach each other (Blum & Mitchell, 1998)."""

    def learnt(inputs, targets, member, **changes):
        draw = np.random.default_rng([problem.seed, 2, member])
        halves = np.array_split(draw.permutation(inputs.shape[1]), 2)
        taught = [targets, targets]
        for _ in range(rounds + 1):
            pair = [
                columns(learn, half, inputs, one, member, changes)
                for half, one in zip(halves, taught)
            ]
            taught = [(targets + one(inputs)) / 2 for one in pair[::-1]]
        return averaged(pair)

    return learnt
''',
        {"rounds": (1, 2)},
        6,
    ),
    Entry(
        "evolutionary",
        "learn",
        '''
def evolved(problem, learn, *, generations):
    """The student's share of the labels evolves towards agreement on rows that were held out."""

    def learnt(inputs, targets, member, **changes):
        draw = np.random.default_rng([problem.seed, 3, member])
        half, other = np.array_split(draw.permutation(len(targets)), 2)
        said = learn(inputs, targets, member, **changes)(inputs)

        def trained(rows, share):
            taught = (1 - share) * targets[rows] + share * said[rows]
            return learn(inputs[rows], taught, member, **changes)

        best, fittest = 0.5, -1.0
        for generation in range(generations):
            for child in np.clip(best + draw.normal(size=2) / (2 + generation), 0, 1):
                fitness = agreement(trained(half, child)(inputs[other]), targets[other])
                if fitness > fittest:
                    best, fittest = child, fitness
        return trained(np.arange(len(targets)), best)

    return learnt
''',
        {"generations": (2, 1, 3)},
        8,
    ),
    Entry(
        "evolutionary",
        "learn",
        '''
def bred(problem, learn, *, generations):
    """Of three students of drawn rows, the one that fits the others' best labels the next."""

    def learnt(inputs, targets, member, **changes):
        draw, taught = np.random.default_rng([problem.seed, 4, member]), targets
        for _ in range(generations):
            litter = []
            for _ in range(3):
                half, other = np.array_split(draw.permutation(len(targets)), 2)
                predict = learn(inputs[half], taught[half], member, **changes)
                litter.append((agreement(predict(inputs[other]), targets[other]), predict))
            fittest = max(litter, key=lambda one: one[0])[1]
            taught = (targets + fittest(inputs)) / 2
        return learn(inputs, taught, member, **changes)

    return learnt
''',
        {"generations": (2, 1)},
        7,
    ),
    Entry(
        "ensemble",
        "learn",
        '''
def voted(problem, learn, *, count):
    """The mean of students with other draws."""
    return lambda inputs, targets, member, **changes: averaged(
        [learn(inputs, targets, member * 10 + k, **changes) for k in range(count)]
    )
''',
        {"count": (3, 5)},
        5,
    ),
    Entry(
        "ensemble",
        "learn",
        '''
def bagged(problem, learn, *, count):
    """The mean of students of bootstrapped rows (Breiman, 1996)."""

    def learnt(inputs, targets, member, **changes):
        draw, predicts = np.random.default_rng([problem.seed, 5, member]), []
        for k in range(count):
            rows = draw.integers(len(targets), size=len(targets))
            predicts.append(learn(inputs[rows], targets[rows], member * 10 + k, **changes))
        return averaged(predicts)

    return learnt
''',
        {"count": (3, 5)},
        5,
    ),
    Entry(
        "ensemble",
        "learn",
        '''
def scattered(problem, learn, *, count, share):
    """The mean of students that each see a drawn share of the features (Ho, 1998)."""

    def learnt(inputs, targets, member, **changes):
        draw, predicts = np.random.default_rng([problem.seed, 6, member]), []
        for k in range(count):
            seen = draw.permutation(inputs.shape[1])[: max(1, int(share * inputs.shape[1]))]
            predicts.append(columns(learn, seen, inputs, targets, member * 10 + k, changes))
        return averaged(predicts)

    return learnt
''',
        {"count": (5, 3), "share": (0.5, 0.25)},
        5,
    ),
    Entry(
        "distillation",
        "learn",
        '''
def distilled(problem, learn, *, teachers, temperature):
    """One student of what several say together, at a temperature (arXiv 1503.02531)."""

    def learnt(inputs, targets, member, **changes):
        each = [learn(inputs, targets, member * 10 + k, **changes) for k in range(1, teachers + 1)]
        taught = normalised(averaged(each)(inputs) ** (1 / temperature))
        return learn(inputs, taught, member, **changes)

    return learnt
''',
        {"teachers": (3, 2), "temperature": (1.0, 0.5, 2.0)},
        4,
    ),
    Entry(
        "distillation",
        "learn",
        '''
def condensed(problem, learn, *, width):
    """What a student with a hidden layer made of the labels teaches one without."""

    def learnt(inputs, targets, member, **changes):
        large = learn(inputs, targets, member, **{**changes, "hidden": width})
        return learn(inputs, large(inputs), member, **changes)

    return learnt
''',
        {"width": (32, 8)},
        2,
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

ENTRIES: tuple[Entry, ...] = (*DATA, *LOSSES, *LEARNS, *ANSWERS)
