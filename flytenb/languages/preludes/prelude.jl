# Prelude of Julia cells, for Julia 1.5 and later without packages: reads the inputs, runs the cell, writes the outputs.

using Dates

# To interpret the prelude is ten times as fast as to compile it; the cell is compiled.
if isdefined(Base, :Experimental) && isdefined(Base.Experimental, Symbol("@compiler_options"))
    @eval Base.Experimental.@compiler_options compile = min optimize = 0 infer = false
end
const COMPILE_ENABLED = findfirst(==(:compile_enabled), fieldnames(Base.JLOptions))
const INTERPRETED = Int8(3)

function set_compile(mode)
    VERSION < v"1.6" || return # Julia 1.5 has one setting for all modules
    unsafe_store!(Ptr{Int8}(cglobal(:jl_options)) + fieldoffset(Base.JLOptions, COMPILE_ENABLED), mode)
end

# Loops over many values are compiled, too.
function compiled(action)
    set_compile(Int8(1))
    result = Base.invokelatest(action)
    set_compile(INTERPRETED)
    result
end

set_compile(INTERPRETED)

const CELL = "<cell>"
const NANOS = 1_000_000_000
const MISSING = "\\N"
const WORDS = Dict(
    "b" => "a Bool", "i" => "an Int", "d" => "a Float64", "s" => "a String", "T" => "a DateTime",
    "D" => "a Period such as Second(1)", "a" => "a Date", "n" => "nothing", "f" => "the path of a file",
    "F" => "the path of a directory", "l" => "a Vector", "m" => "a Dict", "r" => "a NamedTuple or Dict",
    "t" => "a NamedTuple of vectors", "j" => "a value that JSON has",
)

struct CellError <: Exception
    message::String
end
Base.showerror(io::IO, error::CellError) = print(io, error.message)

struct Shape
    tag::String
    names::Vector{String}
    parts::Vector{Shape}
end

struct Port
    side::String
    form::String
    name::String
    shape::Shape
end

function main(code, ports_text)
    inputs = abspath(get(ENV, "FLYTENB_INPUTS", "/var/inputs"))
    outputs = abspath(get(ENV, "FLYTENB_OUTPUTS", "/var/outputs"))
    ports = [read_port(split(line, " ")) for line in split(ports_text, "\n"; keepempty = false)]
    for port in ports
        if port.side == "in"
            value = naming(() -> read_input(joinpath(inputs, port.name), port), port, outputs)
            Core.eval(Main, Expr(:(=), Symbol(port.name), QuoteNode(value)))
        end
    end
    compiled(() -> run_cell(code, outputs))
    for port in ports
        if port.side == "out"
            naming(() -> Base.invokelatest(write_output, joinpath(outputs, port.name), port), port, outputs)
        end
    end
end

read_port(words) = Port(words[1], words[2], words[3], read_shape(words[4:end]))

function naming(action, port, outputs)
    try
        return action()
    catch error
        fail(outputs, "$(port.side)put '$(port.name)': $(sprint(showerror, error))")
    end
end

function fail(outputs, text)
    message = join(Iterators.take(text, 100_000)) # co-pilot reads 1 MiB
    write(joinpath(outputs, "_ERROR"), message)
    println(stderr, message)
    exit(1)
end

# --- the cell ---------------------------------------------------------------------------------------------------------

function run_cell(code, outputs)
    try
        include_string(Main, code, CELL)
    catch error
        entries = isdefined(Base, :current_exceptions) ? Base.current_exceptions() : Base.catch_stack()
        frames = [frame for entry in entries for frame in stacktrace(entry[2]) if basename(String(frame.file)) == CELL]
        line = nothing
        while error isa LoadError
            line = error.line
            error = error.error
        end
        message = sprint(showerror, error)
        isempty(frames) || (line = first(frames).line)
        found = match(r"<cell>:(\d+)", message) # of a syntax error
        found === nothing || (line = parse(Int, found.captures[1]))
        lines = split(code, "\n")
        isnothing(line) || line > length(lines) || line < 1 || (message *= "\nline $line: $(strip(lines[line]))")
        fail(outputs, message)
    end
end

# --- shapes -----------------------------------------------------------------------------------------------------------

function read_shape(words)
    at = 0
    next() = String(words[at += 1])
    function read()
        tag = next()
        count = tag == "r" ? parse(Int, next()) : Int(tag in ("l", "m", "o"))
        names = String[]
        parts = Shape[]
        for _ in 1:count
            tag == "r" && push!(names, next())
            push!(parts, read())
        end
        Shape(tag, names, parts)
    end
    read()
end

function expected(what, value, place)
    at = isempty(place) ? "" : ", at $place"
    throw(CellError("expected $what, got $(describe(value))$at"))
end

function describe(value)
    value isa Union{Nothing, Missing} && return string(value)
    value isa AbstractArray && return "a $(typeof(value)) of length $(length(value))"
    "$(typeof(value)) $(first(repr(value), 80))"
end

# --- values without parts ---------------------------------------------------------------------------------------------

escape(text) = replace(replace(replace(text, "\\" => "\\\\"), "\n" => "\\n"), "\r" => "\\r")

function unescape(text)
    '\\' in text || return String(text)
    replace(String(text), r"\\[\\nr]" => pair -> pair[2] == 'n' ? "\n" : pair[2] == 'r' ? "\r" : "\\")
end

# Nanoseconds as a whole number; more than 292 years need more than 64 bits.
function read_nanos(text)
    seconds, nanos = split(text, " ")
    parse(Int128, seconds) * NANOS + parse(Int128, nanos)
end

function read_moment(nanos)
    nanos % 1_000_000 == 0 || throw(CellError("expected whole milliseconds, which DateTime can hold, got $nanos ns since 1970"))
    DateTime(1970) + Millisecond(Int64(div(nanos, 1_000_000)))
end

function read_span(nanos)
    abs(nanos) <= typemax(Int64) || throw(CellError("expected at most 292 years, which Nanosecond can hold, got $nanos ns"))
    Nanosecond(Int64(nanos))
end

function read_scalar(tag, text)
    tag == 'b' && return text == "1"
    tag == 'i' && return parse(Int64, text)
    tag == 'd' && return parse(Float64, text)
    tag == 's' && return unescape(text)
    tag == 'T' && return read_moment(read_nanos(text))
    tag == 'D' && return read_span(read_nanos(text))
    tag == 'a' && return Date(text)
    throw(CellError("expected a tag of the lines format, got $tag"))
end

const TYPES = Dict(
    'b' => Bool, 'i' => Int64, 'd' => Float64, 's' => String, 'T' => DateTime, 'D' => Nanosecond, 'a' => Date
)

nanos_of(value::DateTime) = Int128(Dates.value(value - DateTime(1970))) * 1_000_000
nanos_of(value::Dates.FixedPeriod) = Int128(Dates.value(value)) * Dates.value(Nanosecond(oneunit(value)))
nanos_of(value::Dates.CompoundPeriod) = sum(Int128[nanos_of(part) for part in value.periods])

function seconds_text(nanos, is_signed)
    seconds, rest = is_signed ? (div(nanos, NANOS), rem(nanos, NANOS)) : (fld(nanos, NANOS), mod(nanos, NANOS))
    "$seconds $rest"
end

is_fixed(value) = value isa Dates.FixedPeriod
is_fixed(value::Dates.CompoundPeriod) = all(is_fixed, value.periods)

function write_scalar(tag, value, place)
    word = WORDS[tag]
    if tag == "b"
        value isa Bool || expected(word, value, place)
        return value ? "1" : "0"
    elseif tag == "i"
        (value isa Integer && !(value isa Bool)) || expected(word, value, place)
        typemin(Int64) <= value <= typemax(Int64) || expected("an Int of at most 64 bits", value, place)
        return string(Int64(value))
    elseif tag == "d"
        return replace(string(float_of(value, place)), "Inf" => "Inf")
    elseif tag == "s"
        value isa AbstractString || expected(word, value, place)
        isvalid(value) || expected("valid Unicode", value, place)
        return escape(value)
    elseif tag == "T"
        value isa DateTime || expected(word, value, place)
        1 <= year(value) <= 9999 || expected("a DateTime in the years 1 to 9999", value, place)
        return seconds_text(nanos_of(value), false)
    elseif tag == "D"
        is_fixed(value) || expected(word, value, place)
        return seconds_text(nanos_of(value), true)
    end
    value isa Date || expected(word, value, place)
    1 <= year(value) <= 9999 || expected("a Date in the years 1 to 9999", value, place)
    Dates.format(value, "yyyy-mm-dd")
end

function float_of(value, place)
    (value isa Real && !(value isa Bool)) || expected(WORDS["d"], value, place)
    number = Float64(value)
    value isa Integer && number != value && expected("a number that a Float64 can hold", value, place)
    number
end

# --- reading lines ----------------------------------------------------------------------------------------------------

mutable struct Lines
    texts::Vector{SubString{String}}
    at::Int
end

next_line(lines) = lines.texts[lines.at += 1]

function next_lines(lines, count)
    lines.at += count
    view(lines.texts, (lines.at - count + 1):lines.at)
end

# Values by their shape, so that an empty list has the type of its items.
function read_value(lines, shape)
    line = next_line(lines)
    tag = line[1]
    tag == 'n' && return nothing
    part = shape.tag == "o" ? shape.parts[1] : shape
    tag == 'v' && return read_vector(lines, line, nothing)
    tag == 'x' && return read_floats(lines, line, nothing)
    tag == 't' && return read_table(lines, line)
    tag == 'l' && return read_list(lines, parse(Int, line[2:end]), part)
    tag == 'm' && return read_map(lines, parse(Int, line[2:end]), part)
    read_scalar(tag, SubString(line, 2))
end

const JSON = Shape("j", String[], Shape[])

function read_list(lines, count, shape)
    item = shape.tag == "l" ? shape.parts[1] : JSON
    values = Any[read_value(lines, item) for _ in 1:count]
    item.tag == "j" ? values : convert(Vector{type_of(item)}, values)
end

function read_map(lines, count, shape)
    pairs = Pair{String, Any}[]
    for i in 1:count
        key = unescape(next_line(lines))
        item = shape.tag == "r" ? shape.parts[i] : shape.tag == "m" ? shape.parts[1] : JSON
        push!(pairs, key => read_value(lines, item))
    end
    shape.tag == "r" && return NamedTuple{Tuple(Symbol.(first.(pairs)))}(Tuple(last.(pairs)))
    shape.tag == "m" ? Dict{String, type_of(shape.parts[1])}(pairs) : Dict{String, Any}(pairs)
end

# The type of the items of a vector or dict of a shape.
function type_of(shape)
    haskey(TYPES, shape.tag[1]) && return TYPES[shape.tag[1]]
    shape.tag == "o" && return Union{Nothing, type_of(shape.parts[1])}
    shape.tag == "l" && return shape.parts[1].tag == "j" ? Vector{Any} : Vector{<:type_of(shape.parts[1])}
    shape.tag == "m" ? Dict{String, <:type_of(shape.parts[1])} : Any
end

function read_vector(lines, line, absent)
    tag = line[2]
    texts = next_lines(lines, parse(Int, first(split(SubString(line, 3), " "))))
    MISSING in texts || return TYPES[tag][read_scalar(tag, text) for text in texts]
    Union{TYPES[tag], typeof(absent)}[text == MISSING ? absent : read_scalar(tag, text) for text in texts]
end

function read_floats(lines, line, absent)
    text = String(next_line(lines))
    values = isempty(text) ? Float64[] : compiled(() -> ntoh.(reinterpret(Float64, hex2bytes(text))))
    missing_lines = split(next_line(lines), " "; keepempty = false)
    isempty(missing_lines) && return values
    optional = Vector{Union{Float64, typeof(absent)}}(values)
    for position in missing_lines
        optional[parse(Int, position) + 1] = absent
    end
    optional
end

function read_table(lines, line)
    columns = parse(Int, split(line, " ")[2])
    names = Symbol[]
    values = Any[]
    for _ in 1:columns
        push!(names, Symbol(unescape(next_line(lines))))
        push!(values, read_column(lines, next_line(lines)))
    end
    NamedTuple{Tuple(names)}(Tuple(values))
end

function read_column(lines, line)
    line[1] == 'x' && return read_floats(lines, line, missing)
    line[1] == 'v' && return read_vector(lines, line, missing)
    _, levels, rows = parse.(Int, split(SubString(line, 2), " "))
    names = unescape.(next_lines(lines, levels))
    codes = next_lines(lines, rows)
    has_missing = MISSING in codes
    type = has_missing ? Union{String, Missing} : String
    type[code == MISSING ? missing : names[parse(Int, code)] for code in codes]
end

# --- writing lines ----------------------------------------------------------------------------------------------------

is_absent(value) = value === nothing || value === missing

function to_lines(out, value, shape, place)
    tag = shape.tag
    if tag == "o" || tag == "n"
        is_absent(value) && return push!(out, "n")
        tag == "n" && expected(WORDS["n"], value, place)
        to_lines(out, value, shape.parts[1], place)
    elseif tag == "l"
        list_lines(out, value, shape.parts[1], place)
    elseif tag == "m" || tag == "r"
        map_lines(out, value, shape, place)
    elseif tag == "t"
        table_lines(out, value, place)
    elseif tag == "j"
        to_lines(out, value, json_shape(value, place), place)
    else
        push!(out, tag * write_scalar(tag, value, place))
    end
end

function list_lines(out, value, item, place)
    value isa Union{AbstractVector, Tuple, AbstractRange} || expected(WORDS["l"], value, place)
    is_optional = item.tag == "o"
    tag = is_optional ? item.parts[1].tag : item.tag
    haskey(TYPES, tag[1]) && return vector_lines(out, value, tag, is_optional, place)
    push!(out, "l$(length(value))")
    for (i, part) in enumerate(value)
        to_lines(out, part, item, "$place[$i]")
    end
end

function vector_lines(out, values, tag, is_optional, place)
    if tag != "d"
        push!(out, "v$tag$(length(values))")
        for (i, value) in enumerate(values)
            push!(out, is_optional && is_absent(value) ? MISSING : write_scalar(tag, value, "$place[$i]"))
        end
        return
    end
    absent = is_optional ? findall(is_absent, values) : Int[]
    numbers = values isa Vector{Float64} ? values : Float64[
        is_optional && is_absent(value) ? 0.0 : float_of(value, "$place[$i]") for (i, value) in enumerate(values)
    ]
    hex(numbers) = bytes2hex(collect(reinterpret(UInt8, hton.(ifelse.(isnan.(numbers), NaN, numbers)))))
    text = isempty(numbers) ? "" : compiled(() -> hex(numbers))
    push!(out, "x$(length(values))", text, join(absent .- 1, " "))
end

function map_lines(out, value, shape, place)
    value isa Union{AbstractDict, NamedTuple} || expected(WORDS[shape.tag], value, place)
    entries = Dict{String, Any}(string(key) => value[key] for key in keys(value))
    names = shape.tag == "r" ? shape.names : [string(key) for key in keys(value)]
    push!(out, "m$(length(names))")
    for (i, name) in enumerate(names)
        haskey(entries, name) || expected("$(WORDS["r"]) with $(join(shape.names, ", "))", value, place)
        push!(out, write_scalar("s", name, place))
        to_lines(out, entries[name], shape.parts[shape.tag == "r" ? i : 1], "$place.$name")
    end
end

function json_shape(value, place)
    is_absent(value) && return Shape("n", [], [])
    value isa Union{AbstractVector, Tuple} && return Shape("l", [], [JSON])
    value isa Union{AbstractDict, NamedTuple} && return Shape("m", [], [JSON])
    Shape(tag_of(typeof(value), value, place), [], [])
end

function tag_of(type, value, place)
    type <: Bool && return "b"
    type <: Integer && return "i"
    type <: Real && return "d"
    type <: AbstractString && return "s"
    type <: DateTime && return "T"
    type <: Date && return "a"
    type <: Union{Dates.FixedPeriod, Dates.CompoundPeriod} && return "D"
    expected(WORDS["j"], value, place)
end

function table_lines(out, value, place)
    value isa NamedTuple && all(column -> column isa AbstractVector, values(value)) || expected(WORDS["t"], value, place)
    rows = isempty(value) ? 0 : length(value[1])
    push!(out, "t$rows $(length(value))")
    for name in keys(value)
        column = value[name]
        length(column) == rows || expected("columns of one length, here $rows", column, "$place.$name")
        push!(out, write_scalar("s", string(name), place))
        vector_lines(out, column, column_tag(column, "$place.$name"), true, "$place.$name")
    end
end

function column_tag(column, place)
    kinds = unique(tag_of(typeof(value), value, place) for value in column if !is_absent(value))
    length(kinds) > 1 && expected("values of one type", column, place)
    isempty(kinds) || return first(kinds)
    type = Base.nonmissingtype(eltype(column))
    type in values(TYPES) ? tag_of(type, column, place) : "d"
end

# --- inputs and outputs -----------------------------------------------------------------------------------------------

function read_input(path, port)
    port.form == "direct" && return read_direct(path, port.shape)
    texts = split(read(path, String), "\n")
    read_value(Lines(texts, 0), port.shape)
end

function read_direct(path, shape)
    shape.tag in ("f", "F") && return path
    if shape.tag == "l"
        count = isdir(path) ? length(readdir(path)) : 0 # an empty list has no directory
        values = Any[read_direct(joinpath(path, string(i)), shape.parts[1]) for i in 0:(count - 1)]
        return convert(Vector{shape.parts[1].tag in ("f", "F") ? String : type_of(shape.parts[1])}, values)
    end
    from_direct(shape.tag, read(path, String))
end

const UNITS = Dict(
    "h" => 3600NANOS, "m" => 60NANOS, "s" => NANOS, "ms" => 1_000_000, "us" => 1000, "µs" => 1000, "ns" => 1
)

function from_direct(tag, text)
    tag == "b" && return text == "true"
    tag == "s" && return text
    tag == "a" && return Date(text[1:10])
    if tag == "T"
        whole, fraction = match(r"^([^.Z]*)\.?(\d*)Z", text).captures
        nanos = nanos_of(DateTime(whole)) + parse(Int128, rpad(fraction, 9, '0'))
        return read_moment(nanos)
    elseif tag == "D"
        nanos = Int128(0)
        for found in eachmatch(r"(\d+)\.?(\d*)(ms|us|µs|ns|h|m|s)", text)
            whole, fraction, unit = found.captures
            nanos += parse(Int128, whole) * UNITS[unit]
            isempty(fraction) || (nanos += div(parse(Int128, fraction) * UNITS[unit], Int128(10)^length(fraction)))
        end
        return read_span(startswith(text, "-") ? -nanos : nanos)
    end
    read_scalar(tag[1], text)
end

function write_output(path, port)
    tag = port.shape.tag
    is_file = tag in ("f", "F")
    if !isdefined(Main, Symbol(port.name))
        is_file && ispath(path) && return
        word = tag == "o" ? "a value or nothing" : WORDS[tag]
        throw(CellError("expected $word, but the cell doesn't set $(port.name)"))
    end
    value = getfield(Main, Symbol(port.name))
    is_file && return copy_to(path, value, tag)
    if port.form == "direct"
        write(path, to_direct(tag, value))
    else
        out = String[]
        to_lines(out, value, port.shape, "")
        write(path, join(out, "\n") * "\n")
    end
end

function copy_to(path, value, tag)
    value isa AbstractString || expected(WORDS[tag], value, "")
    (tag == "F" ? isdir(value) : isfile(value)) || expected("$(WORDS[tag]) that exists", value, "")
    ispath(path) && realpath(path) == realpath(value) && return
    cp(value, path; force = true, follow_symlinks = true)
end

function to_direct(tag, value)
    text = write_scalar(tag, value, "")
    tag == "b" && return value ? "true" : "false"
    tag == "T" && return Dates.format(value, "yyyy-mm-ddTHH:MM:SS.sss") * "Z"
    tag == "D" || return text
    nanos = nanos_of(value)
    abs(nanos) <= typemax(Int64) || expected("a Period of at most 292 years", value, "")
    "$(nanos)ns"
end
