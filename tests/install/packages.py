"""The packages of a build, made once for all tests of a run, and a minimal Debian to install them into."""

import functools
import glob
import os
import subprocess
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECT = os.path.dirname(TESTS)
BUILD = os.environ.get("CDCRT_BUILD", os.path.join(PROJECT, "build", "release"))
_places = []


def done(*arguments, **more):
    """What a command that must succeed prints."""
    result = subprocess.run(arguments, text=True, timeout=900, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result.stdout


def place(name):
    """A fresh folder that is removed at the end of the program."""
    _places.append(tempfile.TemporaryDirectory(prefix=f"cdcrt-{name}-"))
    os.chmod(_places[-1].name, 0o755)
    return _places[-1].name


@functools.cache
def packages():
    """The paths of cdcrt_*.deb, cdcrt-dev_*.deb and the tarball."""
    folder = place("packages")
    # With gzip: what counts is what is in them.
    done("cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", folder, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip", cwd=folder)
    found = [sorted(glob.glob(os.path.join(folder, pattern))) for pattern in ("cdcrt_*.deb", "cdcrt-dev_*.deb", "cdcrt-*.tar.gz")]
    if [len(files) for files in found] != [1, 1, 1]:
        raise AssertionError(f"one package of each kind, not {found}")
    return tuple(files[0] for files in found)


@functools.cache
def unpacked():
    """A folder with what both packages put below /, and nothing else."""
    folder = place("unpacked")
    for package in packages()[:2]:
        done("dpkg-deb", "-x", package, folder)
    return folder


def inside(root, *arguments, user="0:0"):
    """A command that ended in a root, with /proc and /dev as a container has them."""
    enter = 'mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot --userspec="$2" "$1" "${@:3}"'
    return subprocess.run(["unshare", "--mount", "bash", "-c", enter, "bash", root, user, *arguments], text=True, timeout=900,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})


def clean_root():
    """A fresh, minimal Debian 12 with apt, as a folder. It is made once for a machine, in ~/.cache, and unpacked from there."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "cdcrt")
    archive = os.path.join(cache, "bookworm.tar")
    if not os.path.exists(archive):
        os.makedirs(cache, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            done("mmdebstrap", "--variant=apt", "--mode=root", "bookworm", os.path.join(made, "root.tar"))
            os.replace(os.path.join(made, "root.tar"), archive)
    root = place("root")
    done("tar", "-xf", archive, "-C", root, "--exclude=./dev/*")
    return root
