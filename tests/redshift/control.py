"""The front's control port: JSON over HTTP.

GET /statements, /rejections, /faults, /cost; POST /latency {statement_ms, commit_ms, sleep}; DELETE /cost; POST /faults {kind, at, nth, every, times, match, ...} -> {"id": n}; POST /users {name, password};
POST /databases {name}; POST /cut; DELETE /faults[/id]; DELETE /statements (and rejections)."""

import http.server
import json
import threading

from redshift.errors import SqlError


def serve_control(front, port):
    """Starts it in a thread of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def _answer(self, value, status=200):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            found = {
                "/statements": front.journal.statements,
                "/rejections": front.journal.rejections,
                "/faults": front.faults.listed,
                "/cost": front.latency.told
            }.get(self.path)
            self._answer(found() if found else {"error": "not found"}, 200 if found else 404)

        def do_POST(self):
            try:
                given = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
                if self.path == "/faults":
                    return self._answer({"id": front.faults.add(**given)})
                if self.path == "/latency":
                    front.latency.set(**given)
                    return self._answer({})
                if self.path == "/users":
                    front.set_password(given["name"], given["password"])
                    return self._answer({})
                if self.path == "/databases":
                    front.make_database(given["name"])
                    return self._answer({})
                if self.path == "/cut":
                    return self._answer({"connections": front.cut()})
                return self._answer({"error": "not found"}, 404)
            except (ValueError, TypeError, KeyError, SqlError) as error:
                return self._answer({"error": str(error)}, 400)

        def do_DELETE(self):
            if self.path == "/statements":
                front.journal.clear()
            elif self.path == "/cost":
                front.latency.reset()
            elif self.path.startswith("/faults"):
                front.faults.clear(int(self.path.rpartition("/")[2]) if self.path.count("/") == 2 else None)
            else:
                return self._answer({"error": "not found"}, 404)
            return self._answer({})

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
