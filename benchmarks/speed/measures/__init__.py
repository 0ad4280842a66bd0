"""What can be measured: one module a subject, each a function of a run."""
