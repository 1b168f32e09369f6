"""The Protocols, and nothing that implements them."""
