# fish completion for locktop
