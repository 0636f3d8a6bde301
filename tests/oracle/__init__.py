"""The oracle of the tests: a slow, obvious interpreter of an event log. See README.md."""
