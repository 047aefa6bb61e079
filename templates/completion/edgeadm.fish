# fish completion for edgeadm
function __edgeadm_words
    set -l path ""
    set -l known <%= Object.keys(it.words).filter((path) => path !== '').map((path) => '/' + path.replaceAll(' ', '/')).join(' ') %>

    for word in (commandline -opc)[2..-1]
        contains -- "$path/$word" $known; and set path "$path/$word"
    end
    switch "$path"
<% for (const [path, words] of Object.entries(it.words)) { %>
        case "<%= path === '' ? '' : '/' + path.replaceAll(' ', '/') %>"
            printf '%s\n' <%= words.join(' ') %>

<% } %>
    end
end
complete -c edgeadm -f -a '(__edgeadm_words)'
