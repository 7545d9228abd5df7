#!/usr/bin/env bash
# The Python to install with: prints its file, and on the error stream all that were found. Of Python 3.11 to 3.13 a build
# with profile-guided optimization comes first (Debian's, the official images'), then the newest.
#   find_python.sh              the best of all
#   find_python.sh 3.12         the best of this series, or the program of that name, if it will do
#   find_python.sh --each       the best of each series, one a line: 3.12<TAB>/usr/bin/python3.12
# TURNSTILE_PYTHON_FOLDERS are the folders to look in: by default those of the PATH, where one Python may hide another,
# and those of pyenv.
set -euo pipefail
described=$(dirname "${BASH_SOURCE[0]}")/python_build.py
wanted=${1:-}

files() {
  local folders folder name
  case $wanted in
    "" | --each | 3.*) ;;
    *)
      command -v "$wanted" || true
      return
      ;;
  esac
  IFS=: read -r -a folders <<<"${TURNSTILE_PYTHON_FOLDERS:-$PATH$(pyenv_folders)}"
  for folder in "${folders[@]}"; do
    for name in python3.13 python3.12 python3.11 python3 python; do
      if [ -x "$folder/$name" ]; then echo "$folder/$name"; fi
    done
  done
}

pyenv_folders() {
  printf ':%s' "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.1[123].*/bin
}

# A line for each build, best first: rank, series, file, words. One build may have several names, links and shims.
found() {
  files | while read -r file; do
    "$file" -I -S "$described" 2>/dev/null </dev/null || true
  done | sort -u -t $'\t' -k 3,3 | sort -t $'\t' -k 1,1nr -k 3,3
}

all=$(found)
case $wanted in 3.*) all=$(awk -F '\t' -v series="$wanted" '$2 == series' <<<"$all") ;; esac
if [ -z "$all" ]; then
  echo "Turnstile needs Python 3.11, 3.12 or 3.13 with venv (Debian has it in python3-venv)${wanted:+: $wanted was not found}" >&2
  exit 1
fi
if [ "$wanted" = --each ]; then
  cut -f 2,3 <<<"$all" | sort -s -u -t $'\t' -k 1,1
  exit
fi
mark=" (taken)"
while IFS=$'\t' read -r _ _ file words; do
  echo "Python $words: $file$mark" >&2
  mark=
done <<<"$all"
head -n 1 <<<"$all" | cut -f 3
