"""Questions in, judgements out. A judge that cannot answer abstains; it never guesses."""
