#compdef edgeadm
# zsh completion for edgeadm
_edgeadm() {
  local path="" word
  local -A candidates
  candidates=(
<% for (const [path, words] of Object.entries(it.words)) { %>
    "/<%= path.replaceAll(' ', '/') %>" "<%= words.join(' ') %>"
<% } %>
  )
  for word in ${words[2,CURRENT-1]}; do
    [[ -n ${candidates[$path/$word]} ]] && path="$path/$word"
  done
  compadd -- ${=candidates[${path:-/}]}
}
compdef _edgeadm edgeadm
