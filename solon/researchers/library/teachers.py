"""How several students make one: each other's teachers, votes and descendants.

axes: N transfer examples, M test examples, K classes, D features.
"""

from __future__ import annotations

from solon.researchers.library.entry import Entry

TEACHERS = (
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
