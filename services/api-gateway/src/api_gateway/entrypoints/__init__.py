"""HTTP: routes, bodies, errors."""
