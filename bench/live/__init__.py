"""The program beside Debezium's JDBC sink, on one broker and one database: see ../README.md."""

import os
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(PROJECT, "tests"))  # the laboratory's servers
