"""How good it is: measures, test sets, methods and the report. Never imported by the running product."""
