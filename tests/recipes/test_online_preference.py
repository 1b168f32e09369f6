"""Pairs drawn and judged in every step, also by those who remember what they were asked."""

from __future__ import annotations

from pathlib import Path

from stopping import stopped_and_whole


def test_people_who_tire_are_as_tired_after_a_stop_as_without_one(tmp_path: Path) -> None:
    whole, stopped = stopped_and_whole(
        tmp_path, "online_preference", shows=4, judge="human", steps="6"
    )
    assert stopped == whole
