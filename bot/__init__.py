"""The helpline: a gateway that people write to, and an engine that understands them."""
