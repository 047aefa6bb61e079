# bash completion for edgeadm
# Words are split as they are meant to be, and a pattern may be a constant.
# shellcheck disable=SC2194,SC2207
_edgeadm() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) case " <%= Object.keys(it.words).filter((path) => path !== '').map((path) => path.replaceAll(' ', '/')).join(' ') %> " in
           *" ${path:+$path/}$word "*) path="${path:+$path/}$word" ;;
         esac ;;
    esac
  done
  case "$path" in
<% for (const [path, words] of Object.entries(it.words)) { %>
    "<%= path.replaceAll(' ', '/') %>") COMPREPLY=($(compgen -W "<%= words.join(' ') %>" -- "$current")) ;;
<% } %>
  esac
}
complete -o default -F _edgeadm edgeadm
