"""Words that steer models, as data with a digest; and what models wrote, made harmless."""
