"""Runs classes of a test module, or all but them:

    python -m integration.pieces [--but] integration.test_outages Away ...
"""

import sys
import unittest


def tests_of(suite):
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from tests_of(each)
        else:
            yield each


def main(arguments):
    but = arguments[0] == "--but"
    module, *classes = arguments[but:]
    tests = list(tests_of(unittest.defaultTestLoader.loadTestsFromName(module)))
    missing = set(classes) - {type(test).__name__ for test in tests}
    if missing:
        sys.exit(f"error: {module} has no tests of {', '.join(sorted(missing))}")
    chosen = unittest.TestSuite(test for test in tests if (type(test).__name__ in classes) != but)
    sys.exit(not unittest.TextTestRunner(verbosity=0).run(chosen).wasSuccessful())


if __name__ == "__main__":
    main(sys.argv[1:])
