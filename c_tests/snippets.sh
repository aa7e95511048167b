# snippets.sh: takes the README apart; to be sourced once `$root`, the project, is known.
#
#   snippets FOLDER   writes each block of code that a comment `snippet: FILE` names to that file
#                     in FOLDER

snippets() {
  awk -v folder="$1" '
    /^<!-- snippet: .* -->$/ { file = folder "/" $3; next }
    file != "" && /^```/ { if (inside) { close(file); file = ""; inside = 0 } else inside = 1; next }
    inside {
      if (!(file in made)) {
        made[file] = 1
        path = file
        sub("/[^/]*$", "", path)
        system("mkdir -p \"" path "\"")
      }
      print > file
    }' "$root/README.md"
}
