"""One file per method: the docstring cites, the fields are the settings, the call is the method."""
