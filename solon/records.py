"""What a run says: frozen records, each with a worked example.

    Prompt -> Completion -> Group -> Compare | Rate | Rank | Assess -> Judgement
           -> Preference | Mark | Rollout
    Prediction                                          of a classifier, where nothing is written
    Compare -> Speech -> Transcript                     of a game between models
    TreeRound -> TreeDebate                             of a claim and its subclaims

All nouns stand in this one file, however long: it is the map of the house, and a shard's type is
looked up here and nowhere else. Log-probabilities are in nats. A record never holds a live object,
so each can be written to parquet and read back (``solon.run.shards``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

Role = Literal["system", "user", "assistant", "text"]
Finish = Literal["stop", "length", "filter"]
Part = Literal["transfer", "test"]
Verdict = Literal["pass", "warn", "inconclusive", "measured"]


def digest(*parts: object) -> str:
    """Sixteen hex digits that change when any part does (blake2b over the parts' reprs)."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn. The role ``text`` marks a raw prompt that no chat template may touch.

    Example:
        Message(role="user", text="How do I boil an egg?")
    """

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a policy answers. ``facts`` are what the world knows of it (never shown to a model).

    Example:
        Prompt(id="egg", messages=(Message(role="user", text="How do I boil an egg?"),),
               facts=(("kind", "benign"),))
    """

    id: str
    messages: tuple[Message, ...]
    facts: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str, *, id: str = "", role: Role = "user") -> Prompt:  # noqa: A002 - the field's name
        """A prompt of one message; without an id its digest names it."""
        return cls(id=id or digest(role, text), messages=(Message(role=role, text=text),))

    @property
    def text(self) -> str:
        """What a reader would see: the turns, joined by blank lines."""
        return "\n\n".join(message.text for message in self.messages)

    def fact(self, name: str, default: str = "") -> str:
        """The world's fact of that name."""
        return dict(self.facts).get(name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer, and the exact weights that gave it.

    ``policy`` is name@version and changes whenever the weights do. ``logps[t]`` is the
    log-probability in nats of ``tokens[t]`` under the policy at its sampling temperature (before
    any top-p or top-k cut); the last token is EOS when ``finish`` is ``stop``.

    Example:
        Completion(prompt=p, text="abba", policy="tiny@12", tokens=(1, 2, 2, 1, 0),
                   logps=(-0.7, -0.3, -0.9, -1.1, -0.2), finish="stop")
    """

    prompt: Prompt
    text: str
    policy: str = ""
    tokens: tuple[int, ...] = ()
    logps: tuple[float, ...] = ()
    finish: Finish = "stop"
    note: str = ""  # why there is no text, where finish is "filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Siblings: completions of one prompt, in the order drawn.

    Example:
        Group(completions=(a, b))   # a.prompt == b.prompt
    """

    completions: tuple[Completion, ...]

    @property
    def prompt(self) -> Prompt:
        return self.completions[0].prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Which of two is better? The order is part of the question.

    Example:
        Compare(first=a, second=b)          # .swapped() is Compare(first=b, second=a)
    """

    first: Completion
    second: Completion

    def swapped(self) -> Compare:
        return Compare(first=self.second, second=self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How good is one completion, on the judge's scale?

    Example:
        Rate(completion=a)
    """

    completion: Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """In which order do these completions stand? The order shown is part of the question.

    Example:
        Rank(completions=(a, b, c))
    """

    completions: tuple[Completion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assess:
    """How good is each of these completions in one aspect? The order shown is part of the question.

    ``knowledge`` is what the rater, and no policy, is told of the matter: a reference answer.

    Example:
        Assess(completions=(a, b, c, d), aspect="honesty")
    """

    completions: tuple[Completion, ...]
    aspect: str
    knowledge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefers:
    """An answer to Compare: the probability that the first is better.

    ``orders`` keeps p(first) of each single pass, in the frame of the question: the pass as asked,
    then the swapped one turned back. Their gap is the judge's position bias.

    Example:
        Prefers(p_first=0.7, orders=(0.9, 0.5))
    """

    p_first: float
    orders: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """An answer to Rate: the expected score, and the distribution over the scale's steps.

    Example:
        Scores(value=7.4, distribution=(0, 0, 0, 0, 0, 0.2, 0.3, 0.4, 0.1, 0))    # scale 1..10
    """

    value: float
    distribution: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """An answer to Rank: indices into the question's completions, best first.

    Example:
        Ranks(order=(2, 0, 1))
    """

    order: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstains:
    """No answer, and why. Never a tie, never a zero, never the lowest score.

    Example:
        Abstains(reason="no verdict in the reply")
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What was said of one completion in one aspect: each rating stands or abstains on its own.

    Example:
        Rating(answer=Scores(value=4.0), rationale="It says what it does not know.")
    """

    answer: Scores | Abstains
    rationale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """An answer to Assess: one rating of each completion, in the order shown.

    Example:
        Ratings(ratings=(Rating(answer=Scores(value=2.0)), Rating(answer=Abstains(reason="N/A"))))
    """

    ratings: tuple[Rating, ...]


Question = Compare | Rate | Rank | Assess
Answer = Prefers | Scores | Ranks | Ratings
Q = TypeVar("Q", bound=Question)
A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(Generic[Q, A]):
    """What one judge said to one question, and everything that made it say so.

    ``digest`` addresses the question as it was asked: the judge's id (server, model, words), whole
    messages, and the sample or the choices; sampling settings stand in the manifest and in a
    label's ``provenance``. ``seed`` is what the principle was drawn with:
    ``constitution.draw(seed)`` is that principle.

    Example:
        Judgement(question=Compare(first=a, second=b), answer=Prefers(p_first=0.8),
                  judge="qwen3-8b/pairwise@91c2", principle="harmless-3", raw="1", digest="0f...")
    """

    question: Q
    answer: A | Abstains
    judge: str
    principle: str = ""
    rationale: str = ""
    raw: str = ""
    digest: str = ""
    seed: int = 0


PairJudgement: TypeAlias = Judgement[Compare, Prefers]
ScoreJudgement: TypeAlias = Judgement[Rate, Scores]
RankJudgement: TypeAlias = Judgement[Rank, Ranks]
Assessment: TypeAlias = Judgement[Assess, Ratings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Two completions of one prompt, and the probability p >= 0.5 that the chosen one is better.

    p is a soft label: averaged orders, label noise and a labeler's consistency are this field.
    ``weight`` is how much the pair counts beside others; 0 keeps the record and teaches nothing.

    Example:
        Preference(chosen=a, rejected=b, p=0.8, source="town-judge")
    """

    chosen: Completion
    rejected: Completion
    p: float = 1.0
    source: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One completion, desirable or not, without a rival: a thumb up or down.

    Example:
        Mark(completion=a, desirable=True, source="people")
    """

    completion: Completion
    desirable: bool
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Critique:
    """What is wrong with a completion by a principle, and the revision that mends it.

    ``failed`` says why nothing may be learnt from it: a critique or a revision that is empty, cut
    off or without form, or a revision that changes nothing. ``turn`` counts the revisions of one
    answer from 1, and ``seed`` is what the turn's principle was drawn with.

    Example:
        Critique(completion=a, principle="harmless-3", text="It helps to steal.", revision=b)
    """

    completion: Completion
    principle: str
    text: str
    revision: Completion | None = None
    failed: str = ""
    turn: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A completion and its measured reward. An unmeasured one never becomes a rollout.

    ``group`` numbers the siblings of one prompt within a batch: the baseline is theirs.

    Example:
        Rollout(completion=a, reward=0.4, group=0)
    """

    completion: Completion
    reward: float
    group: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a classifier says of one item of a task: a probability for each class.

    ``role`` is whose it is (weak, naive, student, ceiling), ``epoch`` after how many epochs; 0 is
    after the last.

    Example:
        Prediction(task="irony", item="17", part="test", role="student", seed=2, p=(0.2, 0.8))
    """

    task: str
    item: str
    part: Part
    role: str
    seed: int
    p: tuple[float, ...]
    epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What one side said in one round of a game, as the others were shown it.

    Quotes stand in <v_quote> where the source has them word for word, else in <u_quote>. ``drawn``
    counts the completions that it was taken from, ``failed`` says which rule it breaks.

    Example:
        Speech(side="first", round=1, text="He fled: <v_quote>the miller ran</v_quote>.")
    """

    side: Literal["first", "second", "judge"]
    round: int
    text: str
    policy: str = ""
    drawn: int = 1
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One game from its question to its verdict.

    ``p`` is the judge's probability that the first answer is right: before anything was said, then
    after each round, where it was asked so often. ``protagonist`` is the side that the only
    consultant argued for, or that the protagonist chose; empty in a plain debate.

    Example:
        Transcript(game="debate@91c2", question=asked, speeches=(one, two), p=(0.5, 0.8),
                   answer=Prefers(p_first=0.8))
    """

    game: str
    question: Compare
    speeches: tuple[Speech, ...]
    answer: Prefers | Abstains
    p: tuple[float, ...] = ()
    protagonist: Literal["", "first", "second"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A subclaim, and what an estimate of a later one takes it for.

    Example:
        Assumption(claim="x is even", holds=True)
    """

    claim: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """How probable a subclaim is, given the bits of its earlier siblings.

    Example:
        Estimated(claim="x is small", given=(True,), p=0.5)
    """

    claim: str
    given: tuple[bool, ...]
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeRound:
    """One round of a prover-estimator debate: at which estimate the prover pointed, and what for.

    ``direction`` is +1 where the prover says that the truth is higher than stated, -1 lower.
    ``found`` is what the claim's own subclaims imply, or the judge's word of it. The split that the
    claim stands in (``siblings``, the ``gate`` by which their parent follows, all ``estimates``,
    which one was ``chosen``) is empty where only the path was kept.

    Example:
        TreeRound(claim="x is small", assumed=(Assumption(claim="x is even", holds=True),),
                  stated=0.5, direction=-1, found=0.0, stake=6.25, payoff=3.125,
                  siblings=("x is even", "x is small"), gate="all", chosen=1,
                  estimates=(Estimated(claim="x is even", given=(), p=1.0),
                             Estimated(claim="x is small", given=(True,), p=0.5)))
    """

    claim: str
    assumed: tuple[Assumption, ...]
    stated: float
    direction: int
    found: float
    stake: float
    payoff: float
    siblings: tuple[str, ...] = ()
    gate: str = ""
    estimates: tuple[Estimated, ...] = ()
    chosen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Questions to one seat of a game, and the calls that it says it spent on them.

    Example:
        Spent(seat="prover", asked=3, calls=40)
    """

    seat: str
    asked: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeDebate:
    """A prover-estimator debate: the path from the root claim to the one that the judge read.

    ``opening`` is what the estimator stated of the root; None where it stated nothing. ``checked``
    is the judge's word on each assumption of the path, in order, empty where there was no verdict.
    ``failed`` says why there was none. ``stake`` is the last round's.

    Example:
        TreeDebate(game="prover-estimator@91c2", id="c1", claim="x is even and small", opening=0.5,
                   rounds=(first, last), stake=6.25, checked=(1.0,),
                   spent=(Spent(seat="judge", asked=2, calls=2),)).share    # 0.5
    """

    game: str
    id: str
    claim: str
    opening: float | None
    rounds: tuple[TreeRound, ...]
    stake: float
    checked: tuple[float, ...] = ()
    spent: tuple[Spent, ...] = ()
    failed: str = ""

    @property
    def payoff(self) -> float:
        """The prover's; the estimator's is the negative."""
        return sum(one.payoff for one in self.rounds)

    @property
    def share(self) -> float:
        """The payoff over the last stake: what a claim is accepted by."""
        return self.payoff / self.stake

    @property
    def assumed(self) -> tuple[Assumption, ...]:
        """All that the path assumes, from the root down."""
        return tuple(made for one in self.rounds for made in one.assumed)

    @property
    def kept(self) -> float:
        """The judge's probability that all was as assumed; 0 makes the last payoff void."""
        return chance_kept(self.assumed, self.checked)

    @property
    def void(self) -> bool:
        return self.kept == 0

    @property
    def asked(self) -> dict[str, int]:
        """Questions to each seat."""
        return {one.seat: one.asked for one in self.spent}

    @property
    def calls(self) -> dict[str, int]:
        """What each seat spent."""
        return {one.seat: one.calls for one in self.spent}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reworded:
    """One claim in several wordings, and how probable an estimator calls each by itself.

    Example:
        Reworded(claim="The lamp is hidden.", wordings=("Somebody hid the lamp.",), p=(0.9, 0.7))
    """

    claim: str
    wordings: tuple[str, ...] = ()
    p: tuple[float, ...] = ()
    failed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an audit measured: an estimate, its interval, and the bound fixed before looking.

    The verdict is where the interval lies: inside the bound ``pass``, wholly outside ``warn``,
    across its edge ``inconclusive``. Without a bound it is ``measured``, which is no verdict.

    Example:
        Finding(audit="position_bias", quantity="inconsistent", estimate=0.21, low=0.17,
                high=0.25, n=400, bound=(0.0, 0.1)).verdict    # 'warn'
    """

    audit: str
    quantity: str
    estimate: float
    low: float
    high: float
    n: int
    bound: tuple[float, float] = (float("-inf"), float("inf"))
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        smallest, largest = self.bound
        if smallest == float("-inf") and largest == float("inf"):
            return "measured"
        if smallest <= self.low and self.high <= largest:
            return "pass"
        if self.high < smallest or self.low > largest:
            return "warn"
        return "inconclusive"


def chance_kept(assumed: Iterable[Assumption], checked: Iterable[float]) -> float:
    """The probability that all is as assumed, by the judge's word on each; 1 before there is any.

    Example:
        chance_kept([Assumption(claim="x is even", holds=False)], [0.2])    # 0.8
    """
    kept = 1.0
    for made, p in zip(assumed, checked, strict=False):
        kept *= p if made.holds else 1 - p
    return kept


def flat(groups: Iterable[Group]) -> list[Completion]:
    """All completions of the groups, in order."""
    return [completion for group in groups for completion in group.completions]
