"""A demo: invented sessions, told through the real way in, in a database of their own."""
