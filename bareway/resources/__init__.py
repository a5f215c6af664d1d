"""The border to Kubernetes: its JSON and YAML in, model or Problems out; model in, patches out."""
