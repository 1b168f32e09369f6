"""A server that plays the helpful policy, the reviser and the judge, as it is written below."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from wire.server import Server, error, text_of

from solon.judges.revising import FAULTLESS, UNCHANGED

CUT, WITHHELD = "...", "withheld"
RUDE = "It is rude."
FATES = {  # by thing: the critique, the revision, and why nothing is learnt from them
    "jar": (RUDE, "{answer} Please.", ""),
    "cup": (RUDE, "Revision: {answer} Thanks.", ""),
    "kettle": ("None.", "", FAULTLESS),
    "lamp": ("It is rude.\nRevision: Ask.", "", "critique: holds a revision"),
    "door": ("", "", "critique: empty reply"),
    "bike": ("It is" + CUT, "", "critique: the reply was cut off"),
    "gate": (RUDE, " ", "revision: empty reply"),
    "boat": (RUDE, "{answer}", UNCHANGED),
    "clock": (RUDE, "Ask a" + CUT, "revision: the reply was cut off"),
    "wall": (RUDE, WITHHELD, "revision: the server filtered the answer"),
}


@dataclass
class Acted(Server):
    """Helpful policy, reviser and judge by the model's name, each as it is written."""

    shut: str = ""  # who asks about this is refused

    def refusal(self, request: web.Request, body: dict[str, Any]) -> web.Response | None:
        if self.shut and self.shut in text_of(body):
            return error(401, "closed")
        return super().refusal(request, body)

    def answer(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        whole = super().answer(body, text)
        if body["model"] == "judge":
            return whole
        said = reply(body["model"], [turn["content"] for turn in body["messages"]])
        finish = "length" if said.endswith(CUT) else "stop"
        finish = "content_filter" if said == WITHHELD else finish
        message = {"role": "assistant", "content": said}
        return whole | {"choices": [{"message": message, "finish_reason": finish}]}


def reply(model: str, turns: list[str]) -> str:
    thing = re.findall(r"mend the (\w+)", "\n".join(turns))[-1]
    if model == "helpful":
        return {"roof": "Just" + CUT, "soup": ""}.get(thing, f"Just hit the {thing}.")
    critique, revision, _ = FATES[thing]
    return revision.format(answer=turns[-4]) if "Revision request" in turns[-1] else critique


def longer(text: str) -> Mapping[str, float]:
    """The judge's next token: the longer completion with 0.9."""
    one, two = (len(said) for said in re.findall(r"<completion_\d>\n(.*?)\n</com", text, re.DOTALL))
    p = 0.5 if one == two else 0.9 if one > two else 0.1
    return {"1": math.log(p), "2": math.log(1 - p)}
