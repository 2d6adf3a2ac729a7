"""The driver of a campaign: plan, workers, rounds, stop rule, journal."""
