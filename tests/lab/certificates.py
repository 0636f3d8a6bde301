"""Certificates of a CA of one's own, made by openssl when a test needs them."""

import os
import subprocess

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def openssl(*arguments, given=None):
    done = subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True, input=given)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


class Authority:
    """A CA in `folder`; with `issuer` one between that and what it signs, whose certificate comes with each. `pem`: the path of its own."""

    def __init__(self, folder, name="Lab CA", issuer=None):
        self.folder, self.name, self.issuer = folder, name, issuer
        os.makedirs(folder, exist_ok=True)
        self.pem, self.key = os.path.join(folder, "ca.pem"), os.path.join(folder, "ca.key")
        if issuer is None:
            openssl("req", "-x509", *KEY, "-nodes", "-keyout", self.key, "-out", self.pem, "-subj", f"/CN={name}", "-days", "30")
        else:
            self.key, self.pem = issuer.issue(name, extensions="basicConstraints=critical,CA:true", days=30)

    def issue(self, name, hosts="DNS:localhost,IP:127.0.0.1", days=30, password=None, extensions=None):
        """Paths of a key (PKCS#8) and its certificate, with that of a CA in between behind it. `days`: below 0 it has expired."""
        key, request, pem = (os.path.join(self.folder, f"{name.replace(' ', '-')}.{end}") for end in ("key", "csr", "pem"))
        protection = ["-passout", f"pass:{password}"] if password else ["-nodes"]
        openssl("req", *KEY, *protection, "-keyout", key, "-out", request, "-subj", f"/O=lab/CN={name}",
                "-addext", extensions or f"subjectAltName={hosts}")
        openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-copy_extensions", "copyall", "-days", str(days), "-out", pem)
        if self.issuer:
            with open(pem, "a", encoding="ascii") as file:
                file.write(read(self.pem))
        return key, pem


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()
