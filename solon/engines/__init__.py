"""Where computation happens: each engine serves batches behind the seams."""
