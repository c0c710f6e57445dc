/**
 * The shell functions by which a host changes its file of keys: `outranks` and `change` are called by what authorized-keys.ts
 * puts after them, with its data in variables. POSIX sh and awk, as every Unix has them; `flock` and `readlink -f` are used
 * where they are.
 */
export const functions = String.raw`set -u
umask 077
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
temporary=

end() {
  [ -z "$temporary" ] || rm -f "$temporary"
  printf '\nrotor:%s\n' "$1"
  exit 0
}

# With look=yes it counts lines of both keys; otherwise it writes the file as it is to be.
edit() {
  LOOK=$1 VERB=$verb FROM=$from TO=$to LINE=$line awk '
    # Where the key begins: after the options, in which blanks may stand between quotation marks. 0: no key here.
    function start(text,    at, c, quoted) {
      match(text, /^[ \t]*/)
      at = RLENGTH + 1
      if (at > length(text) || substr(text, at, 1) == "#") return 0
      if (substr(text, at) ~ /^(ssh|ecdsa|sk)-[^ \t"=,]*[ \t]/) return at
      for (; at <= length(text); at++) {
        c = substr(text, at, 1)
        if (c == "\\" && substr(text, at + 1, 1) == "\"") at++
        else if (c == "\"") quoted = !quoted
        else if ((c == " " || c == "\t") && !quoted) break
      }
      match(substr(text, at), /^[ \t]*/)
      return at + RLENGTH
    }
    function key(text, at,    parts) {
      if (at == 0) return ""
      text = substr(text, at)
      sub(/\r$/, "", text)
      split(text, parts, /[ \t]+/)
      return parts[2]
    }
    BEGIN { from = ENVIRON["FROM"]; to = ENVIRON["TO"] }
    {
      lines[NR] = $0
      starts[NR] = start($0)
      keys[NR] = key($0, starts[NR])
      if (keys[NR] == from) olds++
      if (keys[NR] == to) news++
    }
    END {
      if (ENVIRON["LOOK"] == "yes") { print olds + 0, news + 0; exit }
      adding = ENVIRON["VERB"] == "add" && news == 0
      for (n = 1; n <= NR; n++) {
        if (ENVIRON["VERB"] == "remove" && keys[n] == from) continue
        print lines[n]
        if (adding && keys[n] == from) print substr(lines[n], 1, starts[n] - 1) ENVIRON["LINE"]
      }
      if (adding && olds == 0) print ENVIRON["LINE"]
    }' "$2"
}

go_home() {
  command -v awk >/dev/null 2>&1 && command -v find >/dev/null 2>&1 || end no-tools
  home=$HOME
  if [ "$(id -un)" != "$account" ]; then
    home=$(getent passwd "$account" 2>/dev/null | cut -d: -f6)
    [ -n "$home" ] || home=$(ACCOUNT=$account awk -F: '$1 == ENVIRON["ACCOUNT"] { print $6 }' /etc/passwd)
  fi
  [ -n "$home" ] && cd "$home" 2>/dev/null || end no-home
}

as_account() {
  if command -v runuser >/dev/null 2>&1; then runuser -u "$account" -- "$@"
  else su -s /bin/sh -c 'exec "$@"' -- "$account" sh "$@"
  fi
}

# Whether root is to leave the work to the account: what the account may put in its own folders, links among it, would
# otherwise have root write elsewhere. Where all folders on the way are closed to the account, the work is root's.
outranks() {
  [ "$(id -u)" = 0 ] && [ "$(id -un)" != "$account" ] || return 1
  go_home
  as_account true </dev/null || end denied
  place=$file
  [ "${'$'}{file#/}" != "$file" ] || place=$home/$file
  real=$(readlink -f "$place" 2>/dev/null) && [ -n "$real" ] || real=$(pwd -P)/x
  is_theirs "$place" || is_theirs "$real"
}

# Whether the account owns one of the folders above, or may write to it. In a sticky one it may not touch what is there.
is_theirs() {
  at=$1
  while [ "$at" != / ]; do
    at=${'$'}{at%/*}
    [ -n "$at" ] || at=/
    [ -z "$(find "$at" -prune -user "$account" 2>/dev/null)" ] || return 0
    [ -n "$(find "$at/." -prune -perm -1000 2>/dev/null)" ] && continue
    as_account test -w "$at" </dev/null && return 0
  done
  return 1
}

change() {
  go_home
  if [ -h "$file" ]; then file=$(readlink -f "$file") || end denied; fi
  folder=${'$'}{file%/*}
  [ -n "$folder" ] || folder=/
  if [ "$verb" = add ] && [ "$anew" = yes ] && [ ! -d "$folder" ]; then
    mkdir -p "$folder" && own "$folder" || end denied
  fi
  if [ -r "$folder" ] && command -v flock >/dev/null 2>&1; then
    exec 9<"$folder"
    flock -w 5 9 || end locked
  fi
  current=$file
  [ -e "$file" ] || current=/dev/null
  before=$(cksum <"$current") && counts=$(edit yes "$current") || end denied
  olds=${'$'}{counts% *}
  news=${'$'}{counts#* }
  if [ "$verb" = add ]; then
    [ "$news" -eq 0 ] || end done
    [ "$olds" -gt 0 ] || { [ "$anew" = yes ] && [ "$current" != "$file" ]; } || end from-missing
  else
    [ "$news" -gt 0 ] || end to-missing
    [ "$olds" -gt 0 ] || end done
  fi
  temporary=$folder/.rotor.$$
  rm -f "$temporary"
  if [ "$current" = "$file" ]; then
    # A copy first, for the owner and the mode; writing into it changes neither.
    cp -p "$file" "$temporary" && edit no "$file" >"$temporary" || end denied
  else
    edit no "$current" >"$temporary" && own "$temporary" || end denied
  fi
  # A full disk shows here, before anything has taken the old file's place.
  counts=$(edit yes "$temporary") || end denied
  [ "${'$'}{counts#* }" -gt 0 ] || end denied
  if [ "$verb" = add ]; then [ "${'$'}{counts% *}" -eq "$olds" ] || end denied; fi
  # Who edits by hand takes no lock.
  [ "$(cksum <"$current")" = "$before" ] || end changed
  mv -f "$temporary" "$file" || end denied
  temporary=
  end done
}

own() {
  [ "$(id -un)" = "$account" ] || chown "$account" "$1"
}
`;
