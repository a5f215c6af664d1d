"""A pytest plugin: Hypothesis tries the same few examples each time, and does not tidy up what it finds.

Named by ``-p mutation.hypothesis_profile --hypothesis-profile=mutation``. Whether a mutant dies must not
depend on chance, nor on what another mutant left in Hypothesis's memory; and nobody reads how it died.
"""

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 20  # of the usual 100: a mutant that lives costs all of them, and there are thousands

settings.register_profile(
    "mutation",
    parent=settings.default,
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
