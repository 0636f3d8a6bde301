"""scripts/check_layers names what it is there for: each wrong include, each cycle, each plugin that the core names.

Usage: layers_are_named.py SOURCE_FOLDER
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Where, what is added, what has to be said of it.
WRONG = [
    ("core/src/diagnostics/text.cpp", '#include "cli/exit_code.hpp"', "diagnostics is below cli"),
    ("core/src/progress/store.hpp", '#include "apply/table.hpp"', "progress is below apply"),
    ("core/src/diagnostics/text.hpp", '#include "diagnostics/renderer.hpp"', None),
    ("core/src/diagnostics/renderer.hpp", '#include "diagnostics/text.hpp"', "cycle of headers: diagnostics/renderer.hpp <-> diagnostics/text.hpp"),
    ("core/src/apply/fold.cpp", '#include "sql/identifier.hpp"', "apply does not use libraries/sql"),
    ("core/src/manifest/loader.cpp", 'const char* const kNamed = "redshift";', 'names the plugin "redshift"'),
    ("sdk/include/cdcrt/sdk/cell.hpp", '#include "diagnostics/result.hpp"', "the SDK stands on the ground"),
    ("sdk/include/cdcrt/abi/value.h", '#include "cdcrt/sdk/cell.hpp"', "the ABI stands on the ground"),
    ("libraries/sql/identifier.cpp", '#include "plugin/instance.hpp"', "libraries use the SDK and libraries alone"),
    ("libraries/sql/cell_text.cpp", '#include "aws/http.hpp"', "does not link cdcrt_aws"),
    ("plugins/sinks/file/src/appender.cpp", '#include "types/convert.hpp"', "plugins use the SDK and libraries alone"),
]


def main():
    root = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch)
        for part in ("core/src", "sdk/include", "libraries", "plugins"):
            shutil.copytree(root / part, tree / part)
        for name, line, _ in WRONG:
            path = tree / name
            path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
        found = subprocess.run([root / "scripts/check_layers", "--tree", tree], capture_output=True, text=True, check=False)
    missing = [expected for _, _, expected in WRONG if expected is not None and expected not in found.stderr]
    for expected in missing:
        print(f"not said: {expected}")
    if missing or found.returncode != 1:
        sys.exit(f"exit code {found.returncode}\n{found.stderr}")


if __name__ == "__main__":
    main()
