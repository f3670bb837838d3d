// Prelude of Node cells, for Node 12 and later: reads the inputs, runs the cell's code, writes the outputs.
"use strict";

const fs = require("fs");
const nodePath = require("path");
const vm = require("vm");

const CELL = "<cell>";
const NANOS = 1000000000n;
const MISSING = "\\N";
const DEEPEST = 1000;
const WORDS = {
  b: "a boolean", i: "an integer Number or a BigInt", d: "a Number", s: "a string", T: "a Date", D: "a Number of milliseconds",
  a: "a Date at midnight UTC", n: "null", f: "the path of a file", F: "the path of a directory", l: "an array",
  m: "an object", r: "an object", t: "an object of arrays", j: "a value that JSON has",
};

class CellError extends Error {}

function main(code, portsText) {
  const inputs = nodePath.resolve(process.env.FLYTENB_INPUTS || "/var/inputs");
  const outputs = nodePath.resolve(process.env.FLYTENB_OUTPUTS || "/var/outputs");
  const ports = portsText.split("\n").slice(0, -1).map((line) => {
    const [side, form, name, ...words] = line.split(" ");
    return { side, form, name, shape: readShape(words) };
  });
  const naming = (side, action) => {
    for (const port of ports.filter((one) => one.side === side)) {
      try {
        action(port);
      } catch (error) {
        fail(outputs, `${side}put '${port.name}': ${error instanceof CellError ? error.message : error}`);
      }
    }
  };
  const values = {};
  naming("in", (port) => {
    values[port.name] = readInput(nodePath.join(inputs, port.name), port);
  });
  const names = ports.filter((port) => port.side === "out").map((port) => port.name);
  const cell = { isDone: false, read: () => ({}) };
  process.on("exit", (status) => {
    if (status !== 0) fail(outputs, `the cell ended with exit status ${status}`);
    naming("out", (port) => writeOutput(nodePath.join(outputs, port.name), port, cell));
  });
  run(code, values, names, cell, (error) => fail(outputs, errorText(error, code)));
}

function fail(outputs, text) {
  const message = text.slice(0, 100000); // co-pilot reads 1 MiB
  fs.writeFileSync(nodePath.join(outputs, "_ERROR"), message);
  fs.writeSync(2, message + "\n");
  process.removeAllListeners("exit");
  process.exit(1);
}

// --- the cell --------------------------------------------------------------------------------------------------------

// The code is the body of an async function, so that it may await, within one that has the inputs as variables, so that
// it may declare one of their names anew.
function run(code, values, names, cell, onError) {
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  const parts = names.map((name) => `${name}: () => typeof ${name} === "undefined" ? undefined : ${name}`);
  const given = ["require", "module", "exports", "flytenbCell", ...Object.keys(values)];
  const before = `(function (${given.join(", ")}) { return async () => { flytenbCell.read = () => ({${parts.join(", ")}}); `;
  const options = { filename: CELL, columnOffset: -before.length };
  options.importModuleDynamically = (vm.constants || {}).USE_MAIN_CONTEXT_DEFAULT_LOADER || ((name) => import(name));
  let start;
  try {
    start = vm.runInThisContext(`${before}${code}\n}; })`, options);
  } catch (error) {
    onError(error);
  }
  const module = { exports: {} };
  start(require, module, module.exports, cell, ...Object.values(values))().then(() => {
    cell.isDone = true;
  }, onError);
}

function errorText(error, code) {
  const stack = String((error && error.stack) || "");
  const found = stack.match(/<cell>:(\d+)/);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${String(error)}`;
  const lines = code.split("\n");
  if (!found || Number(found[1]) > lines.length) return message;
  return `${message}\nline ${found[1]}: ${lines[found[1] - 1].trim()}`;
}

// --- shapes ----------------------------------------------------------------------------------------------------------

function readShape(words) {
  let at = 0;
  const read = () => {
    const tag = words[at++];
    const count = tag === "r" ? Number(words[at++]) : "lmo".includes(tag) ? 1 : 0;
    const shape = { tag, names: [], parts: [] };
    for (let i = 0; i < count; i++) {
      if (tag === "r") shape.names.push(words[at++]);
      shape.parts.push(read());
    }
    return shape;
  };
  return read();
}

function expected(what, value, place) {
  throw new CellError(`expected ${what}, got ${describe(value)}${place ? `, at ${place}` : ""}`);
}

function describe(value) {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 80))}`;
  if (typeof value === "bigint") return `the BigInt ${value}`;
  if (typeof value !== "object") return `the ${typeof value} ${String(value).slice(0, 80)}`;
  return `a ${(value.constructor && value.constructor.name) || "object"}`;
}

// --- values without parts --------------------------------------------------------------------------------------------

const escape = (text) => text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/\r/g, "\\r");
const unescape = (text) => text.replace(/\\(.)/g, (_, one) => ({ n: "\n", r: "\r" })[one] || one);

function readInteger(text) {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function readNumber(text) {
  return Number(text.replace("Inf", "Infinity"));
}

// Milliseconds, as JavaScript counts time, of nanoseconds.
function readNanos(nanos, unit) {
  if (nanos % unit !== 0n) {
    throw new CellError(`expected whole ${unit === 1000n ? "microseconds" : "milliseconds"}, got ${nanos} ns: pass it as str`);
  }
  const milliseconds = Number(nanos / 1000000n) + Number(nanos % 1000000n) / 1e6;
  if (nanosOf(milliseconds) !== nanos) throw new CellError(`expected a number that JavaScript can hold, got ${nanos} ns`);
  return milliseconds;
}

function nanosOf(milliseconds) {
  const whole = Math.trunc(milliseconds);
  return BigInt(whole) * 1000000n + BigInt(Math.round((milliseconds - whole) * 1e3)) * 1000n;
}

function secondsToNanos(text) {
  const [seconds, nanos] = text.split(" ").map(BigInt);
  return seconds * NANOS + nanos;
}

const READERS = {
  b: (text) => text === "1",
  i: readInteger,
  d: readNumber,
  s: unescape,
  T: (text) => new Date(readNanos(secondsToNanos(text), 1000000n)),
  D: (text) => readNanos(secondsToNanos(text), 1000n),
  a: (text) => new Date(`${text}T00:00:00Z`),
};

function writeInteger(value, place) {
  const isWhole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!isWhole) expected(WORDS.i, value, place);
  if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) expected("an integer of at most 64 bits", value, place);
  return String(value === 0 ? 0 : value);
}

function writeNumber(value, place) {
  if (typeof value === "bigint" && BigInt(Number(value)) === value) value = Number(value);
  if (typeof value !== "number") expected(WORDS.d, value, place);
  return Object.is(value, -0) ? "-0" : String(value).replace("Infinity", "Inf");
}

function writeString(value, place) {
  if (typeof value !== "string") expected(WORDS.s, value, place);
  if (/[\ud800-\udfff]/.test(value) && /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)) {
    expected("text without half a surrogate pair", value, place);
  }
  return escape(value);
}

function writeNanos(nanos, isSigned) {
  let seconds = nanos / NANOS;
  let rest = nanos % NANOS;
  if (!isSigned && rest < 0n) [seconds, rest] = [seconds - 1n, rest + NANOS];
  return `${seconds} ${rest}`;
}

function isDate(value) {
  return Object.prototype.toString.call(value) === "[object Date]" && !Number.isNaN(value.getTime());
}

const WRITERS = {
  b: (value, place) => (typeof value === "boolean" ? String(Number(value)) : expected(WORDS.b, value, place)),
  i: writeInteger,
  d: writeNumber,
  s: writeString,
  T: (value, place) => {
    if (!isDate(value)) expected(WORDS.T, value, place);
    dateText(value, place);
    return writeNanos(nanosOf(value.getTime()), false);
  },
  D: (value, place) => {
    if (typeof value !== "number" || !Number.isFinite(value)) expected(WORDS.D, value, place);
    return writeNanos(nanosOf(value), true);
  },
  a: (value, place) => {
    if (!isDate(value) || value.getTime() % 86400000 !== 0) expected(WORDS.a, value, place);
    return dateText(value, place);
  },
};

function dateText(value, place) {
  const text = value.toISOString();
  if (!/^\d{4}-/.test(text) || text.startsWith("0000")) expected("a Date in the years 1 to 9999", value, place);
  return text.slice(0, 10);
}

// --- reading lines ---------------------------------------------------------------------------------------------------

class Lines {
  constructor(text) {
    this.texts = text.split("\n");
    this.at = 0;
  }

  next() {
    return this.texts[this.at++];
  }

  many(count) {
    this.at += count;
    return this.texts.slice(this.at - count, this.at);
  }
}

function readValue(lines) {
  const line = lines.next();
  const tag = line[0];
  const count = Number(line.slice(1));
  if (tag === "n") return null;
  if (tag === "l") return Array.from({ length: count }, () => readValue(lines));
  if (tag === "m") {
    const found = {};
    for (let i = 0; i < count; i++) set(found, unescape(lines.next()), readValue(lines));
    return found;
  }
  if (tag === "t") return readTable(lines, Number(line.split(" ")[1]));
  if (tag === "x") return Array.from(readNumbers(lines, count));
  if (tag === "v") return readVector(lines, line);
  return READERS[tag](line.slice(1));
}

// Sets a key of an object, `__proto__` too.
function set(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function readVector(lines, line) {
  const read = READERS[line[1]];
  return lines.many(parseInt(line.slice(2), 10)).map((text) => (text === MISSING ? null : read(text)));
}

function readNumbers(lines, count) {
  const bytes = Buffer.from(lines.next(), "hex");
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = bytes.readDoubleBE(8 * i);
  const missing = lines.next();
  if (missing === "") return numbers;
  const values = Array.from(numbers);
  for (const position of missing.split(" ")) values[position] = null;
  return values;
}

// A column of floats without missing values is a Float64Array, so that it stays one of floats.
function readTable(lines, columns) {
  const table = {};
  for (let i = 0; i < columns; i++) {
    const name = unescape(lines.next());
    const line = lines.next();
    set(table, name, readColumn(lines, line));
  }
  return table;
}

// What the columns of inputs hold, for those that a cell gives back: their values alone don't always show it.
const KINDS = new WeakMap();
const HELD_AS = { d: "i", D: "id", a: "T" };

function readColumn(lines, line) {
  const column = readValues(lines, line);
  KINDS.set(column, line[0] === "v" ? line[1] : line[0] === "x" ? "d" : "s");
  return column;
}

function readValues(lines, line) {
  if (line[0] === "x") return readNumbers(lines, Number(line.slice(1)));
  if (line[0] === "v") return readVector(lines, line);
  const [, levelCount, rows] = line.slice(1).split(" ").map(Number);
  const levels = lines.many(levelCount).map(unescape);
  return lines.many(rows).map((code) => (code === MISSING ? null : levels[code - 1]));
}

// --- writing lines ---------------------------------------------------------------------------------------------------

function toLines(out, value, shape, place, depth) {
  const { tag, parts } = shape;
  if (depth > DEEPEST) throw new CellError(`expected at most ${DEEPEST} levels of arrays and objects`);
  if (tag === "o" || tag === "n") {
    if (value === null || value === undefined) out.push("n");
    else if (tag === "n") expected(WORDS.n, value, place);
    else toLines(out, value, parts[0], place, depth);
  } else if (tag === "l") listLines(out, value, parts[0], place, depth);
  else if (tag === "m" || tag === "r") mapLines(out, value, shape, place, depth);
  else if (tag === "t") tableLines(out, value, place);
  else if (tag === "j") toLines(out, value, jsonShape(value, place), place, depth);
  else out.push(tag + WRITERS[tag](value, place));
}

function listLines(out, value, item, place, depth) {
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && "length" in value)) expected(WORDS.l, value, place);
  const isOptional = item.tag === "o";
  const tag = isOptional ? item.parts[0].tag : item.tag;
  if (WRITERS[tag]) return vectorLines(out, value, tag, isOptional, place);
  out.push(`l${value.length}`);
  for (let i = 0; i < value.length; i++) toLines(out, value[i], item, `${place}[${i}]`, depth + 1);
}

function vectorLines(out, value, tag, isOptional, place) {
  const isMissing = (one) => isOptional && (one === null || one === undefined);
  const missing = [];
  if (tag !== "d") {
    out.push(`v${tag}${value.length}`);
    for (let i = 0; i < value.length; i++) out.push(isMissing(value[i]) ? MISSING : WRITERS[tag](value[i], `${place}[${i}]`));
    return;
  }
  const bytes = Buffer.alloc(8 * value.length);
  for (let i = 0; i < value.length; i++) {
    if (isMissing(value[i])) missing.push(i);
    else if (typeof value[i] !== "number") writeNumber(value[i], `${place}[${i}]`);
    bytes.writeDoubleBE(isMissing(value[i]) ? 0 : Number(value[i]), 8 * i);
  }
  out.push(`x${value.length}`, bytes.toString("hex"), missing.join(" "));
}

function mapLines(out, value, shape, place, depth) {
  if (typeof value !== "object" || value === null || Array.isArray(value) || isDate(value)) expected(WORDS.m, value, place);
  const isMap = value instanceof Map;
  const names = shape.tag === "r" ? shape.names : isMap ? [...value.keys()] : Object.keys(value);
  out.push(`m${names.length}`);
  names.forEach((name, i) => {
    const where = `${place}.${name}`;
    if (!(isMap ? value.has(name) : name in value)) expected(`an object with ${shape.names.join(", ")}`, value, place);
    out.push(writeString(name, `${place} keys`));
    toLines(out, isMap ? value.get(name) : value[name], shape.parts[shape.tag === "r" ? i : 0], where, depth + 1);
  });
}

function jsonShape(value, place) {
  const json = { tag: "j", names: [], parts: [] };
  if (value === null || value === undefined) return { tag: "n" };
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return { tag: "l", parts: [json] };
  const tag = scalarTag(value);
  if (tag) return { tag };
  if (typeof value !== "object") expected(WORDS.j, value, place);
  return { tag: "m", parts: [json], names: [] };
}

function scalarTag(value) {
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0) ? "i" : "d";
  if (isDate(value)) return "T";
  return { boolean: "b", bigint: "i", string: "s" }[typeof value];
}

function tableLines(out, value, place) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) expected(WORDS.t, value, place);
  const names = Object.keys(value);
  const rows = names.length ? value[names[0]].length : 0;
  out.push(`t${rows} ${names.length}`);
  for (const name of names) {
    const column = value[name];
    if (!column || column.length !== rows || typeof column === "string") {
      expected(`arrays of one length, here ${rows}`, column, `${place}.${name}`);
    }
    out.push(writeString(name, place));
    vectorLines(out, column, columnTag(column, `${place}.${name}`), true, `${place}.${name}`);
  }
}

function columnTag(column, place) {
  if (column instanceof Float64Array || column instanceof Float32Array) return "d";
  const tags = new Set(Array.from(column).filter((one) => one !== null && one !== undefined).map(scalarTag));
  const kind = KINDS.get(column);
  if (kind && [...tags].every((tag) => (HELD_AS[kind] || "").includes(tag))) return kind;
  if (tags.size === 2 && tags.has("i") && tags.has("d")) return "d";
  if (tags.size > 1 || tags.has(undefined)) expected("values of one kind", column, place);
  return tags.size ? [...tags][0] : "d";
}

// --- inputs and outputs ----------------------------------------------------------------------------------------------

function readText(path) {
  return fs.readFileSync(path, "utf8");
}

function readInput(path, port) {
  return port.form === "lines" ? readValue(new Lines(readText(path))) : readDirect(path, port.shape);
}

function readDirect(path, shape) {
  if (shape.tag === "f" || shape.tag === "F") return path;
  if (shape.tag !== "l") return DIRECT[shape.tag](readText(path));
  const count = fs.existsSync(path) ? fs.readdirSync(path).length : 0; // an empty list has no directory
  return Array.from({ length: count }, (_, i) => readDirect(nodePath.join(path, String(i)), shape.parts[0]));
}

const UNITS = { h: 3600n * NANOS, m: 60n * NANOS, s: NANOS, ms: 1000000n, us: 1000n, "µs": 1000n, ns: 1n };

const DIRECT = {
  b: (text) => text === "true",
  i: readInteger,
  d: readNumber,
  s: (text) => text,
  T: (text) => {
    const [, whole, fraction] = text.match(/^(.*?)(?:\.(\d+))?Z$/);
    const seconds = BigInt(Date.parse(`${whole}Z`) / 1000);
    return new Date(readNanos(seconds * NANOS + BigInt((fraction || "0").padEnd(9, "0")), 1000000n));
  },
  D: (text) => {
    let nanos = 0n;
    for (const [, whole, fraction = "", unit] of text.matchAll(/(\d+)(?:\.(\d+))?(ms|us|µs|ns|h|m|s)/g)) {
      nanos += BigInt(whole) * UNITS[unit] + (BigInt(fraction || "0") * UNITS[unit]) / 10n ** BigInt(fraction.length);
    }
    return readNanos(text.startsWith("-") ? -nanos : nanos, 1000n);
  },
  a: (text) => new Date(`${text.slice(0, 10)}T00:00:00Z`),
};

function writeOutput(path, port, cell) {
  const { tag, parts } = port.shape;
  const isFile = tag === "f" || tag === "F";
  let value;
  try {
    value = cell.read()[port.name]();
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof TypeError)) throw error; // its line wasn't reached
  }
  if (value === undefined && tag !== "o" && tag !== "n") {
    if (isFile && fs.existsSync(path)) return;
    const why = cell.isDone ? "the cell doesn't set" : "the cell ended, or waits for what never happens, before it set";
    throw new CellError(`expected ${WORDS[tag]}, but ${why} ${port.name}`);
  }
  if (isFile) return copy(value, path, tag);
  if (port.form === "direct") return fs.writeFileSync(path, toDirect(value, tag));
  const out = [];
  toLines(out, value, port.shape, "", 0);
  fs.writeFileSync(path, out.join("\n") + "\n");
}

function copy(value, path, tag) {
  if (typeof value !== "string") expected(WORDS[tag], value, "");
  const isThere = fs.existsSync(value) && fs.statSync(value).isDirectory() === (tag === "F");
  if (!isThere) expected(`${WORDS[tag]} that exists`, value, "");
  if (fs.existsSync(path) && fs.realpathSync(path) === fs.realpathSync(value)) return;
  if (tag === "f") return fs.copyFileSync(value, path);
  fs.mkdirSync(path, { recursive: true });
  for (const entry of fs.readdirSync(value, { withFileTypes: true })) {
    copy(nodePath.join(value, entry.name), nodePath.join(path, entry.name), entry.isDirectory() ? "F" : "f");
  }
}

function toDirect(value, tag) {
  const text = WRITERS[tag](value, "");
  if (tag === "b") return String(value);
  if (tag === "T") return value.toISOString();
  if (tag !== "D") return text;
  const nanos = secondsToNanos(text);
  if (BigInt.asIntN(64, nanos) !== nanos) expected("a duration of at most 292 years", value, "");
  return `${nanos}ns`;
}
