"""What ``bareway doctor`` looks for: a file a topic, each with ``check(view)``, all pure."""
