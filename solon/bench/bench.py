"""A bench: one part per role, and what it changes in which recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, get_args

from solon.errors import SettingError, at_least
from solon.oversight.debated import Debated
from solon.records import Compare, Completion, Mark
from solon.run.guard import Guard, Mode
from solon.run.spec import name_of, override
from solon.seams.classifying import ClassifierSpec, Task
from solon.seams.feedback import (
    Critic,
    Demonstrations,
    PairJudge,
    Policy,
    Prompts,
    Rater,
    Reward,
    Spec,
    World,
)
from solon.seams.learning import Learner, RewardLearner
from solon.text.refusal import Stance

ROLES = (
    "prompts",
    "red_team",
    "policy",
    "helpful",
    "reviser",
    "judge",
    "reward",
    "scorer",
    "demonstrations",
    "seed_data",
    "evaluations",
    "guided",
    "revised",
    "critic",
    "rival",
    "labels",
    "models",
    "rater",
    "marks",
    "tasks",
    "weak",
    "strong",
)

Measure = Callable[[Sequence[Completion]], Sequence[Mapping[str, float | None]]]
"""What a world says of each completion, by name; None where it does not apply."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One part per role. A recipe takes the parts that its fields name; the rest stays unused.

    ``choices`` are ready-made parts to pick by name (``judge=human``), ``settings`` what this bench
    changes in a recipe by name ({"canonical": {"climb": Climb(steps=60)}}), its own parts among it:
    they are then this bench's parts in that recipe. ``world``, ``tests``, ``evaluator``,
    ``held_out`` and ``probes`` are for the closing table and the watchers only: no recipe has such
    a field.

    Example:
        Bench(name="mine", policy=Transformer(model="base"), prompts=PromptFile(path="p.txt"))
    """

    name: str
    prompts: Spec[Prompts] | None = None
    """Where prompts come from."""
    red_team: Spec[Prompts] | None = None
    """Where prompts come from that ask for harm."""
    tests: Spec[Prompts] | None = None
    """Where the closing table's and the watchers' prompts come from; none is the test split of
    prompts."""
    policy: Spec[Learner] | None = None
    """What is trained."""
    helpful: Spec[Policy] | None = None
    """A helpful-only policy, whose answers are revised by principles."""
    reviser: Spec[Policy] | None = None
    """Who criticises and revises; none is the helpful policy itself."""
    judge: Spec[PairJudge] | None = None
    """Who compares."""
    reward: Spec[RewardLearner] | None = None
    """What learns the judge's preferences."""
    scorer: Spec[Reward] | None = None
    """Whose score is itself the reward."""
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates."""
    seed_data: Spec[Demonstrations] | None = None
    """The few demonstrations that self-improvement begins with, after that start."""
    evaluations: Spec[Demonstrations] | None = None
    """Judgements to imitate, as completions of the judge's own prompt."""
    guided: Spec[Demonstrations] | None = None
    """Demonstrations, some of them under guidance in their prompts."""
    revised: Spec[Demonstrations] | None = None
    """Demonstrations, some of them of how an answer is written again after a critique."""
    critic: Spec[Critic] | None = None
    """Who says what is wrong with a completion, and mends it if asked."""
    rival: Spec[Policy] | None = None
    """A stronger policy, whose answers are compared with the policy's own."""
    models: Spec[Sequence[Policy]] | None = None
    """The pool of models that a survey's drafts are written by."""
    rater: Spec[Rater] | None = None
    """Who rates several completions at once, aspect by aspect."""
    marks: Spec[Sequence[Mark]] | None = None
    """Completions that someone marked as desirable or not."""
    tasks: Spec[Sequence[Task]] | None = None
    """Classification tasks, whose test labels no recipe looks at."""
    weak: Spec[ClassifierSpec] | None = None
    """The weak supervisor."""
    strong: Spec[ClassifierSpec] | None = None
    """The student, and the ceiling."""
    labels: Spec[PairJudge] | None = None
    """Labels that people gave (``judge=human``)."""
    world: Spec[World] | None = None
    """The true reward, where it is known."""
    evaluator: Spec[PairJudge] | None = None
    """Who compares the result with the start, where there is no true reward."""
    measure: Measure | None = None
    """What the world says of completions, for the table and the watchers."""
    classify: Callable[[Completion], Stance] | None = None
    """What an answer does with its question, for the audit of evasiveness; none is word rules."""
    preaches: Callable[[Completion], int] | None = None
    """Marks of lecturing in an answer, for the audit of preachiness; none is word rules."""
    debate: Debated | None = None
    """Who argues before whom in ``solon debate``; settings["debate"] has rules by protocol."""
    disputes: Spec[Any] | None = None
    """Questions with two answers of the bench's own, for ``solon debate``."""
    questions: Callable[[int], Sequence[Compare]] | None = None
    """Seed to pairs that a live audit asks the judge about."""
    evaluate: int = 300
    """Test prompts of the closing table."""
    watch: int = 64
    """Test prompts that the watchers look at."""
    watch_every: int = 10
    """Steps between two looks of the watchers."""
    held_out: Spec[PairJudge] | None = None
    """Who compares the policy with its start while it trains, and has no part in the training."""
    probes: Sequence[Spec[Reward]] = ()
    """Rewards that have no part in the training: their disagreement is watched."""
    exploits: Callable[[Completion], bool] | None = None
    """Whether a completion shows a known exploit of the proxy; watched as a share."""
    guard: Guard = Guard()
    """Which signs ring while a policy trains, and whether a ring stops it (``guard=stop``)."""
    choices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def __post_init__(self) -> None:
        at_least(self, evaluate=1, watch=0, watch_every=1)


def compose(
    recipe: type[Any], bench: Bench, changes: Mapping[str, str], *, whole: bool = True
) -> tuple[Any, Bench]:
    """The recipe with the bench's parts, both changed as the shell asks.

    A key whose first name is a field of the bench goes there, every other one to the recipe. Raises
    SettingError where a part is missing, a key is unknown or a value cannot be read.
    """
    theirs = {key: text for key, text in changes.items() if head(key) in PARTS}
    own = {key: text for key, text in changes.items() if head(key) not in PARTS}
    bench = compose_bench(for_recipe(bench, name_of(recipe)), theirs)
    named = objectives(name_of(recipe))
    return override(fill(recipe, bench, whole=whole), own, choices=named), bench


def for_recipe(bench: Bench, name: str) -> Bench:
    """The bench with the parts that it changes for the recipe of that name."""
    changed = bench.settings.get(name, {})
    parts = {key: part for key, part in changed.items() if key in PARTS}
    rest = {key: value for key, value in changed.items() if key not in PARTS}
    return replace(bench, **parts, settings={**bench.settings, name: rest})


def compose_bench(bench: Bench, changes: Mapping[str, str]) -> Bench:
    """The bench with its parts changed."""
    heads = {head(key) for key in changes}
    bench = replace(bench, **dict(_woken(bench, heads)))
    # Labels first: `judge=human` hands them over as they are by then.
    bench = override(bench, {k: v for k, v in changes.items() if head(k) == "labels"})
    others = {key: text for key, text in changes.items() if head(key) != "labels"}
    return override(bench, others, choices=parts_by_name(bench))


def parts_by_name(bench: Bench) -> Mapping[str, Mapping[str, Any]]:
    """What may be chosen by name for each role; people's labels are a judge called ``human``."""
    found = {role: dict(named) for role, named in bench.choices.items()}
    if bench.labels is not None:
        found.setdefault("judge", {})["human"] = bench.labels
    modes: tuple[Mode, ...] = get_args(Mode)
    found["guard"] = {mode: replace(bench.guard, mode=mode) for mode in modes}
    return found


def head(key: str) -> str:
    """The first name of a dotted key."""
    return key.partition(".")[0]


def _woken(bench: Bench, heads: set[str]) -> Iterator[tuple[str, Any]]:
    """A part that is none becomes the only choice there is as soon as one of its keys is set."""
    for role, named in bench.choices.items():
        if role in heads and getattr(bench, role) is None and len(named) == 1:
            yield role, next(iter(named.values()))


def fill(recipe: type[Any], bench: Bench, *, whole: bool = True) -> Any:
    """The recipe with the bench's part in every field that names a role.

    Raises SettingError where a part is missing, unless the recipe need not be ``whole``.
    """
    name = name_of(recipe)
    given: dict[str, Any] = dict(bench.settings.get(name, {}))
    for one in fields(recipe):
        part = getattr(bench, one.name, None) if one.name in ROLES else None
        if part is not None:
            given.setdefault(one.name, part)
        elif one.name in ROLES and one.default is MISSING:
            if whole:
                raise SettingError(_missing(name, one.name, bench))
            given[one.name] = None
    return recipe(**given)


def _missing(recipe: str, role: str, bench: Bench) -> str:
    ready = bench.choices.get(role, {})
    ways = [
        f"{role}.path=FILE" if hasattr(part, "path") else f"{role}={name}"
        for name, part in sorted(ready.items())
    ]
    hint = f"set {' or '.join(ways)}" if ways else "give the bench one"
    return f"{recipe} needs {role}, and the bench {bench.name!r} has none: {hint}"


def objectives(recipe: str) -> Mapping[str, Mapping[str, Any]]:
    """The variants of a loss by the key they are set at: ``climb.objective=grpo``."""
    if recipe == "weak_to_strong":
        from solon.objectives.weak import Confidence, Naive, ProductOfExperts

        confidence = {"confidence": Confidence(), "confidence_repo": Confidence.of_repo()}
        return {"objective": {"naive": Naive(), "product": ProductOfExperts(), **confidence}}
    from solon.objectives.noise import CDPO, R3M, RDPO, NrDPO, Trimmed
    from solon.objectives.pairwise import DPO, IPO, ORPO, Hinge, SimPO
    from solon.objectives.policy import DAPO, GRPO, PPO, REINFORCE, RLOO, DrGRPO

    climbs = (REINFORCE, RLOO, PPO, GRPO, DrGRPO, DAPO)
    pairs = (DPO, IPO, Hinge, SimPO, ORPO, CDPO, RDPO, R3M, Trimmed, NrDPO)
    of_rollouts = {kind.__name__.lower(): kind() for kind in climbs}
    of_pairs = {kind.__name__.lower(): kind() for kind in pairs}
    of_pairs["nrdpo_gated"] = NrDPO.gated()
    return {
        "climb.objective": of_rollouts,
        "reinforce.climb.objective": of_rollouts,
        "prefer.objective": of_pairs,
        "people.objective": of_pairs,
        "ai.objective": of_pairs,
        "objective": of_pairs,
    }


PARTS = {field.name for field in fields(Bench)}
