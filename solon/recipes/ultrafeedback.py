"""UltraFeedback: many models, one principle each, rated aspect by aspect; then preferences.

Cui et al., "UltraFeedback: Boosting Language Models with Scaled AI Feedback" (arXiv 2310.01377):
each prompt is answered by models drawn from a pool, each told to follow one principle; a rater sees
the answers together, once for each aspect. The ratings make a data set of preferences (export/
holds it as TRL and ``datasets`` read it), which the policy may then learn from.

Deviations from the paper
1. The score of a completion is the mean of its ratings, never a score asked for by itself (2,628 of
   the paper's overall scores said 10 for 1 until they were mended).
2. Each principle has one wording, ours; the paper draws from eleven. So have the rater's questions.
3. A rating names its completion and is read by itself: what cannot be read, or does not apply, is
   left out of the mean. The authors' code asks again until all four can be read.
4. The types of mistake that the paper asks for, beside two of the aspects, are not asked for.
5. What learns is a policy, by DPO; the paper fits a reward model (UltraRM), and a model that
   criticises (UltraCM). ``prefer.epochs=0`` ends with the data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solon.errors import RunError
from solon.records import Abstains, Completion, Critique, Scores
from solon.run.export import export_preferences, write_rows
from solon.run.run import Run
from solon.seams.feedback import Critic, Demonstrations, Policy, Prompts, Rater, Spec
from solon.seams.learning import Frozen, Learner
from solon.stages.draft import Draft, Drafted
from solon.stages.imitate import Imitate
from solon.stages.prefer import Prefer
from solon.stages.survey import Survey, Surveyed


@dataclass(frozen=True, kw_only=True)
class UltraFeedback:
    """Draft with many models, rate by aspect, learn from the pairs."""

    prompts: Spec[Prompts]
    policy: Spec[Learner]
    rater: Spec[Rater]
    models: Spec[Sequence[Policy]] | None = None
    """Who writes the drafts; none is the policy's start alone."""
    critic: Spec[Critic] | None = None
    """Who writes a critique of each draft; none writes none."""
    demonstrations: Spec[Demonstrations] | None = None
    """What the supervised start imitates; none takes the policy as it comes."""

    imitate: Imitate = Imitate()
    draft: Draft = Draft()
    survey: Survey = Survey()
    prefer: Prefer = Prefer()

    def __call__(self, run: Run) -> Frozen:
        """Start, draft, rate, criticise, pair; and prefer, unless the data set is the end."""
        prompts, policy = self.prompts.open(run), self.policy.open(run)
        rater = self.rater.open(run)

        start = self.imitate.start(run, policy, self.demonstrations)

        with run.stage("draft"):
            pool = [start] if self.models is None else self.models.open(run)
            drafts = self.draft(run, pool, prompts)

        with run.stage("rate"):
            found = self.survey(run, rater, drafts)
            self.criticise(run, [text for one in drafts for text in one.completions])

        with run.stage("pair"):
            data = self.survey.pairs(drafts, found, source=rater.id)
            run.save("preferences", data)
            run.log(0, pairs=len(data), prompts=len(drafts))
            export_preferences(run.dir / "export", data)
            write_rows(run.dir / "export" / "ratings", table(drafts, found))

        with run.stage("prefer"):
            if self.prefer.epochs:
                self.prefer(run, policy, data, prompts, anchor=start)
            run.keep("final", policy.freeze())
        return policy.freeze()

    def criticise(self, run: Run, texts: Sequence[Completion]) -> None:
        """A critique of each draft, for readers and for models that learn to criticise."""
        if self.critic is None:
            return
        critic = self.critic.open(run)

        def critiques(batch: Sequence[Completion]) -> list[Critique]:
            return [one for one in critic(batch) if isinstance(one, Critique)]

        said = run.map("critiques", critiques, texts, chunk=self.survey.chunk)
        run.log(1, criticised=len(said), uncriticised=len(texts) - len(said))
        if texts and not said:
            raise RunError("rate: the critic abstained from every draft")


def table(drafts: Sequence[Drafted], found: Sequence[Sequence[Surveyed]]) -> list[dict[str, Any]]:
    """One row a draft: who wrote it by which principle, its mean, and each aspect's rating."""
    return [
        {
            "prompt_id": one.prompt.id,
            "prompt": one.prompt.text,
            "completion": text.text,
            "model": text.policy,
            "principle": principle,
            "overall": survey.overall,
            **_columns(survey),
        }
        for one, surveys in zip(drafts, found, strict=True)
        for text, principle, survey in zip(one.completions, one.principles, surveys, strict=True)
    ]


def _columns(survey: Surveyed) -> dict[str, Any]:
    """Of each aspect the rating, or why there is none, the rationale, and the place in the list."""
    cells: dict[str, Any] = {}
    for aspect, rating in survey.ratings.items():
        answer = rating.answer
        cells[aspect] = answer.value if isinstance(answer, Scores) else None
        cells[f"{aspect}_reason"] = answer.reason if isinstance(answer, Abstains) else ""
        cells[f"{aspect}_rationale"] = rating.rationale
        cells[f"{aspect}_place"] = survey.places[aspect]
    return cells
