"""Define and run: what is measured, and the campaign that measures it.

Modules at this level and in ``probes`` run inside a measured interpreter (Python 3.10 or newer, the
standard library and the event loop; ``probe`` also needs pyperf). ``matrix``, ``fingerprint`` and
``benchmarks.campaign`` are the driver, which never runs there.
"""
