"""Real servers for the tests, each in a folder and on ports of its own. See README.md."""
