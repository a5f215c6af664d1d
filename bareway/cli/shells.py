"""Completion as each shell wants it: scripts that need neither a cluster nor this program when they run."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from bareway.cli.grammar import Flag, Phrase

NO_VERB: Final = "''"
COMMANDS: Final = ("bareway", "kubectl-bareway")

BASH: Final = """\
_bareway() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= word words= files=
    COMPREPLY=()
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $word != -* ]]; then
            verb=$word
            break
        fi
    done
    case $verb in
%s    esac
    if [[ -n $files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    fi
}
"""
BASH_END: Final = "complete -F _bareway " + " ".join(COMMANDS) + "\n"
KUBECTL_HEAD: Final = "#!/usr/bin/env bash\n# What kubectl asks when it completes `kubectl bareway`.\n"
KUBECTL_END: Final = """\
COMP_WORDS=(bareway "$@")
COMP_CWORD=$#
_bareway
if ((${#COMPREPLY[@]})); then
    printf '%s\\n' "${COMPREPLY[@]}"
fi
echo :4
"""
"""The last line is a directive: offer nothing but this."""

ZSH: Final = """\
#compdef bareway kubectl-bareway
_bareway() {
    local verb= word prev=${words[CURRENT-1]}
    local -a candidates
    for word in "${(@)words[2,CURRENT-1]}"; do
        if [[ $word != -* ]]; then
            verb=$word
            break
        fi
    done
    case $verb in
%s    esac
    _describe word candidates
}
if [[ $funcstack[1] == _bareway ]]; then
    _bareway "$@"
else
    compdef _bareway bareway kubectl-bareway
fi
"""


def bash(phrases: Iterable[Phrase]) -> str:
    """To be sourced by bash."""
    return _bash_function(phrases) + BASH_END


def kubectl(phrases: Iterable[Phrase]) -> str:
    """To be stored as the program ``kubectl_complete-bareway``."""
    return KUBECTL_HEAD + _bash_function(phrases) + KUBECTL_END


def zsh(phrases: Iterable[Phrase]) -> str:
    """To be sourced by zsh, or stored as ``_bareway`` in its ``fpath``."""
    found = tuple(phrases)
    summaries = {phrase.verb: phrase.summary for phrase in found}
    return ZSH % "".join(_zsh_case(phrase, summaries) for phrase in found)


def fish(phrases: Iterable[Phrase]) -> str:
    """To be sourced by fish."""
    lines = [f"for command in {' '.join(COMMANDS)}", "    complete -c $command -f"]
    for phrase in phrases:
        place = f"'__fish_seen_subcommand_from {phrase.verb}'" if phrase.verb else "__fish_use_subcommand"
        if phrase.verb:
            told = phrase.summary.replace("'", r"\'")
            lines.append(f"    complete -c $command -n __fish_use_subcommand -a {phrase.verb} -d '{told}'")
            if phrase.choices:
                lines.append(f"    complete -c $command -n {place} -a '{' '.join(phrase.choices)}'")
        lines += [f"    complete -c $command -n {place}{_fish_flag(flag)}" for flag in phrase.flags]
    return "\n".join([*lines, "end"]) + "\n"


SHELLS: Final[Mapping[str, Callable[[Iterable[Phrase]], str]]] = {
    "bash": bash,
    "zsh": zsh,
    "fish": fish,
    "kubectl": kubectl,
}


def _bash_function(phrases: Iterable[Phrase]) -> str:
    return BASH % "".join(map(_bash_case, phrases))


def _bash_case(phrase: Phrase) -> str:
    lines = [f"        {phrase.verb or NO_VERB})", "            case $prev in"]
    for flag in phrase.flags:
        if flag.value:
            does = "files=1" if flag.takes_file else f"words='{' '.join(flag.choices)}'"
            lines.append(f"                {'|'.join(flag.names)}) {does} ;;")
    lines.append(f"                *) words='{' '.join(phrase.candidates)}' ;;")
    return "\n".join([*lines, "            esac", "            ;;"]) + "\n"


def _zsh_case(phrase: Phrase, summaries: Mapping[str, str]) -> str:
    lines = [f"        {phrase.verb or NO_VERB})", "            case $prev in"]
    for flag in phrase.flags:
        if flag.value:
            does = "_files; return" if flag.takes_file else f"candidates=({' '.join(flag.choices)})"
            lines.append(f"                {'|'.join(flag.names)}) {does} ;;")
    lines.append("                *) candidates=(")
    for word in phrase.candidates:
        told = f"{word}:{summaries[word]}" if not phrase.verb and word in summaries else word
        lines.append(f"                    {shlex.quote(told)}")
    return "\n".join([*lines, "                ) ;;", "            esac", "            ;;"]) + "\n"


def _fish_flag(flag: Flag) -> str:
    names = "".join(
        f" -l {name.removeprefix('--')}" if name.startswith("--") else f" -s {name.removeprefix('-')}"
        for name in flag.names
    )
    if not flag.value:
        return names
    if flag.takes_file:
        return f"{names} -r -F"
    return f"{names} -x" + (f" -a '{' '.join(flag.choices)}'" if flag.choices else "")
