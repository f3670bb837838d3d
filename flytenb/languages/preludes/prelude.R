# Prelude of R cells, in base R: reads the inputs, runs the cell's code, writes the outputs.

# Compiling the prelude takes longer than running it; `compiler::enableJIT` would load the package compiler.
jit <- .Internal(enableJIT(0L))

main <- function(code, ports) {
  options(expressions = 500000L)
  inputs <- folder("FLYTENB_INPUTS", "/var/inputs")
  outputs <- folder("FLYTENB_OUTPUTS", "/var/outputs")
  fail <- function(message) {
    message <- substr(enc2utf8(message), 1L, 100000L) # co-pilot reads 1 MiB
    writeBin(charToRaw(message), file.path(outputs, "_ERROR"))
    base::message(message)
    quit("no", 1L, FALSE)
  }
  naming <- function(what, action) tryCatch(action, error = function(e) fail(paste0(what, ": ", conditionMessage(e))))
  ports <- lapply(strsplit(strsplit(ports, "\n")[[1L]], " "), function(words) {
    list(side = words[1L], form = words[2L], name = words[3L], shape = read_shape(words[-(1:3)]))
  })
  for (port in ports) if (port[["side"]] == "in") {
    value <- naming(paste0("input '", port[["name"]], "'"), read_input(file.path(inputs, port[["name"]]), port))
    assign(port[["name"]], value, globalenv())
  }
  .Internal(enableJIT(jit))
  run(code, fail)
  .Internal(enableJIT(0L))
  for (port in ports) if (port[["side"]] == "out") {
    naming(paste0("output '", port[["name"]], "'"), write_output(file.path(outputs, port[["name"]]), port))
  }
}

folder <- function(variable, default) {
  path <- Sys.getenv(variable)
  normalizePath(if (nzchar(path)) path else default)
}

# --- the cell ---------------------------------------------------------------------------------------------------------

run <- function(code, fail) {
  lines <- strsplit(code, "\n", fixed = TRUE)[[1L]]
  at <- NA
  named <- function(message) {
    fail(paste0(message, if (!is.na(at)) paste0("\nline ", at, ": ", trimws(c(lines, "")[at]))))
  }
  file <- srcfilecopy("<cell>", lines)
  parsed <- tryCatch(parse(text = lines, keep.source = TRUE, srcfile = file, encoding = "UTF-8"), error = function(e) {
    message <- conditionMessage(e)
    at <<- as.integer(sub("^<cell>:([0-9]+):.*", "\\1", strsplit(message, "\n")[[1L]][1L]))
    named(message)
  })
  references <- attr(parsed, "srcref")
  leave <- function(save = "default", status = 0, runLast = TRUE) {
    stop(structure(class = c("leaving", "condition"), list(message = "", call = NULL, status = status)))
  }
  attach(list(quit = leave, q = leave), name = "flytenb", warn.conflicts = FALSE)
  tryCatch(
    withCallingHandlers(
      for (i in seq_along(parsed)) {
        at <- references[[i]][1L]
        shown <- withVisible(eval(parsed[[i]], globalenv()))
        if (shown[["visible"]]) print_value(shown[["value"]])
      },
      error = function(e) {
        at <<- line_of(sys.calls(), at)
      }
    ),
    leaving = function(e) if (e[["status"]] != 0) fail(paste0("the cell ended with quit(status = ", e[["status"]], ")")),
    error = function(e) {
      call <- conditionCall(e)
      where <- if (is.null(call) || identical(call[[1L]], quote(eval))) "" else paste0(" in ", deparse(call, nlines = 1L)[1L])
      named(paste0("Error", where, ": ", conditionMessage(e)))
    }
  )
}

print_value <- function(value) if (isS4(value)) methods::show(value) else print(value)

line_of <- function(calls, at) {
  for (call in rev(calls)) {
    reference <- attr(call, "srcref")
    if (!is.null(reference) && identical(attr(reference, "srcfile")[["filename"]], "<cell>")) return(reference[1L])
  }
  at
}

# --- shapes -----------------------------------------------------------------------------------------------------------

WORDS <- c(
  b = "a bool", i = "an int", d = "a float", s = "a str", T = "a datetime", D = "a timedelta", a = "a date",
  n = "NULL", f = "the path of a file", F = "the path of a directory", l = "a list", m = "a dict", r = "a record",
  t = "a table", j = "a value that JSON has"
)

read_shape <- function(words) {
  at <- 0L
  word <- function() words[at <<- at + 1L]
  read <- function() {
    tag <- word()
    count <- if (tag == "r") as.integer(word()) else as.integer(tag %in% c("l", "m", "o"))
    names <- character(count)
    parts <- vector("list", count)
    for (i in seq_len(count)) {
      if (tag == "r") names[i] <- word()
      parts[[i]] <- read()
    }
    list(tag = tag, parts = parts, names = names)
  }
  read()
}

describe <- function(value) {
  if (is.null(value)) return("NULL")
  if (is.data.frame(value)) return("a data.frame")
  if (is.function(value)) return("a function")
  if (is_grid(value)) return(paste0("an array of ", paste(dim(value), collapse = " x ")))
  kind <- if (is.object(value)) class(value)[1L] else if (is.list(value)) "list" else paste(typeof(value), "vector")
  size <- paste0(if (grepl("^[aeiouAEIOU]", kind)) "an " else "a ", kind, " of length ", length(value))
  if (is.atomic(value) && length(value) == 1L) size <- format(value)
  if (is.character(value) && length(value) == 1L && !is.na(value)) size <- encodeString(substr(value, 1L, 80L), quote = "'")
  size
}

expected <- function(what, value, place) {
  stop("expected ", what, ", got ", describe(value), if (nzchar(place)) paste0(", at ", place), call. = FALSE)
}

# --- numbers and text -------------------------------------------------------------------------------------------------

NANOS <- 1e9
MISSING <- "\\N"

# Rounds correctly, which as.numeric doesn't always.
to_double <- function(texts) {
  values <- vapply(texts, one_double, 0, USE.NAMES = FALSE)
  bad <- is.na(values) & texts != "NaN"
  if (any(bad)) stop("expected a float, got ", texts[bad][1L], call. = FALSE)
  values
}

POWERS <- cumprod(c(1, rep(10, 22L)))

one_double <- function(text) {
  value <- as.numeric(text)
  if (!is.finite(value)) return(value)
  e <- regexpr("[eE]", text)
  mantissa <- if (e > 0L) substr(text, 1L, e - 1L) else text
  dot <- regexpr(".", mantissa, fixed = TRUE)
  digits <- sub(".", "", sub("^[-+]?0*[.]?0*", "", mantissa), fixed = TRUE)
  exponent <- (if (e > 0L) as.integer(substring(text, e + 1L)) else 0L) - (if (dot > 0L) nchar(mantissa) - dot else 0L)
  sign <- if (startsWith(text, "-")) -1 else 1
  if (nchar(digits) <= 15L && abs(exponent) <= 22L) { # one rounding of two exact numbers
    whole <- if (nzchar(digits)) as.numeric(digits) else 0
    return(sign * (if (exponent < 0L) whole / POWERS[1L - exponent] else whole * POWERS[1L + exponent]))
  }
  if (is_surely_nearest(abs(value), digits, exponent)) return(value)
  sign * nearest(abs(value), utf8ToInt(digits) - 48L, exponent)
}

# Whether a double is nearer to a decimal number than half the distance to the next double, by its first 17 digits.
is_surely_nearest <- function(value, digits, exponent) {
  shown <- sprintf("%.16e", value)
  decimals <- paste0(substr(shown, 1L, 1L), substr(shown, 3L, 18L))
  padded <- substr(paste0(digits, strrep("0", 16L)), 1L, 17L)
  if (nchar(digits) > 17L || substr(decimals, 1L, 8L) != substr(padded, 1L, 8L)) return(FALSE)
  distance <- abs(as.numeric(substring(decimals, 9L)) - as.numeric(substring(padded, 9L)))
  as.integer(substring(shown, 20L)) == nchar(digits) + exponent - 1L && distance + 0.5 < 0.999 * as.numeric(decimals) * 2^-54
}

# The double that is nearest to a decimal number, from one that is near it.
nearest <- function(value, digits, exponent) {
  repeat {
    moved <- value
    for (by in c(-1L, 1L)) if (value > 0 || by > 0L) {
      other <- neighbour(value, by)
      side <- compare_twice(digits, exponent, value, other) * by
      if (is.finite(other) && (side > 0L || (side == 0L && is_odd(value)))) moved <- other
    }
    if (moved == value) return(value)
    value <- moved
  }
}

halves <- function(value) readBin(writeBin(value, raw(), endian = "big"), "integer", 4L, 2L, FALSE, "big")
is_odd <- function(value) halves(value)[4L] %% 2L == 1L

neighbour <- function(value, by) {
  words <- halves(value)
  i <- 4L
  repeat {
    words[i] <- words[i] + by
    if (words[i] >= 0L && words[i] <= 65535L) break
    words[i] <- words[i] - by * 65536L
    i <- i - 1L
  }
  bytes <- as.raw(rbind(words %/% 256L, words %% 256L))
  readBin(bytes, "double", 1L, endian = "big")
}

# The sign of twice a decimal number less the sum of two doubles, whose decimals `sprintf` writes in full.
compare_twice <- function(digits, exponent, one, other) {
  difference <- integer(310L + 1074L)
  places <- 310L - exponent - length(digits) + seq_along(digits)
  inside <- places >= 1L & places <= length(difference)
  difference[places[inside]] <- 2L * digits[inside]
  for (text in sprintf("%.1074f", c(one, other))) {
    shown <- utf8ToInt(sub(".", "", text, fixed = TRUE)) - 48L
    places <- length(difference) - length(shown) + seq_along(shown)
    difference[places] <- difference[places] - shown
  }
  sum <- 0L
  for (digit in difference[difference != 0L | cumsum(difference != 0L) > 0L]) {
    sum <- sum * 10L + digit
    if (abs(sum) >= 2L) break # what follows is less than 2
  }
  sign(sum)
}

to_integer <- function(texts) {
  values <- suppressWarnings(as.numeric(texts))
  bad <- abs(values) >= 2^53
  if (any(bad, na.rm = TRUE)) {
    stop("expected an int below 2^53, which R can hold, got ", texts[which(bad)[1L]], ": pass it as str", call. = FALSE)
  }
  if (any(abs(values) > .Machine[["integer.max"]], na.rm = TRUE)) values else as.integer(values)
}

unescape <- function(texts) {
  found <- grep("\\", texts, fixed = TRUE)
  texts[found] <- vapply(strsplit(paste0(texts[found], "."), "\\\\", fixed = TRUE), function(pieces) {
    pieces <- gsub("\\r", "\r", gsub("\\n", "\n", pieces, fixed = TRUE), fixed = TRUE)
    whole <- paste(pieces, collapse = "\\")
    substr(whole, 1L, nchar(whole) - 1L)
  }, "")
  texts
}

escape <- function(texts) {
  if (!all(validUTF8(texts) | Encoding(texts) == "latin1")) stop("expected text in UTF-8, got other bytes", call. = FALSE)
  texts <- enc2utf8(texts)
  texts <- gsub("\\", "\\\\", texts, fixed = TRUE)
  gsub("\r", "\\r", gsub("\n", "\\n", texts, fixed = TRUE), fixed = TRUE)
}

# Seconds and nanoseconds as seconds; R's numbers hold microseconds of a few centuries.
to_seconds <- function(whole, nanos) {
  seconds <- whole + nanos / NANOS
  parts <- whole_micros(seconds)
  bad <- parts[["whole"]] != whole - (nanos < 0) | parts[["micros"]] * 1000 != nanos + NANOS * (nanos < 0)
  if (any(bad, na.rm = TRUE)) {
    i <- which(bad)[1L]
    stop("expected whole microseconds, which R can hold, got ", whole[i], " s and ", nanos[i], " ns", call. = FALSE)
  }
  seconds
}

whole_micros <- function(seconds) {
  whole <- floor(seconds)
  micros <- round((seconds - whole) * 1e6)
  list(whole = whole + (micros == 1e6), micros = micros * (micros < 1e6))
}

# Seconds and nanoseconds of a duration, both with its sign, or since 1970.
seconds_text <- function(seconds, is_signed) {
  parts <- whole_micros(if (is_signed) abs(seconds) else seconds)
  sign <- ifelse(is_signed & seconds < 0, -1, 1)
  sprintf("%.0f %.0f", sign * parts[["whole"]] + 0, sign * parts[["micros"]] * 1000 + 0)
}

as_moment <- function(seconds) structure(seconds, class = c("POSIXct", "POSIXt"), tzone = "UTC")
as_span <- function(seconds) structure(seconds, class = "difftime", units = "secs")
as_seconds <- function(value) {
  if (inherits(value, "difftime")) units(value) <- "secs"
  as.numeric(if (inherits(value, "POSIXlt")) as.POSIXct(value) else value)
}

date_text <- function(dates) {
  parts <- as.POSIXlt(dates)
  sprintf("%04d-%02d-%02d", parts$year + 1900L, parts$mon + 1L, parts$mday)
}

# --- reading lines ----------------------------------------------------------------------------------------------------

read_text <- function(path) {
  bytes <- readBin(path, "raw", file.size(path))
  if (any(bytes == as.raw(0L))) stop("expected text without NUL characters, which R can't hold", call. = FALSE)
  bytes
}

utf8 <- function(texts) {
  Encoding(texts) <- "UTF-8"
  texts
}

read_lines <- function(path, is_json) {
  cursor <- new.env()
  cursor[["is_json"]] <- is_json
  cursor[["lines"]] <- utf8(strsplit(rawToChar(read_text(path)), "\n", fixed = TRUE, useBytes = TRUE)[[1L]])
  cursor[["at"]] <- 0L
  read_value(cursor)
}

next_line <- function(cursor) {
  cursor[["at"]] <- cursor[["at"]] + 1L
  cursor[["lines"]][cursor[["at"]]]
}

next_lines <- function(cursor, count) {
  start <- cursor[["at"]]
  cursor[["at"]] <- start + count
  cursor[["lines"]][start + seq_len(count)]
}

# Without recursion, for which R's stack is too small. Values of lists that aren't full wait in `values`, in the places
# after that of their list.
read_value <- function(cursor) {
  values <- list()
  keys <- character()
  starts <- integer()
  sizes <- integer()
  is_map <- logical()
  at <- 0L
  depth <- 0L
  repeat {
    line <- next_line(cursor)
    tag <- substr(line, 1L, 1L)
    at <- at + 1L
    if (tag %in% c("l", "m") && line != paste0(tag, "0")) {
      depth <- depth + 1L
      starts[depth] <- at
      sizes[depth] <- as.integer(substring(line, 2L))
      is_map[depth] <- tag == "m"
      if (tag == "m") keys[at + 1L] <- unescape(next_line(cursor))
      next
    }
    value <- read_whole(cursor, tag, line)
    while (depth > 0L && at - starts[depth] == sizes[depth]) {
      values[at] <- list(value)
      at <- starts[depth]
      places <- at + seq_len(sizes[depth])
      value <- values[places]
      if (is_map[depth]) names(value) <- keys[places]
      depth <- depth - 1L
    }
    if (depth == 0L) return(value)
    values[at] <- list(value)
    if (is_map[depth]) keys[at + 1L] <- unescape(next_line(cursor))
  }
}

read_whole <- function(cursor, tag, line) {
  switch(tag,
    n = NULL,
    l = list(),
    m = structure(list(), names = character()),
    t = read_table(cursor, as.integer(strsplit(substring(line, 2L), " ")[[1L]])),
    v = ,
    x = ,
    c = one_item(read_column(cursor, line), cursor),
    from_payload(tag, substring(line, 2L))
  )
}

# A list of one item in JSON; alone it would be written as the item.
one_item <- function(value, cursor) if (cursor[["is_json"]] && length(value) == 1L) I(value) else value

read_table <- function(cursor, size) {
  names <- character(size[2L])
  columns <- vector("list", size[2L])
  for (i in seq_len(size[2L])) {
    names[i] <- unescape(next_line(cursor))
    columns[[i]] <- read_column(cursor, next_line(cursor), "")
  }
  structure(columns, names = names, class = "data.frame", row.names = .set_row_names(size[1L]))
}

read_column <- function(cursor, line, zone = "UTC") {
  tag <- substr(line, 1L, 1L)
  if (tag == "x") return(read_doubles(cursor, as.integer(substring(line, 2L))))
  if (tag == "c") {
    size <- as.integer(strsplit(substring(line, 2L), " ")[[1L]])
    levels <- unescape(next_lines(cursor, size[2L]))
    codes <- suppressWarnings(as.integer(next_lines(cursor, size[3L])))
    return(structure(codes, levels = levels, class = c(if (size[1L] == 1L) "ordered", "factor")))
  }
  words <- strsplit(substring(line, 3L), " ")[[1L]]
  tag <- substr(line, 2L, 2L)
  values <- from_payload(tag, next_lines(cursor, as.integer(words[1L])))
  if (tag == "T") attr(values, "tzone") <- if (length(words) > 1L) words[2L] else zone
  values
}

NIBBLES <- integer(256L)
NIBBLES[utf8ToInt("0123456789abcdef") + 1L] <- 0:15
DIGITS <- charToRaw("0123456789abcdef")

read_doubles <- function(cursor, count) {
  nibbles <- NIBBLES[as.integer(charToRaw(next_line(cursor))) + 1L]
  bytes <- as.raw(odd(nibbles) * 16L + even(nibbles))
  values <- readBin(bytes, "double", count, endian = "big")
  values[as.integer(strsplit(next_line(cursor), " ")[[1L]]) + 1L] <- NA
  values
}

# The values of texts without their tag.
from_payload <- function(tag, texts) {
  is_missing <- texts == MISSING
  values <- switch(tag,
    b = texts == "1",
    i = to_integer(texts),
    d = to_double(texts),
    s = unescape(texts),
    T = as_moment(from_seconds(texts)),
    D = as_span(from_seconds(texts)),
    a = as.Date(ifelse(is_missing, NA, texts)),
    stop("unexpected tag ", tag)
  )
  values[is_missing] <- NA
  values
}

from_seconds <- function(texts) {
  numbers <- suppressWarnings(as.numeric(unlist(strsplit(sub(MISSING, "NA NA", texts, fixed = TRUE), " "))))
  to_seconds(odd(numbers), even(numbers))
}

# Every second element, from the first or from the second on.
odd <- function(values) values[seq_len(length(values) %/% 2L) * 2L - 1L]
even <- function(values) values[seq_len(length(values) %/% 2L) * 2L]

# --- writing lines ----------------------------------------------------------------------------------------------------

# Parts wait on a stack, from the last to the first.
to_lines <- function(value, shape, place) {
  lines <- list()
  waiting <- list(part(value, shape, place))
  depth <- 1L
  while (depth > 0L) {
    item <- waiting[[depth]]
    depth <- depth - 1L
    if (!is.character(item)) item <- write_value(item[["value"]], item[["shape"]], item[["place"]])
    if (is.character(item)) {
      lines[[length(lines) + 1L]] <- item
    } else {
      waiting[depth + seq_along(item)] <- rev(item)
      depth <- depth + length(item)
    }
  }
  unlist(lines)
}

part <- function(value, shape, place) list(value = value, shape = shape, place = place)

# The lines of a value, or a list of lines and parts.
write_value <- function(value, shape, place) {
  tag <- shape[["tag"]]
  if (tag == "o") {
    if (is.null(value) || is_na(value)) return("n")
    return(list(part(value, shape[["parts"]][[1L]], place)))
  }
  switch(tag,
    n = if (is.null(value) || is_na(value)) "n" else expected("NULL", value, place),
    l = list_lines(value, shape[["parts"]][[1L]], place),
    m = ,
    r = map_lines(value, shape, place),
    t = table_lines(value, place),
    j = list(part(value, json_shape(value, place), place)),
    {
      if (length(value) != 1L || is.list(value)) expected(WORDS[[tag]], value, place)
      paste0(tag, payload(tag, value, FALSE, place))
    }
  )
}

is_na <- function(value) is.atomic(value) && length(value) == 1L && is.na(value) && !is.nan(value)
is_vector <- function(value) (is.atomic(value) || inherits(value, "POSIXlt")) && !is_grid(value)
is_grid <- function(value) sum(dim(value) > 1L) > 1L

list_lines <- function(value, item, place) {
  is_optional <- item[["tag"]] == "o"
  scalar <- if (is_optional) item[["parts"]][[1L]][["tag"]] else item[["tag"]]
  if (is.null(value)) value <- list()
  if (!is_vector(value) && !is.list(value)) expected("a list", value, place)
  if (scalar %in% c("b", "i", "d", "s", "T", "D", "a")) {
    if (is_vector(value)) return(vector_lines(scalar, value, is_optional, place))
    if (length(value) == 0L) return(vector_lines(scalar, EMPTY[[scalar]], is_optional, place))
  }
  items <- lapply(seq_along(value), function(i) part(value[[i]], item, paste0(place, "[[", i, "]]")))
  c(paste0("l", length(value)), items)
}

EMPTY <- list(
  b = logical(), i = integer(), d = double(), s = character(), T = as_moment(double()), D = as_span(double()),
  a = as.Date(character())
)

map_lines <- function(value, shape, place) {
  is_record <- shape[["tag"]] == "r"
  what <- if (is_record) paste("a list with the names", toString(shape[["names"]])) else "a list with names"
  names <- if (is_record) shape[["names"]] else names(value)
  if (is.null(value) || !(is.list(value) || is_vector(value))) expected(what, value, place)
  if (!all(names %in% names(value)) || length(names) < (if (is_record) 0L else length(value))) {
    expected(what, value, place)
  }
  if (anyNA(names) || anyDuplicated(names)) stop("expected every name once", if (nzchar(place)) paste0(", at ", place), call. = FALSE)
  items <- lapply(seq_along(names), function(i) {
    item <- shape[["parts"]][[if (is_record) i else 1L]]
    list(escape(names[i]), part(value[[if (is_record) names[i] else i]], item, paste0(place, "$", names[i])))
  })
  c(paste0("m", length(names)), unlist(items, recursive = FALSE))
}

json_shape <- function(value, place) {
  json <- list(tag = "j")
  is_list <- inherits(value, "AsIs")
  if (is.null(value) || (is_na(value) && !is_list)) return(list(tag = "n"))
  if (!is.null(names(value)) && !inherits(value, "POSIXlt")) return(list(tag = "m", parts = list(json)))
  if (is_vector(value)) {
    scalar <- list(tag = tag_of(value, place))
    if (length(value) == 1L && !is_list) return(scalar)
    return(list(tag = "l", parts = list(list(tag = "o", parts = list(scalar)))))
  }
  if (!is.list(value)) expected(WORDS[["j"]], value, place)
  list(tag = "l", parts = list(json))
}

tag_of <- function(value, place) {
  if (inherits(value, "POSIXt")) return("T")
  if (inherits(value, "difftime")) return("D")
  if (inherits(value, "Date")) return("a")
  if (is.factor(value)) return("s")
  kind <- c(logical = "b", integer = "i", double = "d", character = "s")[typeof(value)]
  if (is.na(kind)) expected("logical, integer, double, character, factor or times", value, place)
  kind[[1L]]
}

table_lines <- function(value, place) {
  if (!is.data.frame(value)) expected("a data.frame", value, place)
  rows <- attr(value, "row.names")
  if (is.character(rows) && !all(grepl("^[0-9]+$", rows))) { # numbers as text are those that a model gives
    stop("expected a data.frame without row names, which a table can't hold: make them a column", call. = FALSE)
  }
  if (nrow(value) && !length(value)) expected("columns", value, place)
  if (anyDuplicated(names(value))) stop("expected every name of a column once", call. = FALSE)
  columns <- lapply(names(value), function(name) {
    c(escape(name), column_lines(value[[name]], paste0(place, "$", name)))
  })
  c(paste0("t", nrow(value), " ", length(value)), unlist(columns))
}

column_lines <- function(value, place) {
  if (!is_vector(value) || !is.null(dim(value))) expected("a vector", value, place)
  if (is.factor(value)) {
    codes <- ifelse(is.na(value), MISSING, as.character(as.integer(value)))
    first <- paste0("c", as.integer(is.ordered(value)), " ", nlevels(value), " ", length(value))
    return(c(first, escape(levels(value)), codes))
  }
  lines <- vector_lines(tag_of(value, place), value, TRUE, place)
  zone <- attr(value, "tzone")[1L]
  if (inherits(value, "POSIXt") && !is.null(zone) && nzchar(zone)) lines[1L] <- paste(lines[1L], zone)
  lines
}

vector_lines <- function(tag, value, is_optional, place) {
  if (tag != "d") return(c(paste0("v", tag, length(value)), payload(tag, value, is_optional, place)))
  check(tag, value, is_optional, place)
  value <- as.double(value)
  is_missing <- is.na(value) & !is.nan(value)
  value[is.na(value)] <- NaN # of one payload
  bytes <- as.integer(writeBin(value, raw(), endian = "big"))
  text <- rawToChar(rbind(DIGITS[bytes %/% 16L + 1L], DIGITS[bytes %% 16L + 1L]))
  c(paste0("x", length(value)), text, paste(which(is_missing) - 1L, collapse = " "))
}

check <- function(tag, value, is_optional, place) {
  fits <- switch(tag,
    b = is.logical(value),
    i = ,
    d = is.numeric(value),
    s = is.character(value) || is.factor(value),
    T = inherits(value, "POSIXt"),
    D = inherits(value, "difftime"),
    a = inherits(value, "Date")
  )
  is_all_missing <- is_optional && all(is.na(value))
  if (!fits && !(is_all_missing && is.logical(value))) expected(WORDS[[tag]], value, place)
  bad <- if (is_optional) FALSE else is.na(value)
  if (tag == "d") bad <- bad & !is.nan(value)
  if (tag == "i") bad <- bad | (!is.na(value) & (value != floor(value) | abs(value) >= 2^53)) | is.nan(as.double(value))
  if (tag %in% c("T", "D", "a")) bad <- bad | is.infinite(as.numeric(value))
  if (any(bad)) {
    i <- which(bad)[1L]
    expected(WORDS[[tag]], value[i], if (length(value) > 1L) paste0(place, "[", i, "]") else place)
  }
}

# The texts of values, without their tag.
payload <- function(tag, value, is_optional, place) {
  check(tag, value, is_optional, place)
  texts <- switch(tag,
    b = ifelse(value, "1", "0"),
    i = sprintf("%.0f", as.double(value)),
    d = sprintf("%.17g", as.double(value)),
    s = escape(as.character(value)),
    T = seconds_text(as_seconds(value), FALSE),
    D = seconds_text(as_seconds(value), TRUE),
    a = date_text(value)
  )
  texts[is.na(value) & tag != "d"] <- MISSING
  texts
}

# --- inputs and outputs -----------------------------------------------------------------------------------------------

read_input <- function(path, port) {
  if (port[["form"]] == "lines") return(read_lines(path, has_json(port[["shape"]])))
  read_direct(path, port[["shape"]])
}

has_json <- function(shape) shape[["tag"]] == "j" || any(vapply(shape[["parts"]], has_json, NA))

read_direct <- function(path, shape) {
  tag <- shape[["tag"]]
  if (tag %in% c("f", "F")) return(path)
  if (tag != "l") return(from_direct(tag, utf8(rawToChar(read_text(path)))))
  item <- shape[["parts"]][[1L]]
  paths <- file.path(path, seq_len(length(list.files(path, all.files = TRUE, no.. = TRUE))) - 1L)
  if (item[["tag"]] == "l") return(lapply(paths, read_direct, item))
  if (item[["tag"]] %in% c("f", "F")) return(paths)
  if (length(paths) == 0L) return(EMPTY[[item[["tag"]]]])
  from_direct(item[["tag"]], utf8(vapply(paths, function(path) rawToChar(read_text(path)), "", USE.NAMES = FALSE)))
}

from_direct <- function(tag, texts) {
  switch(tag,
    b = texts == "true",
    i = to_integer(texts),
    d = to_double(texts),
    s = texts,
    T = as_moment(moment_seconds(texts)),
    D = as_span(vapply(texts, span_seconds, 0, USE.NAMES = FALSE)),
    a = as.Date(substr(texts, 1L, 10L))
  )
}

moment_seconds <- function(texts) {
  number <- function(first, last) as.numeric(substr(texts, first, last))
  whole <- as.numeric(as.Date(substr(texts, 1L, 10L))) * 86400 + number(12L, 13L) * 3600 + number(15L, 16L) * 60
  fraction <- sub("Z", "", sub(".", "", substring(texts, 20L), fixed = TRUE), fixed = TRUE)
  to_seconds(whole + number(18L, 19L), as.numeric(substr(paste0(fraction, "000000000"), 1L, 9L)))
}

UNITS <- c(h = 3600 * NANOS, m = 60 * NANOS, s = NANOS, ms = 1e6, us = 1e3, "\u00b5s" = 1e3, ns = 1)

# A duration of Go such as -1h2m3.5s, in whole seconds and nanoseconds that doubles hold.
span_seconds <- function(text) {
  parts <- regmatches(text, gregexpr("[0-9]+([.][0-9]+)?[^-0-9.]+", text))[[1L]]
  unit <- UNITS[sub("^[0-9.]+", "", parts)]
  number <- sub("[^0-9.]+$", "", parts)
  whole <- as.numeric(sub("[.].*", "", number))
  digits <- ifelse(grepl(".", number, fixed = TRUE), sub("^[0-9]*[.]", "", number), "0")
  nanos <- as.numeric(digits) * unit / 10^nchar(digits)
  seconds <- ifelse(unit >= NANOS, whole * (unit / NANOS), 0)
  nanos <- sum(nanos + ifelse(unit >= NANOS, 0, whole * unit))
  sign <- if (startsWith(text, "-")) -1 else 1
  to_seconds(sign * (sum(seconds) + nanos %/% NANOS), sign * (nanos %% NANOS))
}

write_output <- function(path, port) {
  name <- port[["name"]]
  shape <- port[["shape"]]
  tag <- shape[["tag"]]
  is_file <- tag %in% c("f", "F")
  if (!exists(name, globalenv(), inherits = FALSE)) {
    if (is_file && file.exists(path)) return(invisible())
    stop("expected ", if (tag == "o") "a value or NULL" else WORDS[[tag]], ", but the cell doesn't set ", name, call. = FALSE)
  }
  value <- get(name, globalenv(), inherits = FALSE)
  if (is_file) return(copy(value, path, tag))
  text <- if (port[["form"]] == "lines") paste0(to_lines(value, shape, ""), "\n", collapse = "") else to_direct(value, tag)
  writeBin(charToRaw(text), path)
}

copy <- function(value, path, tag) {
  if (!is.character(value) || length(value) != 1L || is.na(value)) expected(WORDS[[tag]], value, "")
  if (!file.exists(value) || dir.exists(value) != (tag == "F")) stop("expected ", WORDS[[tag]], " that exists, got '", value, "'", call. = FALSE)
  if (file.exists(path) && normalizePath(value) == normalizePath(path)) return(invisible())
  if (tag == "F") {
    dir.create(path, FALSE)
    value <- list.files(value, full.names = TRUE, all.files = TRUE, no.. = TRUE)
  }
  if (!all(file.copy(value, path, overwrite = TRUE, recursive = tag == "F"))) stop("can't copy ", value[1L], call. = FALSE)
}

to_direct <- function(value, tag) {
  if (length(value) != 1L || is.list(value)) expected(WORDS[[tag]], value, "")
  text <- payload(tag, value, FALSE, "")
  if (tag == "b") return(if (text == "1") "true" else "false")
  if (!tag %in% c("T", "D")) return(text)
  parts <- as.numeric(strsplit(text, " ")[[1L]])
  if (tag == "D") {
    if (abs(parts[1L]) > 9223372035) stop("expected a timedelta of at most 292 years, got ", format(value), call. = FALSE)
    return(sprintf("%s%.0fs%.0fns", if (any(parts < 0)) "-" else "", abs(parts[1L]), abs(parts[2L])))
  }
  rest <- parts[1L] %% 86400
  time <- sprintf("T%02.0f:%02.0f:%02.0f.%09.0fZ", rest %/% 3600, rest %/% 60 %% 60, rest %% 60, parts[2L])
  paste0(date_text(structure(parts[1L] %/% 86400, class = "Date")), time)
}
