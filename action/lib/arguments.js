'use strict';
// The command line for the inputs.
const {Failure, mask, notice} = require('./workflow.js');

/** The commit that the workflow runs for, as a context that git fetches. */
function defaultContext(environment) {
  const server = environment.GITHUB_SERVER_URL || 'https://github.com';
  let reference = environment.GITHUB_REF || '';
  // The merge commit of a pull request is on no branch; everything else is named by its commit.
  if (environment.GITHUB_SHA && !reference.startsWith('refs/pull/')) reference = environment.GITHUB_SHA;
  return `${server}/${environment.GITHUB_REPOSITORY}.git#${reference}`;
}

/** ID and value of an entry `ID=VALUE`. */
function pair(entry, name) {
  const mark = entry.indexOf('=');
  if (mark < 1) throw new Failure(`the input '${name}' has an entry that is not ID=VALUE`);
  return [entry.slice(0, mark).trim(), entry.slice(mark + 1)];
}

/** Secrets reach the program in variables: no file holds them, and no list of processes shows them. */
function secretOptions(inputs, environment, context, variables) {
  const options = [];
  const give = (id, value) => {
    const name = `WHITTLE_ACTION_SECRET_${options.length}`;
    variables[name] = value;
    options.push(`--secret=id=${id},env=${name}`);
  };
  for (const entry of inputs.secrets) {
    const [id, value] = pair(entry, 'secrets');
    if (!value) throw new Failure(`the secret '${id}' is empty`);
    mask(value);
    give(id, value);
  }
  for (const entry of inputs['secret-envs']) {
    const [id, name] = pair(entry, 'secret-envs');
    options.push(`--secret=id=${id},env=${name}`);
  }
  for (const entry of inputs['secret-files']) {
    const [id, file] = pair(entry, 'secret-files');
    options.push(`--secret=id=${id},src=${file}`);
  }
  const hasToken = options.some((option) => option.startsWith('--secret=id=GIT_AUTH_TOKEN,'));
  if (inputs['github-token'] && !hasToken && context.startsWith(defaultContext(environment))) {
    mask(inputs['github-token']);
    give('GIT_AUTH_TOKEN', inputs['github-token']);
  }
  return options;
}

/** `mode=max` and the like, with the run of the workflow as the builder, as docker's action says it. */
function provenance(value, environment) {
  if (['false', '0'].includes(value.toLowerCase()) || value.includes('builder-id=')) return value;
  const {GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run} = environment;
  if (!server || !repository || !run) return value;
  const attempt = environment.GITHUB_RUN_ATTEMPT || '1';
  const mode = ['true', '1'].includes(value.toLowerCase()) ? 'mode=min' : value;
  return `${mode},builder-id=${server}/${repository}/actions/runs/${run}/attempts/${attempt}`;
}

/**
 * @param files where the program writes the image ID and the metadata.
 * @returns words the arguments; secrets the variables that they name.
 */
function buildArguments(inputs, environment, files) {
  const own = defaultContext(environment);
  const filled = (text) => text.replaceAll('{{defaultContext}}', own);
  const context = filled(inputs.context || own);
  if (inputs.builder) notice('notice', "the input 'builder' has no effect: whittle builds by itself");
  const secrets = {};
  const words = ['build'];
  const one = (option, value) => { if (value) words.push(`--${option}=${filled(value)}`); };
  const each = (option, values) => { for (const value of values) one(option, value); };
  if (inputs.store) words.push(`--root=${inputs.store}`);
  each('add-host', inputs['add-hosts']);
  each('allow', inputs.allow);
  each('annotation', inputs.annotations);
  each('attest', inputs.attests);
  each('build-arg', inputs['build-args']);
  each('build-context', inputs['build-contexts']);
  each('cache-from', inputs['cache-from']);
  each('cache-to', inputs['cache-to']);
  one('call', inputs.call);
  one('cgroup-parent', inputs['cgroup-parent']);
  one('file', inputs.file);
  each('label', inputs.labels);
  one('network', inputs.network);
  each('no-cache-filter', inputs['no-cache-filters']);
  each('output', inputs.outputs);
  if (inputs.platforms.length) words.push(`--platform=${inputs.platforms.join(',')}`);
  if (inputs.provenance) words.push(`--provenance=${provenance(inputs.provenance, environment)}`);
  one('sbom', inputs.sbom);
  words.push(...secretOptions(inputs, environment, context, secrets));
  one('shm-size', inputs['shm-size']);
  each('ssh', inputs.ssh);
  each('tag', inputs.tags);
  one('target', inputs.target);
  each('ulimit', inputs.ulimit);
  for (const name of ['load', 'no-cache', 'pull', 'push']) if (inputs[name]) words.push(`--${name}`);
  if (!inputs.call || inputs.call === 'build') {
    // Only an output that is an image has an ID.
    const isImage = (output) => /(^|,)type=(image|registry|oci|docker)(,|$)/.test(output);
    if (!inputs.outputs.length || inputs.outputs.some(isImage)) words.push(`--iidfile=${files.imageID}`);
    words.push(`--metadata-file=${files.metadata}`);
  }
  words.push('--', context);
  return {words, secrets};
}

module.exports = {buildArguments};
