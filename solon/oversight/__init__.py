"""Games by which a weaker judge supervises stronger players; nothing here loads torch."""
