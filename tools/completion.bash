# Completion of jogak for bash: source <(./jogak completion bash)
_jogak() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
  local root
  root=$(dirname "$(readlink -f "$(type -P "${COMP_WORDS[0]}" || echo "${COMP_WORDS[0]}")")")
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "demo test compile run serve eval disasm info bench synth-check synth xrt-sim report build completion --help" -- "$word"))
    return
  fi
  case $command,${COMP_WORDS[COMP_CWORD - 1]} in
    *,--config) COMPREPLY=($(compgen -W "$(cd "$root/spec/configs" 2>/dev/null && ls | sed 's/\.yaml$//')" -- "$word")) ;;
    *,--board) COMPREPLY=($(compgen -W "$(cd "$root/boards" 2>/dev/null && ls -d -- */board.yaml 2>/dev/null | sed 's:/board.yaml$::')" -- "$word")) ;;
    test,test) COMPREPLY=($(compgen -W "all rtl fuzz --help" -- "$word")) ;;
    completion,*) COMPREPLY=($(compgen -W "bash" -- "$word")) ;;
    *)
      if [[ $word == -* ]]; then
        local known="--help"
        [[ -x $root/build/bin/jogak-cli ]] &&
          known+=" $("$root/build/bin/jogak-cli" "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | sort -u)"
        COMPREPLY=($(compgen -W "$known" -- "$word"))
      else
        COMPREPLY=($(compgen -f -- "$word"))
      fi
      ;;
  esac
}
complete -o filenames -F _jogak jogak ./jogak
