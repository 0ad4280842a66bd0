"""What a shell has to be told once. At each TAB it asks the program, `queuectl completion SHELL -- WORDS`."""

from __future__ import annotations

BASH = r"""
# Completion of queuectl for bash. In ~/.bashrc:
#   eval "$(queuectl completion bash)"
_queuectl() {
    local line=${COMP_LINE:0:COMP_POINT} candidate breaks= kept=
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local current=${words[${#words[@]} - 1]}
    # Bash takes `queue:work` for three words and replaces the last: what stands before it must not come twice.
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=:
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+==
    [[ -n $breaks && $current == *[$breaks]* ]] && kept=${current%"${current##*[$breaks]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        COMPREPLY+=("${candidate#"$kept"}")
    done < <("$1" completion bash -- "${words[@]:1}" 2>/dev/null)
}
complete -o default -F _queuectl queuectl
"""

ZSH = r"""
#compdef queuectl
# Completion of queuectl for zsh. In ~/.zshrc, after compinit:
#   eval "$(queuectl completion zsh)"
# or as a file called _queuectl in a folder of $fpath.
_queuectl() {
    local candidate text
    local -a candidates shown
    while IFS=$'\t' read -r candidate text; do
        candidates+=("$candidate")
        shown+=("$candidate${text:+  -- $text}")
    done < <("${(Q)words[1]}" completion zsh -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)
    if (( $#candidates )); then
        compadd -l -d shown -a candidates
    else
        _files
    fi
}
if [[ $funcstack[1] == _queuectl ]]; then
    _queuectl "$@"
else
    compdef _queuectl queuectl
fi
"""

FISH = r"""
# Completion of queuectl for fish:
#   queuectl completion fish > ~/.config/fish/completions/queuectl.fish
function __queuectl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] completion fish -- $words[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c queuectl -f -a '(__queuectl_complete)'
"""

SCRIPTS = {"bash": BASH.strip(), "zsh": ZSH.strip(), "fish": FISH.strip()}
