"""The packages of a build, made once for all tests of a run, and a minimal Debian to install them into."""

import functools
import glob
import os
import shutil
import subprocess
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECT = os.path.dirname(TESTS)
# Longer than anything takes, and less than the TIMEOUT of these tests.
PATIENCE = 500
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
BUILD = os.environ.get("CDCRT_BUILD", os.path.join(PROJECT, "build", "release"))
_places = []


def done(*arguments, timeout=PATIENCE, **more):
    """What a command that must succeed prints."""
    result = subprocess.run(arguments, text=True, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
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


@functools.cache
def enters_roots():
    """Whether this user may enter a root, with mounts of its own: root, and in a container a privileged one."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def inside(root, *arguments, user="0:0"):
    """A command that ended in a root, with /proc and /dev as a container has them."""
    enter = 'mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot --userspec="$2" "$1" "${@:3}"'
    proxies = {name: os.environ[name] for name in PROXIES if name in os.environ}
    return subprocess.run(["unshare", "--mount", "bash", "-c", enter, "bash", root, user, *arguments], text=True, timeout=PATIENCE,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", **proxies})


def archive():
    """This machine's own APT lines for Debian 12, where its mirror is another than mmdebstrap's own."""
    told = done("apt-get", "indextargets", "--format", "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Identifier: Packages")
    lines = set()
    for target in told.splitlines():
        origin, address, release, component = target.split("|")
        # The origin is not known before the first `apt-get update`.
        if (origin in ("Debian", "") and component == "main" and address.startswith("http")
                and release in ("bookworm", "bookworm-updates", "bookworm-security")):
            lines.add(f"deb {address} {release} {component}")
    return sorted(lines) if any("://deb.debian.org/" not in line for line in lines) else []


def clean_root():
    """A fresh, minimal Debian 12 with apt, as a folder. It is made once for a machine, in ~/.cache, and unpacked from there."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "cdcrt")
    kept = os.path.join(cache, "bookworm.tar")
    lines = archive()
    if not os.path.exists(kept):
        os.makedirs(cache, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as made:
            done("mmdebstrap", "--variant=apt", "--mode=root", "bookworm", os.path.join(made, "root.tar"), *lines, timeout=900)
            os.replace(os.path.join(made, "root.tar"), kept)
    root = place("root")
    done("tar", "-xf", kept, "-C", root, "--exclude=./dev/*")
    if lines:
        with open(os.path.join(root, "etc/apt/sources.list"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    # Whom this machine asks for names, and whom it trusts.
    for path in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        if os.path.exists("/" + path):
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            shutil.copy("/" + path, os.path.join(root, path))
    return root
