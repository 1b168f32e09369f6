"""``solon debate``: two models argue before a judge, one question as it happens, or a file of them.

posing                  rows -> questions with two answers, and which is right where it is known
protocols, debating     which game, who plays it
stage                   one game in the terminal while it is played
outcome, rating         the judge's accuracy, the quotes, who of two debaters wins
opponents, folder       a second model; the folder that games are kept in
playing                 from the command to the page
"""

from solon.bench.debating.debating import Debating, debating_on
from solon.bench.debating.playing import play, show_settings
from solon.bench.debating.posing import OneQuestion, QuestionFile, one_question
from solon.bench.debating.protocols import PROTOCOLS

__all__ = [
    "PROTOCOLS",
    "Debating",
    "OneQuestion",
    "QuestionFile",
    "debating_on",
    "one_question",
    "play",
    "show_settings",
]
