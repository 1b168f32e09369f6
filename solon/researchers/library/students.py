"""How one student learns: what it sees of its features, how long, and in which order.

axes: N transfer examples, M test examples, K classes, D features.
"""

from __future__ import annotations

from solon.researchers.library.entry import Entry

STUDENTS = (
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
)
