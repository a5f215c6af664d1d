"""Which flags each verb takes, written by ``make docs`` from the parsers; not to be edited."""

from typing import Final

TEXT: Final = """\
bareway
  -h --help
  --local

lint
  -h --help
  -f --filename FILE
  -o --output table wide json yaml

plan
  -h --help
  -f --filename FILE
  --against NEW
  -o --output table wide json yaml
  --lb-class CLASS
  --ignore-exclude-lb
  --kubeconfig FILE
  --config-namespace NAME

why
  -h --help
  --local
  --socket PATH
  --kubeconfig FILE
  -n --namespace NAME
  --all
  --timeout S
  -o --output table wide json yaml

status
  -h --help
  --local
  --socket PATH
  --kubeconfig FILE
  -n --namespace NAME
  --all
  --timeout S
  -o --output table wide json yaml

bgp
  -h --help
  --node NODE
  --local
  --socket PATH
  --kubeconfig FILE
  -n --namespace NAME
  --all
  --timeout S
  -o --output table wide json yaml

pools
  -h --help
  --local
  --socket PATH
  --kubeconfig FILE
  -n --namespace NAME
  --all
  --timeout S
  -o --output table wide json yaml

members
  -h --help
  --local
  --socket PATH
  --kubeconfig FILE
  -n --namespace NAME
  --all
  --timeout S
  -o --output table wide json yaml

history
  -h --help
  --since TIME
  --local
  --socket PATH
  --kubeconfig FILE
  -n --namespace NAME
  --all
  --timeout S
  -o --output table wide json yaml

drain
  -h --help
  --reason TEXT
  --kubeconfig FILE

undrain
  -h --help
  --kubeconfig FILE

move
  -h --help
  --undo
  --kubeconfig FILE

doctor
  -h --help
  --local
  --socket PATH
  --kubeconfig FILE
  -n --namespace NAME
  --all
  --timeout S
  -o --output table wide json yaml

probe
  -h --help
  --node NODE
  --interface NAME
  --count N
  --timeout S
  --local
  --kubeconfig FILE
  -n --namespace NAME
  -o --output table wide json yaml

uninstall
  -h --help
  --yes
  --verify
  --keep-addresses
  --kubeconfig FILE
  -n --namespace NAME
  -o --output table wide json yaml

explain
  -h --help
  -o --output table wide json yaml

completion
  -h --help
  bash zsh fish kubectl

version
  -h --help
"""
