# Exit status 0 when the command on stdin would remove the root or somebody's whole home, else 1.
#
# The same rules as python/safety.py: words, quotes and separators as a shell sees them, behind the usual
# wrappers. Runs under any awk; with LC_ALL=C, one character is one byte.

BEGIN {
    KEYWORDS = " if then else elif while until do ! { time "
    WRAPPERS = " sudo doas env command builtin exec nohup nice ionice timeout stdbuf setsid xargs busybox chroot caffeinate "
    SHELLS = " sh bash zsh dash ksh fish "
    GLOBS = " * .* ** {*,.*} {.*,*} .[!.]* "
}

# The text of a here-document is no command, unless a shell reads it.
document != "" {
    end = $0
    gsub(/^[ \t]+|[ \t]+$/, "", end)
    if (end == document) document = ""
    next
}
{
    text = text $0 "\n"
    if (match($0, /<<-?[ \t]*['"]?[A-Za-z0-9_]+/) && !names_a_shell(substr($0, 1, RSTART - 1))) {
        document = substr($0, RSTART, RLENGTH)
        sub(/^<<-?[ \t]*['"]?/, "", document)
    }
}

END { exit !destructive(text, 0) }

function names_a_shell(line,    parts, count, i) {
    count = split(line, parts, /[ \t]+/)
    for (i = 1; i <= count; i++) if (parts[i] != "" && is_in(SHELLS, basename(parts[i]))) return 1
    return 0
}

function is_in(list, name) { return index(list, " " name " ") > 0 }

function basename(path) { sub(/^.*\//, "", path); return path }

function destructive(text, depth,    length_, i, c, quote, word, begun, comment, words, n, skip, found) {
    if (depth > 4 || text !~ /r["'\\]*m/) return 0
    gsub(/\\\n/, " ", text)
    length_ = length(text)
    for (i = 1; i <= length_ + 1 && !found; i++) {
        c = substr(text, i, 1)
        if (i > length_) { c = "\n"; quote = "" }
        if (comment && c != "\n") continue
        comment = quote == "" && !begun && c == "#"
        if (quote != "") {
            if (c == quote) quote = ""
            else if (c == "\\" && quote == "\"" && index("\"\\", substr(text, i + 1, 1))) word = word substr(text, ++i, 1)
            else word = word c
        } else if (c == "'" || c == "\"") { quote = c; begun = 1 }
        else if (c == "\\") { word = word substr(text, ++i, 1); begun = 1 }
        else if (index(" \t\r\n;&|()<>`", c)) {
            if (begun) {
                if (nests(word, depth)) found = 1
                # The file descriptor of `2>` is no word.
                if (!skip && !((c == "<" || c == ">") && word ~ /^[0-9]+$/)) words[++n] = word
                skip = 0; word = ""; begun = 0
            }
            if (c == "<" || c == ">") skip = 1
            else if (index("\n;&|()`", c)) {
                # `2>&1` goes on; any other separator ends the command.
                if (c == "&" && skip) continue
                if (removes_all(words, n, depth)) found = 1
                n = 0; skip = 0
            }
        } else if (!comment) { word = word c; begun = 1 }
    }
    return found
}

# Command substitutions inside of a word, which were quoted.
function nests(word, depth,    parts, count, i) {
    if (word !~ /\$\(|`/) return 0
    gsub(/\\`/, "", word)
    count = split(word, parts, /\$\(|`/)
    for (i = 2; i <= count; i++) {
        sub(/\)+$/, "", parts[i])
        if (destructive(parts[i] "\n", depth + 1)) return 1
    }
    return 0
}

function removes_all(words, n, depth,    i, name, wrapped, after_option, rest) {
    for (i = 1; i <= n; i++) {
        name = basename(words[i])
        if (is_in(KEYWORDS, name) || words[i] ~ /^[A-Za-z_][A-Za-z0-9_]*\+?=/) continue
        if (is_in(WRAPPERS, name)) { wrapped = 1; after_option = 0 }
        else if (wrapped && words[i] ~ /^-/) after_option = 1
        else if (wrapped && name != "rm" && !is_in(SHELLS, name) && (after_option || words[i] ~ /^[0-9.]+[smhd]?$/))
            after_option = 0
        else break
    }
    if (name == "eval") {
        while (++i <= n) rest = rest words[i] " "
        return destructive(rest "\n", depth + 1)
    }
    while (++i <= n) {
        if (name == "rm" && words[i] !~ /^-/ && is_everything(words[i])) return 1
        if (is_in(SHELLS, name) && words[i] ~ /^-[a-z]*c$/ && destructive(words[i + 1] "\n", depth + 1)) return 1
    }
    return 0
}

# Whether a path is the root or a home, or all that is in it.
function is_everything(path,    parts, count, i, kept, depth) {
    sub(/\$\{HOME[^}]*\}/, "~", path) || path ~ /^\$HOME([^A-Za-z0-9_]|$)/ && sub(/\$HOME/, "~", path)
    if (path ~ /^~/) sub(/^~[A-Za-z0-9_.-]*/, "", path)
    else if (path !~ /^\//) return 0
    if (path != "" && path !~ /^\//) return 0
    count = split(path, parts, "/")
    for (i = 1; i <= count; i++) {
        if (parts[i] == "" || parts[i] == ".") continue
        if (parts[i] == "..") { if (depth) depth--; continue }
        kept[++depth] = parts[i]
    }
    for (i = 1; i <= depth; i++) if (!is_in(GLOBS, kept[i])) return 0
    return 1
}
