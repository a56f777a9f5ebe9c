"""Tables of names, a module a source: layers here to layers there."""
