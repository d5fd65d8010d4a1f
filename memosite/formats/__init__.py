"""How dates are written here, in place of Django's own ways."""
