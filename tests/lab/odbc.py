"""A small ODBC client by ctypes: the program's own way to a database, for tests that need nothing but the standard library."""

import ctypes

SUCCESS, WITH_INFO, NO_DATA, NULL_DATA = 0, 1, 100, -1
ENVIRONMENT, CONNECTION, STATEMENT = 1, 2, 3


class OdbcError(Exception):
    """state: SQLSTATE of the first diagnostic record; text: its message."""

    def __init__(self, state, text):
        super().__init__(f"{state} {text}")
        self.state, self.text = state, text


def _wide(text):
    return text.encode("utf-16-le") + b"\0\0"


class Odbc:
    """One connection, in autocommit. Texts come as texts, NULL as None; parameters are texts or None."""

    def __init__(self, connection):
        self.library = ctypes.CDLL("libodbc.so.2")
        self.environment, self.handle, self.open = ctypes.c_void_p(), ctypes.c_void_p(), False
        self.library.SQLAllocHandle(ENVIRONMENT, None, ctypes.byref(self.environment))
        self.library.SQLSetEnvAttr(self.environment, 200, ctypes.c_void_p(3), 0)  # ODBC 3
        self.library.SQLAllocHandle(CONNECTION, self.environment, ctypes.byref(self.handle))
        text = _wide(connection)
        self._check(CONNECTION, self.handle, self.library.SQLDriverConnectW(self.handle, None, text, ctypes.c_short(-3), None, 0, None, 0))
        self.open = True

    def _check(self, kind, handle, code):
        if ctypes.c_short(code).value in (SUCCESS, WITH_INFO, NO_DATA):
            return ctypes.c_short(code).value
        state, text, native, size = ctypes.create_string_buffer(12), ctypes.create_string_buffer(4096), ctypes.c_int(), ctypes.c_short()
        self.library.SQLGetDiagRecW(ctypes.c_short(kind), handle, 1, state, ctypes.byref(native), text, 2048, ctypes.byref(size))
        raise OdbcError(state.raw[:10].decode("utf-16-le"), text.raw[:2 * size.value].decode("utf-16-le"))

    def execute(self, sql, parameters=()):
        """Rows of the last result; prepared on the server when there are parameters."""
        statement = ctypes.c_void_p()
        self._check(CONNECTION, self.handle, self.library.SQLAllocHandle(STATEMENT, self.handle, ctypes.byref(statement)))
        try:
            if parameters:
                self._check(STATEMENT, statement, self.library.SQLPrepareW(statement, _wide(sql), -3))
                kept = []
                for number, value in enumerate(parameters, 1):
                    raw = (value or "").encode("utf-16-le")
                    length = ctypes.c_ssize_t(NULL_DATA if value is None else len(raw))
                    buffer = ctypes.create_string_buffer(raw + b"\0\0")
                    kept.append((buffer, length))
                    # SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR
                    self._check(
                        STATEMENT, statement,
                        self.library.SQLBindParameter(statement, ctypes.c_ushort(number), 1, -8, -9,
                                                      ctypes.c_size_t(max(1, len(value or ""))), 0, buffer, ctypes.c_ssize_t(len(raw) + 2),
                                                      ctypes.byref(length)))
                self._check(STATEMENT, statement, self.library.SQLExecute(statement))
            else:
                self._check(STATEMENT, statement, self.library.SQLExecDirectW(statement, _wide(sql), -3))
            rows = self._rows(statement)
            while self._check(STATEMENT, statement, self.library.SQLMoreResults(statement)) != NO_DATA:
                rows = self._rows(statement) or rows
            return rows
        finally:
            self.library.SQLFreeHandle(STATEMENT, statement)

    def _rows(self, statement):
        count = ctypes.c_short()
        self._check(STATEMENT, statement, self.library.SQLNumResultCols(statement, ctypes.byref(count)))
        answer = []
        while count.value and self._check(STATEMENT, statement, self.library.SQLFetch(statement)) != NO_DATA:
            answer.append([self._cell(statement, number) for number in range(1, count.value + 1)])
        return answer

    def _cell(self, statement, number):
        text, buffer, size = b"", ctypes.create_string_buffer(65536), ctypes.c_ssize_t()
        while True:
            code = self._check(
                STATEMENT, statement,
                self.library.SQLGetData(statement, ctypes.c_ushort(number), -8, buffer, ctypes.c_ssize_t(65536), ctypes.byref(size)))
            if size.value == NULL_DATA:
                return None
            if code == WITH_INFO and (size.value < 0 or size.value > 65534):
                text += buffer.raw[:65534]
                continue
            return (text + buffer.raw[:max(0, size.value)]).decode("utf-16-le")

    def close(self):
        if self.open:
            self.library.SQLDisconnect(self.handle)
            self.open = False
        self.library.SQLFreeHandle(CONNECTION, self.handle)
        self.library.SQLFreeHandle(ENVIRONMENT, self.environment)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
