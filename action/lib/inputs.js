'use strict';
// Inputs of the action, out of the variables that the runner makes of them.
const {Failure} = require('./workflow.js');

/** Inputs with one entry on each line: commas mean something in the entries themselves. */
const LINES = [
  'annotations', 'attests', 'build-args', 'build-contexts', 'cache-from', 'cache-to', 'labels', 'outputs',
  'secret-files', 'secrets', 'ulimit',
];
/** Inputs whose entries also end at commas. */
const LISTS = ['add-hosts', 'allow', 'no-cache-filters', 'platforms', 'secret-envs', 'ssh', 'tags'];
const TEXTS = [
  'builder', 'call', 'cgroup-parent', 'context', 'file', 'github-token', 'network', 'provenance', 'sbom', 'shm-size',
  'store', 'sudo', 'target', 'whittle',
];
const FLAGS = ['load', 'no-cache', 'pull', 'push'];

/**
 * Splits an input into its entries: at line ends, and at commas where they are no part of entries. An entry in double quotes
 * may have both in it; two quotes stand for one.
 */
function entries(text, {splitsAtCommas, name}) {
  const found = [];
  let entry = '';
  let isQuoted = false;
  const add = () => {
    const trimmed = entry.trim();
    // What was in quotes stays as it is, but for the quotes around a whole entry.
    if (trimmed) found.push(trimmed);
    entry = '';
  };
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isQuoted) {
      if (character !== '"') entry += character;
      else if (text[index + 1] === '"') { entry += '"'; index += 1; } else isQuoted = false;
    } else if (character === '"' && entry.trim() === '') {
      isQuoted = true;
      entry = '';
    } else if (character === '\n' || (character === ',' && splitsAtCommas)) {
      add();
    } else if (character !== '\r') {
      entry += character;
    }
  }
  if (isQuoted) throw new Failure(`the input '${name}' has a quote that does not end`);
  add();
  return found;
}

/** As YAML 1.2 has truth values. */
function flag(text, name) {
  if (['true', 'True', 'TRUE'].includes(text)) return true;
  if (['', 'false', 'False', 'FALSE'].includes(text)) return false;
  throw new Failure(`the input '${name}' is '${text}': it takes true or false`);
}

/** All inputs by their names; lists as arrays, flags as truth values, texts that are not given as ''. */
function readInputs(environment) {
  const given = (name) => (environment[`INPUT_${name.toUpperCase()}`] || '').trim();
  const inputs = {};
  for (const name of TEXTS) inputs[name] = given(name);
  for (const name of FLAGS) inputs[name] = flag(given(name), name);
  for (const name of LISTS) inputs[name] = entries(given(name), {splitsAtCommas: true, name});
  for (const name of LINES) {
    // The values of outputs are quoted by their own rules.
    inputs[name] = name === 'outputs'
      ? given(name).split('\n').map((line) => line.trim()).filter(Boolean)
      : entries(given(name), {splitsAtCommas: false, name});
  }
  inputs.sudo ||= 'auto';
  if (!['auto', 'true', 'false'].includes(inputs.sudo)) {
    throw new Failure(`the input 'sudo' is '${inputs.sudo}': it takes auto, true or false`);
  }
  return inputs;
}

module.exports = {names: [...TEXTS, ...FLAGS, ...LISTS, ...LINES], readInputs};
