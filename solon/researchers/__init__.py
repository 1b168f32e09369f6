"""Automated alignment researchers: their sandbox, forum, trace and hardened scorer."""
