"""The Kubernetes API: credentials, requests, mirrors of objects, Events."""
