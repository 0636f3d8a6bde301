"""A Redshift to test against: a front of the PostgreSQL protocol before a PostgreSQL 15. See README.md."""
