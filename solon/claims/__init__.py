"""One file per published claim: recipes on laboratory worlds, seeds, direction, verdict."""
