# bash completion for edgeadm
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
