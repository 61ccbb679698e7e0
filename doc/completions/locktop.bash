# bash completion for locktop
