# Prelude of shell cells for POSIX shells. $flytenb_code is the cell's text; $flytenb_ports has a line
# `in|out direct|lines NAME SHAPE` for each input and output.
set -e
: "${LANG:=C.UTF-8}"
export LANG
flytenb_inputs=${FLYTENB_INPUTS:-/var/inputs}
flytenb_outputs=${FLYTENB_OUTPUTS:-/var/outputs}
flytenb_newline='
'

flytenb_fail() { # MESSAGE
  trap - EXIT
  printf '%s' "$1" >"$flytenb_outputs/_ERROR"
  printf '%s\n' "$1" >&2
  exit 1
}

flytenb_each_port() { # SIDE FUNCTION: calls it with NAME FORM SHAPE
  flytenb_rest=$flytenb_ports
  while [ -n "$flytenb_rest" ]; do
    flytenb_port=${flytenb_rest%%"$flytenb_newline"*}
    flytenb_rest=${flytenb_rest#*"$flytenb_newline"}
    IFS=' ' read -r flytenb_side flytenb_form flytenb_name flytenb_shape <<FLYTENB_END
$flytenb_port
FLYTENB_END
    if [ "$flytenb_side" = "$1" ]; then
      "$2" "$flytenb_name" "$flytenb_form" "$flytenb_shape"
    fi
  done
}

flytenb_read() { # NAME FORM SHAPE
  flytenb_path=$flytenb_inputs/$1
  case $3 in
    f | F) flytenb_value=$flytenb_path ;;
    l*)
      mkdir -p "$flytenb_path" 2>/dev/null || : # an empty list has no directory
      flytenb_value=$flytenb_path
      ;;
    b | i | d) # by the shell alone: each process takes milliseconds
      flytenb_value=''
      IFS= read -r flytenb_value <"$flytenb_path" || [ -n "$flytenb_value" ]
      ;;
    *)
      if [ "$(tr -dc '\000' <"$flytenb_path" | wc -c)" -ne 0 ]; then
        flytenb_fail "input '$1': expected text without NUL characters, which a shell variable can't hold"
      fi
      flytenb_value=$(cat "$flytenb_path" && printf x)
      flytenb_value=${flytenb_value%x}
      [ "$3" != a ] || flytenb_value=${flytenb_value%%T*}
      ;;
  esac
  eval "$1=\$flytenb_value"
}

flytenb_forget() { # NAME
  unset "$1"
}

# Put the number of its line before each command that isn't part of another, so that a failure can name it.
flytenb_number() {
  flytenb_rest=$flytenb_code$flytenb_newline flytenb_at=0 flytenb_first=1 flytenb_command='' flytenb_program=''
  while [ -n "$flytenb_rest" ]; do
    flytenb_at=$((flytenb_at + 1))
    flytenb_command=$flytenb_command${flytenb_rest%%"$flytenb_newline"*}$flytenb_newline
    flytenb_rest=${flytenb_rest#*"$flytenb_newline"}
    if (eval "flytenb_try() { :$flytenb_newline$flytenb_command}") 2>/dev/null; then
      flytenb_program="${flytenb_program}flytenb_line=$flytenb_first$flytenb_newline$flytenb_command"
      flytenb_first=$((flytenb_at + 1)) flytenb_command=''
    fi
  done
  [ -z "$flytenb_command" ] ||
    flytenb_program="${flytenb_program}flytenb_line=$flytenb_first$flytenb_newline$flytenb_command"
}

flytenb_end() { # STATUS
  set +e +u +f +x
  trap - EXIT
  unset IFS
  [ "$1" -eq 0 ] || flytenb_fail "exit status $1
line $flytenb_line: $(printf '%s\n' "$flytenb_code" | sed -n "$flytenb_line{s/^[[:blank:]]*//;s/[[:blank:]]*\$//;p;}")"
  flytenb_each_port out flytenb_write
  exit 0
}

flytenb_write() { # NAME FORM SHAPE
  flytenb_path=$flytenb_outputs/$1
  eval "flytenb_is_set=\${$1+yes} flytenb_value=\${$1-}"
  if [ -z "$flytenb_is_set" ]; then
    [ -e "$flytenb_path" ] || flytenb_fail "output '$1': expected a variable or the file $flytenb_path, got neither"
    flytenb_value=$flytenb_path
  fi
  case $3 in
    f | F) flytenb_copy "$1" "$3" ;;
    l*)
      [ -d "$flytenb_value" ] || flytenb_fail "output '$1': expected a directory with 0, 1, 2 …, got '$flytenb_value'"
      flytenb_write_list "$1" "${3#l }" >"$flytenb_path.flytenb" || exit 1
      rm -rf "$flytenb_path"
      mv "$flytenb_path.flytenb" "$flytenb_path"
      ;;
    *)
      [ -n "$flytenb_is_set" ] || flytenb_load "$flytenb_value" "$3"
      flytenb_check "$1" "$3"
      case $2 in
        lines) flytenb_line_of "$3" ;;
        *) printf '%s' "$flytenb_value" ;;
      esac >"$flytenb_path"
      ;;
  esac
}

flytenb_copy() { # NAME SHAPE
  case $2 in
    f) [ -f "$flytenb_value" ] || flytenb_fail "output '$1': expected the path of a file, got '$flytenb_value'" ;;
    F) [ -d "$flytenb_value" ] || flytenb_fail "output '$1': expected the path of a directory, got '$flytenb_value'" ;;
  esac
  [ "$flytenb_value" != "$flytenb_path" ] || return 0
  case $2 in
    f) cat <"$flytenb_value" >"$flytenb_path" ;;
    F) mkdir -p "$flytenb_path" && cp -R "$flytenb_value/." "$flytenb_path/" ;;
  esac || flytenb_fail "output '$1': can't copy $flytenb_value"
}

flytenb_load() { # PATH SHAPE
  flytenb_value=$(cat "$1" && printf x)
  flytenb_value=${flytenb_value%x}
  [ "$2" = s ] || flytenb_value=${flytenb_value%"$flytenb_newline"}
}

flytenb_write_list() { # NAME SHAPE
  flytenb_folder=$flytenb_value flytenb_count=0
  while [ -e "$flytenb_folder/$flytenb_count" ]; do
    flytenb_count=$((flytenb_count + 1))
  done
  [ "$(ls -A "$flytenb_folder" | wc -l)" -eq "$flytenb_count" ] ||
    flytenb_fail "output '$1': expected a directory with 0, 1, 2 … only, got $(ls -A "$flytenb_folder" | head -n 9 | tr '\n' ' ')"
  echo "l$flytenb_count"
  flytenb_i=0
  while [ "$flytenb_i" -lt "$flytenb_count" ]; do
    flytenb_load "$flytenb_folder/$flytenb_i" "$2"
    flytenb_check "$1[$flytenb_i]" "$2"
    flytenb_line_of "$2"
    flytenb_i=$((flytenb_i + 1))
  done
}

flytenb_check() { # NAME SHAPE
  case $2 in
    b) case $flytenb_value in true | false) return ;; esac && flytenb_kind='true or false' ;;
    i)
      flytenb_kind='an int'
      case ${flytenb_value#[-+]} in '' | *[!0-9]*) ;; *) return ;; esac
      ;;
    d)
      flytenb_kind='a float'
      case ${flytenb_value#[-+]} in
        [Nn]a[Nn] | [Ii]nf) return ;;
      esac
      ! printf '%s' "$flytenb_value" | grep -Eq '^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$' || return 0
      ;;
    a)
      flytenb_kind='a date such as 2030-01-31'
      case $flytenb_value in [0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]) return ;; esac
      ;;
    *) return ;;
  esac
  flytenb_fail "output '$1': expected $flytenb_kind, got '$flytenb_value'"
}

flytenb_line_of() { # SHAPE
  case $1 in
    b) [ "$flytenb_value" = false ] && echo b0 || echo b1 ;;
    s)
      flytenb_cr=$(printf '\r')
      printf s
      printf '%s\n' "$flytenb_value" | sed -e 's/\\/\\\\/g' -e "s/$flytenb_cr/\\\\r/g" -e '$!s/$/\\n/' | tr -d '\n'
      echo
      ;;
    *) printf '%s%s\n' "$1" "$flytenb_value" ;;
  esac
}

flytenb_each_port out flytenb_forget
flytenb_each_port in flytenb_read
flytenb_number
flytenb_line=1
trap 'flytenb_end $?' EXIT
eval "$flytenb_program"
flytenb_end 0
