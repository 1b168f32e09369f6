"""One file per thing that can go wrong. An audit's bounds are its fields, fixed before it looks."""
